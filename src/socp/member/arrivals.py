"""What came and the person has not seen yet: it outlives a kill (section 11, exactly once to the
reader)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from socp.member.effects import MessageArrived, MessageRefused, Trust
from socp.member.emitter import Emitter
from socp.member.events import Now, Shown
from socp.member.history import REFUSED, Heard, History
from socp.member.history_line import DELETE, EDIT
from socp.member.records import Amendment, Arrived, ArrivedShown
from socp.member.sureness import less_sure
from socp.wire import limits
from socp.wire.ids import PUBLIC

UNSEEN_MAX: Final = 10_000
UNSEEN_BYTES_MAX: Final = 64 * limits.MIB


class Arrivals:
    """Kept in the same commit as the message's `Seen`, told, and dropped once it was shown.

    What an earlier run left is told with the first effects of this one, in its order.
    """

    def __init__(self, emitter: Emitter, history: History, remembered: Iterable[Arrived]) -> None:
        self._emit = emitter
        self._history = history
        self._unseen: dict[int, Arrived] = {}  # by number, the oldest first
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
        return [(one.author, one.msg_ref) for one in unseen if one.msg_ref and not one.public]

    def amended(self, change: Amendment) -> None:
        """Its author changed it or took it back: the next start tells it so, or not at all."""
        if change.kind not in (EDIT, DELETE):
            return
        for number, one in self._unseen.items():
            talk = PUBLIC if one.public else one.author
            if (talk, one.author, one.msg_ref) == (change.talk, change.author, change.of):
                if change.kind == DELETE:
                    self._drop(number)
                else:
                    self._reword(one, change)
                return

    def _reword(self, arrived: Arrived, change: Amendment) -> None:
        self._bytes -= _size(arrived)
        trust = less_sure(arrived.trust, change.trust)
        fresh = replace(arrived, text=change.body, trust=trust)
        self._note(fresh)
        self._emit.persist(fresh)

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
        self._unseen[arrived.number] = arrived
        self._bytes += _size(arrived)
        self._next = max(self._next, arrived.number + 1)

    def _drop(self, number: int) -> Arrived | None:
        unseen = self._unseen.pop(number, None)
        if unseen is not None:
            self._bytes -= _size(unseen)
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


def _size(arrived: Arrived) -> int:
    """Bytes of text."""
    return len(arrived.text.encode())
