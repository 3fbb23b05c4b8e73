"""Lines that a server keeps for their readers: what becomes of them is told when it is known
(sections 9 and 11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from socp.member.effects import LineMoved
from socp.member.emitter import Emitter
from socp.member.history import History
from socp.member.records import LineState, OutboxLine
from socp.wire import limits
from socp.wire.content import Text
from socp.wire.text import printable

REFS_MAX: Final = 1_000
BYTES_MAX: Final = 8 * limits.MIB
DELIVERED_STATUS: Final = "delivered"  # of an ACK, as the other two (section 9)
QUEUED_STATUS: Final = "queued"
REFUSED_STATUS: Final = "refused"
DETAIL_COLUMNS: Final = 200
_ORDER: Final = (LineState.DONE, LineState.DELIVERED, LineState.READ)


@dataclass(slots=True)
class _Kept:
    line: OutboxLine
    refs: tuple[str, ...]
    open: set[str]  # those of them that nobody has acknowledged
    state: LineState = LineState.DONE

    @property
    def again(self) -> bool:
        """Its reader missed it: it was sent once more, and the history knows which line it is."""
        return self.line.quiet and self.line.kind == Text.KIND


class Handed:
    """The latest ones, in memory alone: the outbox is done with them, and a server has them."""

    def __init__(self, emitter: Emitter, history: History) -> None:
        self._emit = emitter
        self._history = history
        self._by_ref: dict[str, _Kept] = {}  # the oldest first
        self._bytes = 0

    def __contains__(self, msg_ref: str) -> bool:
        return msg_ref in self._by_ref

    def kept(self, line: OutboxLine, refs: Iterable[str]) -> None:
        """All of a line is committed at a server under these msg_refs."""
        fresh = tuple(ref for ref in refs if ref not in self._by_ref)
        if not fresh:
            return  # the same bytes went out once more
        names = tuple(ref for ref in _names(line, fresh) if ref not in self._by_ref)
        kept = _Kept(line, names, set(fresh))
        self._by_ref.update(dict.fromkeys(kept.refs, kept))
        self._bytes += len(line.text.encode())
        while len(self._by_ref) > REFS_MAX or self._bytes > BYTES_MAX:
            self._forget(next(iter(self._by_ref.values())))

    def acked(self, msg_ref: str, status: str) -> None:
        """One frame of it: is all of it with its reader? Of an earlier run's the history knows."""
        if status != DELIVERED_STATUS:
            return None
        kept = self._by_ref.get(msg_ref)
        if kept is None or kept.again:
            first = kept.line.place.first if kept is not None and kept.line.place else ""
            return self._history.reached(first or msg_ref, LineState.DELIVERED)
        kept.open.discard(msg_ref)
        if not kept.open:
            self._moves(kept, LineState.DELIVERED)

    def receipt(self, reader: str, msg_ref: str, state: LineState) -> None:
        """Its reader's own client says so; nobody else's word counts."""
        kept = self._by_ref.get(msg_ref)
        if kept is None or kept.again:
            self._history.reached(msg_ref, state, by=reader)
        elif kept.line.to == reader:
            self._moves(kept, state)

    def failed(self, msg_ref: str, code: str, detail: str) -> None:
        """A server that kept it could not hand it on after all."""
        kept = self._by_ref.get(msg_ref)
        if kept is not None:
            self._forget(kept)
            self._tell(kept, LineState.REFUSED, refusal_text(code, detail))

    def _moves(self, kept: _Kept, state: LineState) -> None:
        """On, never back: what was read was delivered."""
        if _ORDER.index(state) <= _ORDER.index(kept.state):
            return
        kept.state = state
        if state is LineState.READ or kept.line.place is None:
            self._forget(kept)
        self._tell(kept, state, "")

    def _tell(self, kept: _Kept, state: LineState, reason: str) -> None:
        line = kept.line
        self._history.moved(line.said, state, reason)
        if not line.quiet:
            self._emit.tell(moved(replace(line, state=state, reason=reason)))

    def _forget(self, kept: _Kept) -> None:
        for ref in kept.refs:
            self._by_ref.pop(ref, None)
        self._bytes -= len(kept.line.text.encode())


def _names(line: OutboxLine, refs: tuple[str, ...]) -> tuple[str, ...]:
    """These msg_refs, and the one by which the reader calls it."""
    first = "" if line.place is None else line.place.first
    return tuple(dict.fromkeys((*refs, first))) if first else refs


def moved(line: OutboxLine) -> LineMoved:
    """What the person is told of a line."""
    return LineMoved(
        line_id=line.line_id,
        to=line.to,
        text=line.text,
        state=line.state,
        reason=line.reason,
        said=line.said,
        kind=line.kind,
        msg_ref="" if line.place is None else line.place.first,
    )


def refusal_text(code: str, detail: str) -> str:
    """An ERROR for the person."""
    return f"{printable(code, width=40)}: {printable(detail, width=DETAIL_COLUMNS)}"
