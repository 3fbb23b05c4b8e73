"""The public channel as servers see it: who lacks a key, whose wrap passed,
nothing in clear (section 7)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from socp.crypto import content_sig
from socp.crypto.keys import PublicKey
from socp.node.budget import Budget, Table
from socp.node.crowd import Crowd
from socp.node.dedup import SeenIds
from socp.node.directory import Directory
from socp.node.effects import Snapshot
from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.links import Link, Links, Stage
from socp.node.naming import Naming
from socp.node.presence import Presence
from socp.node.records import ChannelShare, ChannelVersion, Remembered
from socp.node.share_shelf import ShareShelf
from socp.wire import base64url, limits
from socp.wire.envelope import Envelope, check_ts, decode, reencode
from socp.wire.errors import Code, PeerFault
from socp.wire.ids import EVERYONE, is_uuid4
from socp.wire.payloads import (
    PublicChannelAdd,
    PublicChannelKeyShare,
    PublicChannelUpdated,
    Share,
    Wrap,
)

SHARE_BYTES_MAX = 16 * limits.KIB
ADDS_A_FRAME = 5_000
HANDED_ON_MAX = 1_000  # on one new link: 7 MB, at the pace that it takes
SURE_MS = 60_000  # a link over which a share went, and that lives so long, carried it
KEYS_SAID = limits.CHANNEL_KEYS_SAID
SETTLE_MS = 5_000  # the maker of a new version shares it with everybody online first


class PublicChannel:
    """Stores wraps and routes shares; the keys are the members' own affair."""

    def __init__(
        self,
        emitter: Emitter,
        links: Links,
        crowd: Crowd,
        directory: Directory,
        presence: Presence,
        seen: SeenIds,
        remembered: Remembered,
        budget: Budget,
    ) -> None:
        self._emit = emitter
        self._links = links
        self._crowd = crowd
        self._directory = directory
        self._presence = presence
        self._seen = seen
        self.version = remembered.channel_version
        self._shares = ShareShelf(emitter, remembered.shares, budget.rows(Table.SHARES))
        self._naming = Naming(emitter, links, crowd, presence, self._shares)
        self._keys = {_key_of(s.frame) for s in remembered.shares if s.version == self.version}
        self._handed: OrderedDict[tuple[str, int], tuple[ChannelShare, LinkId, int]] = OrderedDict()
        self._ask_again_ms: int | None = None
        self._came: dict[str, None] = {}  # those of ours of whom this tick says that they lack it

    # --- our members ----------------------------------------------------------------------------

    def arrived(self, user_id: str, now: Now) -> None:
        """A member came: hand over the shares that wait, or tell the holders that one is needed."""
        kept = [share for share in self._shares.of(user_id) if self._vouched(share)]
        for share in kept:
            self._emit.relay((self._links.users[user_id].id,), share.frame)
        if not kept or kept[-1].version < self.version:
            self._came[user_id] = None
            if self._naming.few and not self._crowd.many:
                self._ask_for_who_came(now)

    def _ask_for_who_came(self, now: Now) -> None:
        """All in one frame: where many come it would be a signature or two for each of them."""
        came, self._came = self._came, {}
        lacking = tuple(sorted(came.keys() & self._links.users.keys()))
        if lacking:
            self._ask_for_ours(lacking, now)

    def _vouched(self, share: ChannelShare) -> bool:
        """False where its creator has another key by now: whoever gets it could not tell whether
        it is not from the thief of the former one. Of somebody never heard of members judge."""
        text = decode(share.frame).members.get("creator_pub")
        key = self._directory.key(share.creator_id)
        return isinstance(text, str) and (key is None or self._directory.parse(text) == key)

    def linked(self, link: Link, now: Now) -> None:
        """A new server link: say which version stands here, and who is here,
        so that two halves meet."""
        keys = self._said_keys() if link.gossips else ()
        if self.version:
            self._emit.say(link, PublicChannelUpdated(version=self.version, keys=keys), now)
        # A peer that says which keys it knows, as we do, need not hear of those who have ours.
        here = self._lacking() if keys else self._here()
        if here:
            self._ask_for(here, now, (link.id,))
        if link.acks:
            self._hand_on(link, now)

    def _hand_on(self, link: Link, now: Now) -> None:
        """The shares of members who live at that server, which was away when they were made."""
        theirs = [s for s in self._shares if self._directory.home(s.member_id) == link.peer]
        handed = [share for share in theirs if self._vouched(share)][:HANDED_ON_MAX]
        if handed:
            frames = dict.fromkeys(share.frame for share in handed)
            self._emit.add(Snapshot(link.id, tuple(frames)))
        for share in handed:
            self._went(share, link, now)

    def _went(self, share: ChannelShare, link: Link, now: Now) -> None:
        self._handed[share.member_id, share.version] = (share, link.id, now.mono)
        self._handed.move_to_end((share.member_id, share.version))

    def due(self, now: Now) -> None:
        """Tell more of ours of whom nobody served; let go of what others keep; ask for those of
        ours who lack a version that had time to spread."""
        self._ask_for_who_came(now)
        self._naming.due(now)
        while self._handed:
            share, link_id, when = next(iter(self._handed.values()))
            if now.mono - when < SURE_MS:
                break
            self._handed.popitem(last=False)
            if link_id in self._links.all and self._home(share.member_id):
                self._shares.drop(share)
        if self._ask_again_ms is None or now.mono < self._ask_again_ms:
            return
        self._ask_again_ms = None
        if lacking := self._lacking():
            self._ask_for_ours(lacking, now)

    def _here(self) -> tuple[str, ...]:
        return tuple(sorted(p.user_id for p in self._presence.here()))

    def _lacking(self) -> tuple[str, ...]:
        """Of those here, who has no share of this version. Its maker is among them."""
        return tuple(u for u in self._here() if self._shares.newest(u) < max(self.version, 1))

    def _ask_for_ours(self, user_ids: tuple[str, ...], now: Now) -> None:
        """Say so to all who may give it, and to themselves, who wait for it."""
        links = dict.fromkeys(self._naming.listeners())
        links.update(dict.fromkeys(self._links.users[user_id].id for user_id in user_ids))
        self._ask_for(user_ids, now, tuple(links) + self._links.server_links())
        self._naming.asked(self._emit.server_id, user_ids, self.version, now)

    def _ask_for(self, user_ids: tuple[str, ...], now: Now, links: tuple[int, ...]) -> None:
        for start in range(0, len(user_ids), ADDS_A_FRAME):
            add = PublicChannelAdd(
                add=user_ids[start : start + ADDS_A_FRAME], if_version=self.version
            )
            self._crowd.tell(links, self._emit.frame(add, to=EVERYONE, ts=now.wall, bind=True))

    # --- what other servers say -----------------------------------------------------------------

    def added(self, link: Link, envelope: Envelope, payload: PublicChannelAdd, now: Now) -> None:
        """Who lacks a key at another server."""
        if self._pass_on(link, envelope, self._naming.listeners(), now):
            self._naming.asked(envelope.from_, payload.add, payload.if_version, now)

    def updated(
        self, link: Link, envelope: Envelope, payload: PublicChannelUpdated, now: Now
    ) -> None:
        """Who was given one there, or which version stands there."""
        before = self.version
        self._learn(payload.version, now, first=limits.CHANNEL_VERSION_FIRST)
        known = self.version == before
        if (envelope.from_, envelope.to) == (link.peer, self._emit.server_id):
            self._compare(link, payload, now)
            if known and not payload.wraps:
                return  # it told us alone where it stands: two halves that meet do so on each link
        if known:
            listeners = self._hearing(envelope.from_, payload.wraps, payload.version)
        else:
            listeners = self._links.user_links()
        self._pass_on(link, envelope, listeners, now)

    def _compare(self, link: Link, payload: PublicChannelUpdated, now: Now) -> None:
        """Two halves that made keys of their own: each names all of its users to the other. What a
        new link says first counts, once: each answer costs us a signature and all names."""
        hearsay = link.hearsay
        if hearsay is None or hearsay.keys_compared or payload.version != self.version:
            return
        hearsay.keys_compared = True
        here = self._here()
        if here and self._said_keys() and set(payload.keys) != self._keys:
            self._ask_for(here, now, (link.id,))

    def _said_keys(self) -> tuple[str, ...]:
        """Those of this version, or none where they are too many to say: one member can make up as
        many as they like."""
        return tuple(sorted(self._keys)) if len(self._keys) <= KEYS_SAID else ()

    def _pass_on(
        self, link: Link, envelope: Envelope, listeners: tuple[LinkId, ...], now: Now
    ) -> bool:
        """False for what passed already."""
        key = self._seen.key(envelope)
        if key in self._seen:
            return False
        self._seen.add(key, link.peer, now.mono)
        raw, relaying = reencode(envelope), self._presence.relaying
        others = relaying.at_once(link, envelope.from_, key.hex(), raw, now)
        self._crowd.tell(listeners + others, raw)
        return True

    # --- shares ---------------------------------------------------------------------------------

    def from_server(
        self, link: Link, envelope: Envelope, share: PublicChannelKeyShare, now: Now
    ) -> None:
        """A share by way of another server: new, or kept there until it found us."""
        if not is_uuid4(envelope.from_):
            raise PeerFault(Code.BAD_FRAME, "KEY_SHARE: from must be a user's UUID v4")
        if envelope.ts > now.wall or not any(self._is_ours(one) for one in share.shares):
            check_ts(envelope.ts, now.wall)
        self.shared(link, envelope, share, now)

    def shared(
        self, link: Link, envelope: Envelope, share: PublicChannelKeyShare, now: Now
    ) -> None:
        """A member's share, from the member or by way of another server:
        store ours, route the rest."""
        key = self._creator(link, envelope, share)
        if key is None:
            return
        if self._directory.parse(share.creator_pub) != key:
            raise PeerFault(Code.BAD_KEY, "KEY_SHARE: creator_pub is not the key of its author")
        seen = self._seen.key(envelope)
        if seen in self._seen:
            return
        shares = envelope.members.get("shares")
        assert isinstance(shares, list)  # `share` was parsed from it
        if not content_sig.verify_shares(key, shares, key.der, share.content_sig):
            raise PeerFault(Code.INVALID_SIG, "KEY_SHARE: content_sig does not verify")
        self._learn(share.version, now)
        if share.version == self.version and len(self._keys) <= KEYS_SAID:
            self._keys.add(_digest(share.channel_pub))
        self._seen.add(seen, link.peer, now.mono)
        self._introduced(link, envelope.from_)
        self._route(link, envelope, share, now)

    def _creator(
        self, link: Link, envelope: Envelope, share: PublicChannelKeyShare
    ) -> PublicKey | None:
        """The key pinned for its author; of somebody never heard of, who came and went while we
        were away, the one it brings, where it is for our own members: they ask and judge."""
        key = self._directory.key(envelope.from_)
        if key is None and any(self._is_ours(one) for one in share.shares):
            return self._directory.parse(share.creator_pub)
        return key

    def _introduced(self, link: Link, creator: str) -> None:
        """Where to ask for somebody never heard of: at the server that brings their share."""
        if not self._directory.home(creator) and self._directory.key(creator) is None:
            self._directory.move_home(creator, link.peer, None, ())

    def _is_ours(self, share: Share) -> bool:
        account = self._directory.accounts.get(share.member)
        return account is not None and account.local

    def _route(
        self, link: Link, envelope: Envelope, share: PublicChannelKeyShare, now: Now
    ) -> None:
        raw = reencode(envelope)
        wraps = []
        users: dict[int, None] = {}  # each once, however often the frame names them
        servers: set[int] = set()
        for one in share.shares:
            location = self._presence.location(one.member)
            if location == self._emit.server_id:
                users[self._links.users[one.member].id] = None
            there = self._links.servers.get(location or self._home(one.member))
            if there is not None and there is not link:
                servers.add(there.id)
            kept = self._is_ours(one)
            if not kept and (location or not self._waits_here(link, one.member)):
                continue
            wrapped = one.wrapped_public_channel_key
            stored = ChannelShare(one.member, share.version, wrapped, envelope.from_, raw)
            fresh = self._store(stored)
            if not kept and there is not None:  # their home tells of it
                if len(raw) <= SHARE_BYTES_MAX:
                    self._went(stored, there, now)
            elif fresh:
                wraps.append(Wrap(member_id=one.member, wrapped_key=wrapped))
        self._emit.relay(tuple(users) + tuple(sorted(servers)), raw)
        if wraps:
            self._tell_wraps(share.version, tuple(wraps), now)

    def _home(self, member: str) -> str:
        """Where somebody lives who is online nowhere, "" for here and for nobody we know."""
        home = self._directory.home(member)
        return "" if home == self._emit.server_id else home

    def _waits_here(self, link: Link, member: str) -> bool:
        """Whether we keep what is for somebody of another server until that one surely has it: as
        the author's server, or because that one is away."""
        home = self._home(member)
        if not home or home == link.peer:
            return False
        return link.stage is Stage.USER or home not in self._links.servers

    def _tell_wraps(self, version: int, wraps: tuple[Wrap, ...], now: Now) -> None:
        """PUBLIC_CHANNEL_UPDATED, so that other holders stop (only the wraps that are new)."""
        updated = PublicChannelUpdated(version=version, wraps=wraps)
        frame = self._emit.frame(updated, to=EVERYONE, ts=now.wall, bind=True)
        listeners = self._hearing(self._emit.server_id, wraps, version)
        self._crowd.tell(listeners + self._links.server_links(), frame)

    def _hearing(self, origin: str, wraps: tuple[Wrap, ...], version: int) -> tuple[LinkId, ...]:
        """Which of our users hear that these were served, as their server says."""
        members = [wrap.member_id for wrap in wraps]
        if origin == self._emit.server_id and version >= self.version:
            for member_id in members:  # before it was said that they lack it
                self._came.pop(member_id, None)
        served = self._naming.given(origin, members, version)
        return tuple(dict.fromkeys((*self._naming.listeners(), *served)))

    def _store(self, share: ChannelShare) -> bool:
        """Kept for the member's next hello; what is too long to keep goes to who is here now.
        False where it is kept already."""
        if share in self._shares.of(share.member_id):
            return False
        if len(share.frame) <= SHARE_BYTES_MAX:
            self._shares.put(share)
        return True

    def _learn(self, version: int, now: Now, *, first: int = 0) -> None:
        """A version counts only if it is at most 1,000 above the highest known (M13).

        `first`: where none is known yet, what a server may say that the mesh has reached.
        """
        most = self.version + limits.CHANNEL_VERSION_JUMP
        if not self.version:
            most = max(most, first)
        if version > most:
            raise PeerFault(
                Code.BAD_FRAME,
                f"public channel version {version} is too far above {self.version}; at most {most}",
            )
        if version > self.version:
            self.version = version
            self._keys.clear()
            self._emit.persist(ChannelVersion(version))
            self._ask_again_ms = now.mono + SETTLE_MS


def _key_of(frame: bytes) -> str:
    text = decode(frame).members.get("channel_pub")
    return _digest(text if isinstance(text, str) else "")


def _digest(channel_pub: str) -> str:
    """A name for one key of the channel: two servers compare which ones they know."""
    return base64url.encode(hashlib.sha256(channel_pub.encode()).digest())
