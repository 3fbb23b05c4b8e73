"""The lines that are not over yet, as they are kept and as the person is told of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from socp.member.emitter import Emitter
from socp.member.handed import moved
from socp.member.history import History
from socp.member.records import LineState, OutboxLine
from socp.wire import content, limits
from socp.wire.content import Body

LINES_MAX: Final = 1_000
QUIET_MAX: Final = 1_000
"""Lines of our own client's that wait: they take no room from the person's."""
QUIET_EACH_MAX: Final = 100
"""Of those to one reader: nobody makes us owe them so many that others are told nothing."""
BYTES_MAX: Final = 8 * limits.MIB
OPEN: Final = (LineState.WAITING, LineState.SENT)


class Lines:
    """In the order in which they were said; each is known by its number and by its msg_refs."""

    def __init__(
        self, emitter: Emitter, history: History, remembered: Iterable[OutboxLine]
    ) -> None:
        self._emit = emitter
        self._history = history
        lines = sorted((ln for ln in remembered if ln.state in OPEN), key=lambda ln: ln.line_id)
        self._lines = {line.line_id: line for line in lines}
        self._next_id = max(self._lines, default=0) + 1
        self._bytes = sum(len(line.text.encode()) for line in lines if not line.quiet)
        self._quiet = Counter(line.to for line in lines if line.quiet)
        self._refs = {ref: line.line_id for line in lines for ref in line.msg_refs}

    def __iter__(self) -> Iterator[OutboxLine]:
        """As they stand now: they may change meanwhile."""
        return iter(tuple(self._lines.values()))

    def __contains__(self, msg_ref: str) -> bool:
        return msg_ref in self._refs

    def get(self, line_id: int) -> OutboxLine | None:
        """A line that is not over."""
        return self._lines.get(line_id)

    def is_sent(self, line_id: int) -> bool:
        """Whether an answer to it is waited for."""
        line = self.get(line_id)
        return line is not None and line.state is LineState.SENT

    def of(self, msg_ref: str) -> OutboxLine | None:
        """The line that waits for an answer to this frame."""
        return self._lines.get(self._refs.get(msg_ref, 0))

    def waiting(self, to: str, key: str) -> OutboxLine | None:
        """The line of that key that was never composed."""
        if not key:
            return None
        theirs = (ln for ln in self._lines.values() if (ln.to, ln.key) == (to, key))
        return next((line for line in theirs if line.place is None and not line.frames), None)

    def new_id(self) -> int:
        """The number of the next line."""
        self._next_id += 1
        return self._next_id - 1

    def made(self, to: str, body: Body, *, text: str, quiet: bool, key: str) -> OutboxLine:
        """A line that says this; `add` takes it among the others."""
        return OutboxLine(
            line_id=self.new_id(),
            to=to,
            text=text,
            state=LineState.WAITING,
            frames=(),
            msg_refs=(),
            composed_ms=0,
            kind=body.KIND,
            body=content.pack(body),
            quiet=quiet,
            key=key,
        )

    def full(self, line: OutboxLine) -> str | None:
        """Why there is no room for this one, or None."""
        if line.quiet:
            full = self._quiet.total() >= QUIET_MAX or self._quiet[line.to] >= QUIET_EACH_MAX
            return "too much waits" if full else None
        lines = len(self._lines) - self._quiet.total()
        if lines >= LINES_MAX or self._bytes + len(line.text.encode()) > BYTES_MAX:
            return (
                f"{lines} lines wait to be sent and there is no room for more;"
                " this one is not kept, say it again when some have gone"
            )
        return None

    def add(self, line: OutboxLine) -> None:
        """A new one."""
        self._count(line, 1)
        self.keep(line)

    def add_again(self, line: OutboxLine) -> bool:
        """One that was over, by another number; False where it is here, or there is no room."""
        assert line.place is not None
        theirs = (ln for ln in self._lines.values() if ln.to == line.to)
        if any(line.place.is_at(ln.place) for ln in theirs) or self.full(line) is not None:
            return False
        self.add(replace(line, line_id=self.new_id()))
        return True

    def keep(self, line: OutboxLine) -> None:
        """Its newest state."""
        self._lines[line.line_id] = line
        self._refs.update(dict.fromkeys(line.msg_refs, line.line_id))
        self._emit.persist(line)

    def wait(self, line: OutboxLine, reason: str) -> None:
        """Its newest state, and what it waits for; told where that is news."""
        line = replace(line, reason=reason)
        if line != self.get(line.line_id):
            self.keep(line)
            self.tell(line)

    def answered(self, msg_ref: str) -> OutboxLine | None:
        """The line of this frame, to which no other answer is waited for."""
        return self._lines.get(self._refs.pop(msg_ref, 0))

    def opened(self, line: OutboxLine) -> OutboxLine:
        """The line as one to compose anew."""
        return self._bare(line, LineState.WAITING)

    def end(self, line: OutboxLine, state: LineState, reason: str) -> None:
        """Told once and over, handed over or refused: the store keeps neither."""
        del self._lines[line.line_id]
        self._count(line, -1)
        self._emit.persist(self._bare(line, LineState.DONE))
        self.tell(replace(line, state=state, reason=reason))

    def _bare(self, line: OutboxLine, state: LineState) -> OutboxLine:
        """Without its frames, and no answer to them is its answer any more."""
        for ref in line.msg_refs:
            self._refs.pop(ref, None)
        return replace(line, state=state, frames=(), msg_refs=())

    def tell(self, line: OutboxLine) -> None:
        """What became of it, for the history and for the person."""
        refs = line.msg_refs
        if refs and line.place is not None and line.place.first not in ("", *refs):
            refs = (*refs, line.place.first)
        whole = line.place is not None
        self._history.moved(line.said, line.state, line.reason, refs, whole=whole)
        if not line.quiet:
            self._emit.tell(moved(line))

    def _count(self, line: OutboxLine, times: int) -> None:
        if line.quiet:
            self._quiet[line.to] += times
            if not self._quiet[line.to]:
                del self._quiet[line.to]
        else:
            self._bytes += times * len(line.text.encode())
