"""Where a line goes, whether it can go now, and in which form (sections 6, 7; threats M9, M15)."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Final

from socp.crypto.keys import PrivateKey
from socp.member.compose import PARTS_MAX, Pen, Piece, parts_of, too_long
from socp.member.contacts import Contacts
from socp.member.emitter import Emitter
from socp.member.events import Now
from socp.member.lookups import Lookups
from socp.member.numbering import Numbering
from socp.member.own_key import CHANGING, OwnKey
from socp.member.public import Room
from socp.member.records import OutboxLine
from socp.member.session import Session
from socp.wire import content
from socp.wire.content import Text
from socp.wire.features import CONTENT, HYBRID
from socp.wire.ids import PUBLIC, is_uuid4
from socp.wire.payloads import MsgDirect, MsgPublicChannel

HOLD_OFF_FIRST_MS: Final = 5_000
HOLD_OFF_MAX_MS: Final = 60_000
HOLD_OFF_AWAY_MAX_MS: Final = 600_000
"""A user who was not found is tried again after so long, twice as long each time, unless they come
anew before. Who is away is tried at all only where the server has `mailbox/1`."""
NOT_CONNECTED: Final = "not connected; it goes when you are"
NO_CHANNEL_KEY: Final = "the public channel's key is not here yet; it goes when it comes"
DECIDE: Final = (
    "compare safety numbers with them by another way than this chat (socp verify), then take the"
    " new key or keep the old one"
)


class NotYet(StrEnum):
    """Why nothing was composed."""

    REVOKED = "they revoked this id and read nothing any more; ask them for their new one"
    NO_ROOM = "too much is being sent; it goes in a moment"
    TOO_LONG = (
        "their client takes plain v1.3 messages alone, and the line is too long for those;"
        " send it as a file"
    )
    NO_CONTENT = (
        f"somebody who would read it has a client without {CONTENT}, which knows nothing of edits,"
        " deletions and reactions; say it in words"
    )


class Destinations:
    """A user by their pinned key, or the public channel by its newest one."""

    def __init__(
        self,
        emitter: Emitter,
        pen: Pen,
        contacts: Contacts,
        lookups: Lookups,
        room: Room,
        session: Session,
        own: OwnKey,
        numbering: Numbering,
    ) -> None:
        self._emit = emitter
        self._pen = pen
        self._contacts = contacts
        self._lookups = lookups
        self._room = room
        self._session = session
        self._own = own
        self._numbering = numbering
        self._missed: dict[str, tuple[int, int]] = {}  # user_id -> not before (mono), waited ms

    @property
    def attached(self) -> bool:
        """Whether a server took our hello."""
        return self._session.server is not None

    @property
    def mailbox(self) -> bool:
        """Whether the server keeps what is for somebody who is away."""
        return self._session.server is not None and self._session.server.mailbox

    def reaches(self, to: str) -> bool:
        """Whether something to them could go out now."""
        if not self.attached or self._contacts.changed(to):
            return False
        if to == PUBLIC:
            return self._room.sending_key() is not None and not self._room.unverified()
        known = self._contacts.get(to) is not None
        return self._contacts.is_online(to) or (known and self.mailbox and to not in self._missed)

    def use(self, key: PrivateKey) -> None:
        """Our own key was replaced."""
        self._pen = replace(self._pen, key=key)

    def refusal(self, to: str, text: str, kind: str, now: Now) -> str | None:
        """Why a line of this kind of content is not even kept, or None."""
        if to == self._emit.user_id:
            return "that is you"
        if to != PUBLIC and not is_uuid4(to):
            return "that is no user id; /list shows who is there"
        if not text:
            return "there is nothing in it"
        if self._contacts.is_revoked(to):
            return str(NotYet.REVOKED)
        settled = to != PUBLIC and self._contacts.get(to) is not None  # whether its form is known
        known = to == PUBLIC or settled
        if known and kind != Text.KIND and not self.speaks_content(to, now.wall):
            return str(NotYet.NO_CONTENT)
        return too_long(text, bound=self._bound(to) if settled else True)

    def away(self, user_id: str) -> str:
        """The reason a line waits for somebody."""
        return f"{self._contacts.label(user_id)} is away; it goes when they are back"

    def kept(self, to: str) -> str:
        """What is to be said of a line that a server has committed; "" where it is soon there."""
        if to == PUBLIC or self._contacts.is_online(to):
            return ""
        return f"{self._contacts.label(to)} is away; a server keeps it until they are back"

    def not_found(self, user_id: str, now: Now) -> None:
        """A line of ours came back: our server could not reach them just now."""
        _, waited_ms = self._missed.get(user_id, (0, HOLD_OFF_FIRST_MS // 2))
        online = self._contacts.is_online(user_id)
        wait_ms = min(2 * waited_ms, HOLD_OFF_MAX_MS if online else HOLD_OFF_AWAY_MAX_MS)
        self._missed[user_id] = (now.mono + wait_ms, wait_ms)

    def restarted(self) -> None:
        """A new link, and perhaps a server that finds them."""
        self._missed.clear()

    def came(self, user_id: str) -> None:
        """They are there: what waits may go at once."""
        self._missed.pop(user_id, None)

    def not_yet(self, to: str, now: Now) -> str | None:
        """What a line to them waits for, or None where it can go. Asks for a key that is not
        known."""
        undecided = self.undecided(to)
        if undecided:
            return undecided
        if not self.attached:
            return NOT_CONNECTED
        if self._own.changing:
            return CHANGING
        if to == PUBLIC:
            unsure = self._room.unverified()
            return unsure or (NO_CHANNEL_KEY if self._room.sending_key() is None else None)
        if self._contacts.get(to) is None:
            return self._keyless(to, now)
        not_before_ms, _ = self._missed.get(to, (now.mono, 0))
        there = self.mailbox or self._contacts.is_online(to)
        return None if there and now.mono >= not_before_ms else self.away(to)

    def undecided(self, to: str) -> str:
        """Why nothing at all goes to them, not even once more; "" where that is no question."""
        changed = self._contacts.changed(to)
        return f"{changed}: nothing is sent until you decide; {DECIDE}" if changed else ""

    def _keyless(self, user_id: str, now: Now) -> str:
        label = self._contacts.label(user_id)
        if self._lookups.ask(user_id, now):
            return f"the key of {label} is being asked for"
        return f"nobody knows the key of {label}; check the id; it goes when they come online"

    def compose(
        self, line: OutboxLine, left: tuple[str, ...] | None, ts: int, room: int
    ) -> list[Piece] | NotYet:
        """The frames of a line, `ts` Unix ms; `left`: the parts of it that are still open, if
        known.

        `room`: how many frames may go now. To be called where `not_yet` says None.
        """
        to = line.to
        if self._contacts.is_revoked(to):
            return NotYet.REVOKED
        if self.speaks_content(to, ts):
            return [self._content(line, ts)] if room else NotYet.NO_ROOM
        if line.kind != Text.KIND:
            return NotYet.NO_CONTENT
        bound = self._bound(to)
        parts = [part for one in left or (line.text,) for part in parts_of(one, bound=bound)]
        if len(parts) > PARTS_MAX:
            return NotYet.TOO_LONG
        if len(parts) > room:
            return NotYet.NO_ROOM
        self._tell_first(to, bound=bound)
        return [Piece(part, *self._sealed(part.encode(), to, ts, bound)) for part in parts]

    def speaks_content(self, to: str, now_ms: int) -> bool:
        """Whether everybody who will read it there has `content/1` (`now_ms` Unix ms)."""
        if not self._numbering.runs:
            return False
        return self._room.all_content(now_ms) if to == PUBLIC else self._contacts.has_content(to)

    def _content(self, line: OutboxLine, ts: int) -> Piece:
        """One message of `content/1`. Composed anew, it keeps its place."""
        to = line.to
        body = content.unpack(line.body) if line.body else Text(body=line.text)
        place = line.place or self._numbering.next(to)
        self._tell_first(to, bound=True)
        sealed = self._sealed(content.encode(body, place), to, ts, bound=True)
        return Piece(line.text, *sealed, place)

    def sealed_to(self, to: str, *, content: bool = False) -> str:
        """What a line composed now can be read with, for `still_reads`."""
        key = None if to == PUBLIC else self._contacts.key(to)
        reader = "" if key is None else key.fingerprint
        own = self._emit.key.public.fingerprint
        form = HYBRID if key and self._bound(to) else ""
        return f"{CONTENT if key and content else form} {reader} {own}"

    def still_reads(self, to: str, sealed_to: str) -> bool:
        """Whether they can still read what was composed for them, and our server still takes it as
        ours. Keys of the channel are kept."""
        if self._contacts.is_revoked(to):
            return False
        form, _, keys = sealed_to.partition(" ")
        fingerprint, _, own = keys.partition(" ")
        if own != self._emit.key.public.fingerprint:
            return False
        if to == PUBLIC:
            return True
        forms = {"": True, HYBRID: self._bound(to), CONTENT: self._contacts.has_content(to)}
        return self._contacts.reads(to, fingerprint) and forms.get(form, False)

    def _sealed(
        self, part: bytes, to: str, ts: int, bound: bool
    ) -> tuple[MsgDirect | MsgPublicChannel, str]:
        """The payload and its msg_ref."""
        if to == PUBLIC:
            channel = self._room.sending_key()
            assert channel is not None
            return self._pen.post(part, channel.public, ts, bound=bound, late=self.mailbox)
        key = self._contacts.key(to)
        assert key is not None
        return self._pen.direct(part, to, key, ts, bound=bound, late=self.mailbox)

    def _bound(self, to: str) -> bool:
        return self._room.all_bound() if to == PUBLIC else self._contacts.has_hybrid(to)

    def _tell_first(self, to: str, *, bound: bool) -> None:
        """What the person should read before the line is gone."""
        if to == PUBLIC:
            self._room.before_post()
        elif not bound:
            self._warn_of_plain(to)

    def _warn_of_plain(self, user_id: str) -> None:
        self._emit.warn_once(
            f"plain {user_id}",
            f"{self._contacts.label(user_id)}'s client has not signed that it has {HYBRID}:"
            " messages to them go as plain v1.3 ones: encrypted, but without you bound as author",
        )
