"""Who is where: USER_ADVERTISE, USER_REMOVE, the snapshot, the list (sections 5 and 6)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Container, Iterator
from dataclasses import replace

from socp.crypto.keys import PublicKey
from socp.crypto.signing import attach_holds
from socp.node.audience import Audience
from socp.node.chapters import Chapters
from socp.node.directory import Directory
from socp.node.effects import Outgoing, Snapshot
from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.links import Link, Links
from socp.node.relaying import Relaying
from socp.node.roster import OwnAdvert, Present, Roster
from socp.node.rotation import Rotations
from socp.wire import limits, roll
from socp.wire.envelope import Envelope, reencode
from socp.wire.errors import Code, PeerFault
from socp.wire.ids import EVERYONE
from socp.wire.payloads import (
    Attach,
    UserAdvertise,
    UserMeta,
    UserRemove,
)
from socp.wire.roll import Roll

ONLINE_PER_SERVER = 10_000
ORDER_PER_SERVER = 20_000  # users whose last presence ts is remembered
ORDER_MAX = 400_000  # of all servers
SAID_NEWLY_MS = 10_000  # who asks again so soon may have the same frames ...
SAID_NEWLY_USER_MS = 20  # ... or so soon for each of our users: each is a signature of 1.3 ms
ADVERT_BYTES_MAX = 16 * limits.KIB  # it is kept, and said again to everyone who comes
REMOVES_KEPT = 10_000  # about 1 kB each: they save a signature where somebody asks


class Presence:
    """Each fact has one owner: the server a user is attached to. We only pass it on."""

    def __init__(
        self,
        emitter: Emitter,
        links: Links,
        audience: Audience,
        directory: Directory,
        rotations: Rotations,
    ) -> None:
        self._emit = emitter
        self._links = links
        self._audience = audience
        self._directory = directory
        self._rotations = rotations
        self._online: dict[str, Present] = {}
        self._at: dict[str, dict[str, Present]] = {}  # the same, by server
        self.roster = Roster(emitter)
        self._chapters: Chapters | None = None  # while users come who hear of everybody
        self._removes: OrderedDict[str, Outgoing | bytes] = OrderedDict()  # of who is away
        self._rolls: dict[str, Roll] = {}
        self.relaying = Relaying(emitter, links)
        self._order: dict[str, OrderedDict[str, int]] = {}  # by origin: none pushes others' out
        self._ordered = 0  # how many, of all of them
        self._turned_away: Callable[[str, str], None] = lambda _user_id, _server_id: None
        self._has_room: Callable[[str, Now], None] = lambda _user_id, _now: None

    def heed(
        self,
        turned_away: Callable[[str, str], None],
        has_room: Callable[[str, Now], None],
    ) -> None:
        """Whom to tell of a claim that did not count, and of a user who is nowhere now."""
        self._turned_away, self._has_room = turned_away, has_room

    # --- questions ------------------------------------------------------------------------------

    def location(self, user_id: str) -> str:
        """The server where the user is online (ours included), or ""."""
        present = self._online.get(user_id)
        return "" if present is None else present.server_id

    def here(self) -> Iterator[Present]:
        return self._of(self._emit.server_id)

    def _of(self, server_id: str) -> Iterator[Present]:
        """Its users; what is done with them may change who they are."""
        return iter(tuple(self._at.get(server_id, {}).values()))

    def everyone(self) -> Iterator[Present]:
        return iter(tuple(self._online.values()))

    def key_text(self, user_id: str) -> str:
        account = self._directory.accounts.get(user_id)
        return "" if account is None else account.pubkey

    def total(self) -> int:
        return len(self._online)

    def places(self) -> Iterator[str]:
        """The servers that have users."""
        return iter(self._rolls)

    def count(self, server_id: str) -> int:
        return self.roll(server_id).count

    def roll(self, server_id: str) -> Roll:
        """Of those we take for this server's users."""
        return self._rolls.get(server_id, Roll())

    # --- our own users --------------------------------------------------------------------------

    def arrived(self, link: Link, display_name: str, now: Now) -> None:
        """A user of ours is attached: pin the place, greet with who is here, tell everyone."""
        user_id, key = link.peer, link.key
        assert key is not None
        ts = self._next_ts(user_id, now)
        attach = None
        if link.attach is not None:
            attach = Attach(ts=link.attach[0], sig=link.attach[1])
        said = UserAdvertise(
            user_id=user_id,
            server_id=self._emit.server_id,
            meta=UserMeta(display_name=display_name, pubkey=key.text),
            pubkey=key.text,
            features=link.features,
            attach=attach,
            rotations=self._directory.histories.chain(user_id),
        )
        advert = OwnAdvert(self._emit, said, ts)
        attach_ts = 0 if attach is None else attach.ts
        if not link.watches:
            news = self._rotations.news_for_user(link, now)
            if self._chapters is None:
                self._chapters = Chapters(self.everyone())
            others = (*news, *self._chapters.all_but(user_id, now))
            if others:
                self._emit.add(Snapshot(link.id, others))
        entry = roll.entry(user_id, key.fingerprint, None if attach is None else attach.ts)
        own_id = self._emit.server_id
        able = () if attach is None else link.features
        present = Present(user_id, own_id, display_name, attach_ts, ts, entry, advert, able)
        self._audience.crowd.came(user_id, present, self._online.get(user_id))
        self._put(present)
        self._directory.move_home(user_id, own_id, attach, link.features)
        if targets := self._audience.of(user_id) + self._links.server_links():
            self._emit.send(targets, advert.frame)
        self._audience.joined(link)

    def left(self, user_id: str, now: Now) -> None:
        """A user of ours is gone: tell everyone."""
        present = self._online.get(user_id)
        if present is None or present.server_id != self._emit.server_id:
            return
        self._gone(user_id, now)
        frame = self._remove_frame(user_id, self._emit.server_id, self._next_ts(user_id, now))
        self._note_remove(user_id, frame)
        self._audience.crowd.left(user_id, present, frame, now)
        self._emit.send(self._audience.of(user_id) + self._links.server_links(), frame)

    def last_word(self, user_id: str) -> Outgoing | bytes | None:
        """What was said last of this user, signed already; None where nothing was."""
        present = self._online.get(user_id)
        return self._removes.get(user_id) if present is None else present.frame

    def away(self, user_id: str, now: Now) -> Outgoing:
        """That this user is nowhere, in our own words."""
        place = self._directory.home(user_id) or self._emit.server_id
        frame = self._remove_frame(user_id, place, now.wall - 1)  # before they come, if now
        self._note_remove(user_id, frame)
        return frame

    def _remove_frame(self, user_id: str, server_id: str, ts: int) -> Outgoing:
        remove = UserRemove(user_id=user_id, server_id=server_id)
        return self._emit.frame(remove, to=EVERYONE, ts=ts, bind=True)

    def _note_remove(self, user_id: str, frame: Outgoing | bytes) -> None:
        self._removes[user_id] = frame
        self._removes.move_to_end(user_id)
        if len(self._removes) > REMOVES_KEPT:
            self._removes.popitem(last=False)

    def _next_ts(self, user_id: str, now: Now) -> int:
        """Our own statements about a user are ordered by ts, also within one millisecond, and where
        our clock was set back. What it said far ahead of the present nobody took."""
        last_ts = self._last_ts(self._emit.server_id, user_id)
        if last_ts - now.wall > limits.TS_WINDOW_MS:
            last_ts = 0
        ts = max(now.wall, last_ts + 1)
        self._note_order(self._emit.server_id, user_id, ts)
        return ts

    def due(self, now: Now) -> None:
        """Let go of what nobody asks for now."""
        if self._chapters is not None and self._chapters.rests(now):
            self._chapters = None

    # --- links of servers -----------------------------------------------------------------------

    def snapshot(self, link: Link, now: Now) -> Iterator[Outgoing | bytes]:
        """What a new link hears first: what our users signed of their keys, and who is here."""
        yield from self._rotations.news_for_server(link, now)
        yield from self.own_adverts()

    def own_adverts(self) -> Iterator[Outgoing | bytes]:
        return (p.frame for p in self.here())

    def said_anew(self, now: Now) -> Iterator[Outgoing | bytes]:
        """Our users for somebody who may have refused what was said before, because our clock or
        theirs was wrong: with a new ts, but for what is new anyway."""
        newly_ms = max(SAID_NEWLY_MS, SAID_NEWLY_USER_MS * self.count(self._emit.server_id))
        for present in self.here():
            before, age_ms = present.advert, now.wall - present.ts
            if isinstance(before, OwnAdvert) and not 0 <= age_ms < newly_ms:
                ts = self._next_ts(present.user_id, now)
                self._put(replace(present, ts=ts, advert=OwnAdvert(self._emit, before.said, ts)))
        yield from self.own_adverts()

    def is_untimely(self, origin: str, user_id: str, ts: int, now: Now) -> bool:
        """Whether such an ADVERTISE does not count, by its ts alone."""
        ahead = ts - now.wall > limits.TS_WINDOW_MS
        late = ts <= self._last_ts(origin, user_id) and self.location(user_id) != origin
        return ahead or late

    def server_lost(self, server_id: str, now: Now) -> None:
        """Its users' homes stay, their presence does not; its next snapshot counts again."""
        for present in self._of(server_id):
            self._note_order(server_id, present.user_id, present.ts - 1)
            self._forget(present, now)

    def keep_only(self, server_id: str, user_ids: Container[str], said_ts: int, now: Now) -> None:
        """Its other users had left when it said so, at `said_ts`, and their USER_REMOVE did not
        reach us (`gossip/1`). Of one who came since, another server may have told us before."""
        for present in self._of(server_id):
            if present.user_id not in user_ids and present.ts <= said_ts:
                self._note_order(server_id, present.user_id, present.ts - 1)
                self._forget(present, now)

    def _forget(self, present: Present, now: Now) -> None:
        """Their server did not say so, so we tell our users alone."""
        self._gone(present.user_id, now)
        self._tell_users_gone(present, now)

    def _tell_users_gone(self, present: Present, now: Now) -> None:
        frame = self._remove_frame(present.user_id, present.server_id, now.wall)
        self._note_remove(present.user_id, frame)
        self._audience.crowd.left(present.user_id, present, frame, now)
        self._emit.send(self._audience.of(present.user_id), frame)

    # --- other servers' users -------------------------------------------------------------------

    def advertised(self, link: Link, envelope: Envelope, advert: UserAdvertise, now: Now) -> bool:
        """A server about its user. True if one of our own users moved there (their link must
        end)."""
        origin = envelope.from_
        if advert.server_id != origin:
            raise PeerFault(Code.NOT_ALLOWED, f"{origin} cannot speak for users of another server")
        if len(envelope.payload) > ADVERT_BYTES_MAX:
            raise PeerFault(
                Code.TOO_LARGE, f"USER_ADVERTISE: more than {ADVERT_BYTES_MAX} bytes; shorten meta"
            )
        if origin == self._emit.server_id or not self._newer(origin, advert.user_id, envelope, now):
            return False
        key = self._key_of(advert, link.peer, now)
        attach_ts = self._attach_ts(advert, key, origin, now)
        if not self._may_claim(advert.user_id, origin, attach_ts):
            self._turned_away(advert.user_id, origin)
            return False
        if self.location(advert.user_id) != origin and self.count(origin) >= ONLINE_PER_SERVER:
            raise PeerFault(Code.RATE_LIMITED, f"more than {ONLINE_PER_SERVER} users of {origin}")
        name = advert.meta.display_name if advert.meta is not None else ""
        if key is not None:
            self._directory.pin_remote(advert.user_id, key, origin, name, now)
            self._rotations.catch_up(advert.user_id, advert.rotations, link.peer, now)
        attach = advert.attach if attach_ts else None
        self._directory.move_home(advert.user_id, origin, attach, advert.features)
        self._note_order(origin, advert.user_id, envelope.ts)
        moved_away = self.location(advert.user_id) == self._emit.server_id
        raw, entry = reencode(envelope), self._entry(advert, key)
        able = advert.features if attach_ts else ()
        present = Present(
            advert.user_id, origin, name, attach_ts, envelope.ts, entry, raw, able=able
        )
        self._audience.crowd.came(advert.user_id, present, self._online.get(advert.user_id))
        self._put(present)
        self.relaying.pass_on(
            link, origin, advert.user_id, raw, self._audience.of(advert.user_id), now
        )
        return moved_away

    def removed(self, link: Link, envelope: Envelope, remove: UserRemove, now: Now) -> None:
        origin = envelope.from_
        if remove.server_id != origin:
            raise PeerFault(Code.NOT_ALLOWED, f"{origin} cannot speak for users of another server")
        if not self._newer(origin, remove.user_id, envelope, now):
            return
        self._note_order(origin, remove.user_id, envelope.ts)
        present = self._online.get(remove.user_id)
        if present is None or present.server_id != origin:
            return
        self._gone(remove.user_id, now)
        raw = reencode(envelope)
        self._note_remove(remove.user_id, raw)
        self._audience.crowd.left(remove.user_id, present, raw, now)
        self.relaying.pass_on(
            link, origin, remove.user_id, raw, self._audience.of(remove.user_id), now
        )

    def _newer(self, origin: str, user_id: str, envelope: Envelope, now: Now) -> bool:
        """Presence is ordered per origin and user by its ts;
        older or equal is dropped (section 2)."""
        ahead = envelope.ts - now.wall
        if ahead > limits.TS_WINDOW_MS:
            raise PeerFault(
                Code.BAD_FRAME, f"{envelope.type}: ts is {ahead // 1000} s ahead; set your clock"
            )
        return envelope.ts > self._last_ts(origin, user_id)

    def _key_of(self, advert: UserAdvertise, source: str, now: Now) -> PublicKey | None:
        """The user's key, followed along the rotations that came with it. Raises
        PeerFault(BAD_KEY)."""
        self._rotations.check_alive(advert.user_id)
        text = advert.pubkey or (advert.meta.pubkey if advert.meta is not None else "")
        if not text:
            return self._directory.key(advert.user_id)
        key = self._directory.parse(text)
        self._rotations.admit(advert.user_id, key, advert.rotations, source, now)
        return key

    def _attach_ts(
        self, advert: UserAdvertise, key: PublicKey | None, origin: str, now: Now
    ) -> int:
        """The ts of a valid attach, else 0."""
        attach = advert.attach
        if attach is None or key is None or attach.ts - now.wall > limits.TS_WINDOW_MS:
            return 0
        holds = attach_holds(key, advert.user_id, origin, attach, advert.features)
        return attach.ts if holds else 0

    def _may_claim(self, user_id: str, origin: str, attach_ts: int) -> bool:
        """The newest valid attach wins; a claim without one only takes who is nowhere (section
        11)."""
        present = self._online.get(user_id)
        if present is None or present.server_id == origin:
            return True
        return attach_ts > self._directory.attach_ts(user_id)

    @staticmethod
    def _entry(advert: UserAdvertise, key: PublicKey | None) -> int:
        """As their server has it in its roll: of the attach that it said, valid or not."""
        attach_ts = None if advert.attach is None else advert.attach.ts
        return roll.entry(advert.user_id, "" if key is None else key.fingerprint, attach_ts)

    # --- tables ---------------------------------------------------------------------------------

    def _put(self, present: Present) -> None:
        self._drop(present.user_id)
        self._online[present.user_id] = present
        self._at.setdefault(present.server_id, {})[present.user_id] = present
        self.roster.came(present)
        if self._chapters is not None:
            self._chapters.came(present)
        self._removes.pop(present.user_id, None)
        self._rolls[present.server_id] = self.roll(present.server_id).with_(present.entry)

    def _drop(self, user_id: str) -> None:
        present = self._online.pop(user_id, None)
        if present is not None:
            self.roster.left(present)
            if self._chapters is not None:
                self._chapters.left(present)
            del self._at[present.server_id][user_id]
            left = self.roll(present.server_id).without(present.entry)
            if left.count:
                self._rolls[present.server_id] = left
            else:
                del self._rolls[present.server_id], self._at[present.server_id]

    def _gone(self, user_id: str, now: Now) -> None:
        self._drop(user_id)
        self._has_room(user_id, now)

    def _last_ts(self, origin: str, user_id: str) -> int:
        order = self._order.get(origin)
        return 0 if order is None else order.get(user_id, 0)

    def _note_order(self, origin: str, user_id: str, ts: int) -> None:
        order = self._order.setdefault(origin, OrderedDict())
        self._ordered += user_id not in order
        order[user_id] = ts
        order.move_to_end(user_id)
        if len(order) <= ORDER_PER_SERVER and self._ordered <= ORDER_MAX:
            return
        fullest = order
        if len(order) <= ORDER_PER_SERVER:
            fullest = max(self._order.values(), key=len)
        fullest.popitem(last=False)
        self._ordered -= 1
