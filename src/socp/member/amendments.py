"""What was said is changed, taken back, reacted to: by us and by others (section 11).

Edits and deletions count only from the author. The history sees to that for ever, in whatever order
they come; here it is what the person is told at once.
"""

from __future__ import annotations

from typing import Final

from socp.member.effects import Amended
from socp.member.emitter import Emitter
from socp.member.events import Amend, Change, Now
from socp.member.history import History
from socp.member.origin import Origin
from socp.member.outbox import Outbox
from socp.member.seen import Seen
from socp.wire.content import Delete, Edit, Reaction

EARLY_MAX: Final = 1_000
_Amending = Edit | Delete | Reaction


class Amendments:
    """`early`: those that came before what they are about."""

    def __init__(self, emitter: Emitter, history: History, seen: Seen, outbox: Outbox) -> None:
        self._emit = emitter
        self._history = history
        self._seen = seen
        self._outbox = outbox
        self._early: dict[tuple[str, str, Change], Amended] = {}  # the oldest first

    def say(self, event: Amend, now: Now) -> None:
        """The person's own."""
        text = event.body.encode(errors="replace").decode()
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

    def heard(self, origin: Origin, body: _Amending) -> None:
        """Somebody else's."""
        self._amended(origin.talk, origin.author, body, origin.ts, origin.msg_ref)

    def arrived(self, origin: Origin) -> None:
        """A message was shown: what its author changed before it came is told now."""
        for kind in ("edit", "delete"):
            early = self._early.pop((origin.author, origin.msg_ref, kind), None)
            if early is not None and early.talk == origin.talk:
                self._emit.tell(early)

    def _amended(self, talk: str, author: str, body: _Amending, ts: int, msg_ref: str) -> None:
        kind, words = _told(body)
        number = self._history.amended(talk, body.of, author, kind, words, ts, msg_ref)
        notice = Amended(talk, body.of, author, kind, words, ts, number)
        own = author == self._emit.user_id
        if own or kind == "reaction" or self._seen.wrote(author, body.of):
            return self._emit.tell(notice)
        if len(self._early) >= EARLY_MAX:
            del self._early[next(iter(self._early))]
        key = (author, body.of, kind)
        early = self._early.get(key)
        if early is None or early.ts < ts:
            self._early[key] = notice


def _told(body: _Amending) -> tuple[Change, str]:
    match body:
        case Edit():
            return "edit", body.body
        case Delete():
            return "delete", ""
        case Reaction():
            return "reaction", body.emoji
