"""What came and the person has not seen yet: it outlives a kill (section 11, exactly once to the
reader)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from socp.member.effects import MessageArrived, MessageRefused, Trust
from socp.member.emitter import Emitter
from socp.member.events import Now, Shown
from socp.member.history import REFUSED, Heard, History
from socp.member.records import Arrived, ArrivedShown
from socp.wire import limits
from socp.wire.ids import PUBLIC

UNSEEN_MAX: Final = 10_000
UNSEEN_BYTES_MAX: Final = 64 * limits.MIB


@dataclass(frozen=True, slots=True)
class _Unseen:
    size: int  # bytes of text
    author: str
    talk: str
    msg_ref: str  # "" for refusals


class Arrivals:
    """Kept in the same commit as the message's `Seen`, told, and dropped once it was shown.

    What an earlier run left is told with the first effects of this one, in its order.
    """

    def __init__(self, emitter: Emitter, history: History, remembered: Iterable[Arrived]) -> None:
        self._emit = emitter
        self._history = history
        self._unseen: dict[int, _Unseen] = {}  # by number, the oldest first
        self._bytes = 0
        self._next = 1
        for arrived in sorted(remembered, key=lambda one: one.number):
            self._note(arrived)
            self._tell(arrived)

    @property
    def full(self) -> bool:
        """Nobody reads what is told: no more should be taken from a server that keeps it."""
        return len(self._unseen) >= UNSEEN_MAX or self._bytes >= UNSEEN_BYTES_MAX

    def message(self, heard: Heard, now: Now, *, late: bool = False) -> None:
        """Show this, once. `late`: others of its author that came before were said after it."""
        self._add(heard, self._history.heard(heard, now), late=late)

    def refusal(self, author: str, reason: str, ts: int, now: Now, *, public: bool) -> None:
        """Say why something is not shown. It costs the same commit as what is shown (threat M8).
        Where nobody reads, those that are too many are not kept: none pushes a message out."""
        if self.full:
            return
        heard = Heard(author, reason, ts, trust="", public=public, kind=REFUSED)
        self._add(heard, self._history.heard(heard, now))

    def shown(self, event: Shown) -> list[tuple[str, str]]:
        """The person has seen them: author and msg_ref of those that were said to them alone."""
        unseen = [one for number in event.numbers if (one := self._drop(number)) is not None]
        return [(one.author, one.msg_ref) for one in unseen if one.msg_ref and one.talk != PUBLIC]

    def taken_back(self, talk: str, author: str, msg_ref: str) -> None:
        """Its author took it back: it is not told at the next start, and has no words here."""
        wanted = (talk, author, msg_ref)
        for number, one in self._unseen.items():
            if (one.talk, one.author, one.msg_ref) == wanted:
                self._drop(number)
                return

    def _add(self, heard: Heard, said: int, *, late: bool = False) -> None:
        arrived = Arrived(
            number=self._next,
            msg_ref=heard.msg_ref,
            author=heard.author,
            text=heard.text,
            ts=heard.ts,
            trust=heard.trust,
            public=heard.public,
            refused=heard.kind == REFUSED,
            said=said,
            reply_to=heard.reply_to,
            late=late,
        )
        # Where the server keeps what we do not take, `full` was asked before it was taken.
        while self.full and not self._emit.terms.mailbox:
            self._drop(next(iter(self._unseen)))
        self._note(arrived)
        self._emit.persist(arrived)
        self._tell(arrived)

    def _note(self, arrived: Arrived) -> None:
        size = len(arrived.text.encode())
        talk = PUBLIC if arrived.public else arrived.author
        self._unseen[arrived.number] = _Unseen(size, arrived.author, talk, arrived.msg_ref)
        self._bytes += size
        self._next = arrived.number + 1

    def _drop(self, number: int) -> _Unseen | None:
        unseen = self._unseen.pop(number, None)
        if unseen is not None:
            self._bytes -= unseen.size
            self._emit.persist(ArrivedShown(number))
        return unseen

    def _tell(self, arrived: Arrived) -> None:
        if arrived.refused:
            notice = MessageRefused(arrived.author, arrived.text, arrived.ts, arrived.number)
            return self._emit.tell(notice)
        self._emit.tell(
            MessageArrived(
                author=arrived.author,
                text=arrived.text,
                ts=arrived.ts,
                trust=Trust(arrived.trust),
                public=arrived.public,
                msg_ref=arrived.msg_ref,
                number=arrived.number,
                said=arrived.said,
                reply_to=arrived.reply_to,
                late=arrived.late,
            )
        )
