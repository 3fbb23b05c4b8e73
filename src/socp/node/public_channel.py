"""The public channel as servers see it: who lacks a key, whose wrap passed,
nothing in clear (section 7)."""

from __future__ import annotations

from collections import OrderedDict

from socp.crypto import content_sig
from socp.node.dedup import SeenIds
from socp.node.directory import Directory
from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.links import Link, Links
from socp.node.presence import Presence
from socp.node.records import ChannelShare, ChannelVersion, Remembered
from socp.wire import limits
from socp.wire.envelope import Envelope, decode, reencode
from socp.wire.errors import Code, PeerFault
from socp.wire.ids import EVERYONE
from socp.wire.payloads import (
    PublicChannelAdd,
    PublicChannelKeyShare,
    PublicChannelUpdated,
    Wrap,
)

SHARES_MAX = 20_000  # about 7 kB each
SHARE_BYTES_MAX = 16 * limits.KIB
ADDS_A_FRAME = 5_000
SETTLE_MS = 5_000  # the maker of a new version shares it with everybody online first


class PublicChannel:
    """Stores wraps and routes shares; the keys are the members' own affair."""

    def __init__(
        self,
        emitter: Emitter,
        links: Links,
        directory: Directory,
        presence: Presence,
        seen: SeenIds,
        remembered: Remembered,
    ) -> None:
        self._emit = emitter
        self._links = links
        self._directory = directory
        self._presence = presence
        self._seen = seen
        self.version = remembered.channel_version
        self._shares: OrderedDict[str, ChannelShare] = OrderedDict()
        for share in sorted(remembered.shares, key=lambda s: s.version):
            self._keep(share)
        self._ask_again_ms: int | None = None

    # --- our members ----------------------------------------------------------------------------

    def arrived(self, user_id: str, now: Now) -> None:
        """A member came: hand over the share that waits, or tell the holders that one is needed."""
        share = self._shares.get(user_id)
        if share is not None and not self._vouched(share):
            share = None
        if share is not None:
            self._emit.relay((self._links.users[user_id].id,), share.frame)
        if share is None or share.version < self.version:
            self._ask_for((user_id,), now, self._links.user_links() + self._links.server_links())

    def _vouched(self, share: ChannelShare) -> bool:
        """False where its creator has another key by now: whoever gets it could not tell whether
        it is not from the thief of the former one."""
        text = decode(share.frame).members.get("creator_pub")
        key = self._directory.key(share.creator_id)
        return isinstance(text, str) and key is not None and self._directory.parse(text) == key

    def linked(self, link: Link, now: Now) -> None:
        """A new server link: say which version stands here, and who is here,
        so that two halves meet."""
        if self.version:
            self._emit.say(link, PublicChannelUpdated(version=self.version), now)
        here = tuple(sorted(p.user_id for p in self._presence.here()))
        if here:
            self._ask_for(here, now, (link.id,))

    def due(self, now: Now) -> None:
        """After a new version had time to spread: ask for those of ours who still lack it."""
        if self._ask_again_ms is None or now.mono < self._ask_again_ms:
            return
        self._ask_again_ms = None
        lacking = tuple(
            sorted(
                p.user_id
                for p in self._presence.here()
                if (share := self._shares.get(p.user_id)) is None or share.version < self.version
            )
        )
        if lacking:
            self._ask_for(lacking, now, self._links.user_links() + self._links.server_links())

    def _ask_for(self, user_ids: tuple[str, ...], now: Now, links: tuple[int, ...]) -> None:
        for start in range(0, len(user_ids), ADDS_A_FRAME):
            add = PublicChannelAdd(
                add=user_ids[start : start + ADDS_A_FRAME], if_version=self.version
            )
            self._emit.send(links, self._emit.frame(add, to=EVERYONE, ts=now.wall, bind=True))

    # --- what other servers say -----------------------------------------------------------------

    def added(self, link: Link, envelope: Envelope, payload: PublicChannelAdd, now: Now) -> None:
        self._pass_on(link, envelope, now)

    def updated(
        self, link: Link, envelope: Envelope, payload: PublicChannelUpdated, now: Now
    ) -> None:
        self._learn(payload.version, now, first=limits.CHANNEL_VERSION_FIRST)
        self._pass_on(link, envelope, now)

    def _pass_on(self, link: Link, envelope: Envelope, now: Now) -> None:
        key = self._seen.key(envelope)
        if key in self._seen:
            return
        self._seen.add(key, link.peer, now.mono)
        others = self._links.server_links(link.peer, envelope.from_)
        self._emit.relay(self._links.user_links() + others, reencode(envelope))

    # --- shares ---------------------------------------------------------------------------------

    def shared(
        self, link: Link, envelope: Envelope, share: PublicChannelKeyShare, now: Now
    ) -> None:
        """A member's share, from the member or by way of another server:
        store ours, route the rest."""
        creator = envelope.from_
        key = self._directory.key(creator)
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
        self._seen.add(seen, link.peer, now.mono)
        self._route(link, envelope, share, now)

    def _route(
        self, link: Link, envelope: Envelope, share: PublicChannelKeyShare, now: Now
    ) -> None:
        raw = reencode(envelope)
        creator, wraps = envelope.from_, []
        users: dict[int, None] = {}  # each once, however often the frame names them
        servers: set[int] = set()
        for one in share.shares:
            location = self._presence.location(one.member)
            if location == self._emit.server_id:
                users[self._links.users[one.member].id] = None
            elif location in self._links.servers and location != link.peer:
                servers.add(self._links.servers[location].id)
            account = self._directory.accounts.get(one.member)
            if account is not None and account.local:
                wraps.append(Wrap(member_id=one.member, wrapped_key=one.wrapped_public_channel_key))
                self._store(
                    ChannelShare(
                        member_id=one.member,
                        version=share.version,
                        wrapped_key=one.wrapped_public_channel_key,
                        creator_id=creator,
                        frame=raw,
                    )
                )
        self._emit.relay(tuple(users) + tuple(sorted(servers)), raw)
        if wraps:
            self._tell_wraps(share.version, tuple(wraps), now)

    def _tell_wraps(self, version: int, wraps: tuple[Wrap, ...], now: Now) -> None:
        """PUBLIC_CHANNEL_UPDATED, so that other holders stop (only the wraps that are new)."""
        updated = PublicChannelUpdated(version=version, wraps=wraps)
        frame = self._emit.frame(updated, to=EVERYONE, ts=now.wall, bind=True)
        self._emit.send(self._links.user_links() + self._links.server_links(), frame)

    def _store(self, share: ChannelShare) -> None:
        """Kept for the member's next hello; what is too long to keep goes to who is here now."""
        if len(share.frame) > SHARE_BYTES_MAX:
            return
        known = self._shares.get(share.member_id)
        if known is None or share.version >= known.version:
            self._keep(share)
            self._emit.persist(share)

    def _keep(self, share: ChannelShare) -> None:
        self._shares[share.member_id] = share
        self._shares.move_to_end(share.member_id)
        if len(self._shares) > SHARES_MAX:
            self._shares.popitem(last=False)

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
            self._emit.persist(ChannelVersion(version))
            self._ask_again_ms = now.mono + SETTLE_MS
