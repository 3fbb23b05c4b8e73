"""A disk that takes its time: what is to be kept is kept a moment later, and what was said of it
waits for that (S8). A process that dies meanwhile loses both."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from socp.node.effects import Effect, Persist
from socp.node.records import Record
from socp.sim.agenda import Agenda


@dataclass(slots=True, eq=False)
class Batch:
    """What one event asked for, done at `due_ms` (monotonic) at the earliest."""

    due_ms: int
    effects: list[Effect]
    doubtful: bool = False  # the brain took for kept what was not, when it said this

    @property
    def records(self) -> tuple[Record, ...]:
        """What of it is to be kept."""
        return tuple(each.record for each in self.effects if isinstance(each, Persist))


class Commits:
    """Batches in their order, of one life of a process. `takes_ms`: how long a commit takes."""

    def __init__(self, agenda: Agenda, takes_ms: int, done: Callable[[Batch], None]) -> None:
        self._agenda = agenda
        self._done = done
        self._waiting: deque[Batch] = deque()
        self.takes_ms = takes_ms

    def add(self, effects: list[Effect]) -> None:
        """Have this done once it is kept; what needs no keeping waits only for what came before."""
        writes = self.takes_ms and any(isinstance(each, Persist) for each in effects)
        batch = Batch(self._agenda.mono + (self.takes_ms if writes else 0), effects)
        if not writes and not self._waiting:
            return self._done(batch)
        self._waiting.append(batch)
        if writes:
            self._agenda.after(self.takes_ms, self._advance)

    def doubt(self) -> None:
        """What waits was said by a brain that took for kept what was not."""
        for batch in self._waiting:
            batch.doubtful = True

    def clear(self) -> None:
        """The process died."""
        self._waiting.clear()

    def _advance(self) -> None:
        while self._waiting and self._waiting[0].due_ms <= self._agenda.mono:
            self._done(self._waiting.popleft())
