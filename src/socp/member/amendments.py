"""What was said is changed, taken back, reacted to: by us and by others (section 11).

Edits and deletions count only from the author. The history sees to that for ever, in whatever order
they come; here it is what the person is told at once, unless it is known to be another's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from socp.member import latest
from socp.member.arrivals import Arrivals
from socp.member.effects import Amended
from socp.member.emitter import Emitter
from socp.member.events import Amend, Change, Now
from socp.member.history import History
from socp.member.history_line import newer
from socp.member.origin import Origin
from socp.member.outbox import Outbox
from socp.member.records import Amendment
from socp.member.seen import Seen
from socp.member.sent import Sent
from socp.wire import limits
from socp.wire.content import Delete, Edit, Place, Reaction
from socp.wire.text import encodable

EARLY_MAX: Final = 1_000
EARLY_BYTES_MAX: Final = limits.MIB  # of words
TOLD_MAX: Final = 1_000
_Key = tuple[str, str, str]  # author, msg_ref of what it is about, kind
_Amending = Edit | Delete | Reaction


class Amendments:
    """`early`: those that came before what they are about; `told`: the newest that the person knows
    of, for an older one may come later."""

    def __init__(
        self,
        emitter: Emitter,
        history: History,
        arrivals: Arrivals,
        seen: Seen,
        outbox: Outbox,
        sent: Sent,
    ) -> None:
        self._emit = emitter
        self._history = history
        self._arrivals = arrivals
        self._seen = seen
        self._outbox = outbox
        self._sent = sent
        self._early: dict[_Key, Amendment] = {}  # the oldest first, as in `told`
        self._early_bytes = 0
        self._told: dict[_Key, Amendment] = {}  # without their words

    def say(self, event: Amend, now: Now) -> None:
        """The person's own."""
        text = encodable(event.body)
        body: _Amending
        match event.kind:
            case "edit":
                body = Edit(of=event.of, body=text)
            case "delete":
                body = Delete(of=event.of)
            case "reaction":
                body = Reaction(of=event.of, emoji=text)
        if self._outbox.post(event.to, body, now, text=text):
            self._amended(event.to, self._emit.user_id, body, now.wall, "")
            if isinstance(body, Delete):
                self._sent.take_back(event.to, body.of)

    def heard(self, origin: Origin, body: _Amending, place: Place) -> None:
        """Somebody else's."""
        said = (origin.ts, origin.msg_ref, place, origin.trust)
        self._amended(origin.talk, origin.author, body, *said)

    def arrived(self, origin: Origin) -> None:
        """A message was shown: what its author changed before it came is told now."""
        for kind in ("edit", "delete"):
            early = self._no_longer_early((origin.author, origin.msg_ref, kind))
            if early is not None and early.talk == origin.talk:
                self._tell(early)

    def _amended(
        self,
        talk: str,
        author: str,
        body: _Amending,
        ts: int,
        msg_ref: str,
        place: Place | None = None,
        trust: str = "",
    ) -> None:
        kind, words = _told(body)
        row = self._history.amended(talk, body.of, author, kind, words, ts, msg_ref, place, trust)
        own = author == self._emit.user_id
        if kind == "reaction" or self._seen.wrote(author, body.of):
            return self._tell(row)
        if own:
            return None if body.of in self._seen else self._tell(row)
        known = self._early.get(_key(row))
        if known is None or newer(row, known):
            self._keep_early(row)

    def _tell(self, row: Amendment) -> None:
        """Unless the person knows of a newer one."""
        known = self._told.get(_key(row))
        if known is not None and not newer(row, known):
            return
        latest.keep(self._told, _key(row), replace(row, body=""), TOLD_MAX)
        if row.kind == "delete":
            self._arrivals.taken_back(row.talk, row.author, row.of)
        self._emit.tell(
            Amended(row.talk, row.of, row.author, row.kind, row.body, row.ts, row.number, row.trust)
        )

    def _keep_early(self, row: Amendment) -> None:
        self._no_longer_early(_key(row))
        self._early[_key(row)] = row
        self._early_bytes += len(row.body.encode())
        while len(self._early) > EARLY_MAX or self._early_bytes > EARLY_BYTES_MAX:
            self._no_longer_early(next(iter(self._early)))

    def _no_longer_early(self, key: _Key) -> Amendment | None:
        row = self._early.pop(key, None)
        if row is not None:
            self._early_bytes -= len(row.body.encode())
        return row


def _key(row: Amendment) -> _Key:
    return row.author, row.of, row.kind


def _told(body: _Amending) -> tuple[Change, str]:
    match body:
        case Edit():
            return "edit", body.body
        case Delete():
            return "delete", ""
        case Reaction():
            return "reaction", body.emoji
