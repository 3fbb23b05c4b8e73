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
    records: tuple[Record, ...]  # what of it is to be kept
    effects: list[Effect]  # what is to be done after that
    doubtful: bool = False  # the brain took for kept what was not, when it said this


class Commits:
    """Batches in their order, of one life of a process. `takes_ms`: how long a commit takes."""

    def __init__(self, agenda: Agenda, takes_ms: int, done: Callable[[Batch], None]) -> None:
        self._agenda = agenda
        self._done = done
        self._waiting: deque[Batch] = deque()
        self.takes_ms = takes_ms

    def add(self, effects: list[Effect]) -> None:
        """Have this done once it is kept; what needs no keeping waits only for what came before."""
        if not effects and not self._waiting:
            return None
        records: list[Record] = []
        rest: list[Effect] = []
        for each in effects:
            if isinstance(each, Persist):
                records.append(each.record)
            else:
                rest.append(each)
        takes_ms = self.takes_ms if records else 0
        batch = Batch(self._agenda.mono + takes_ms, tuple(records), rest)
        if not takes_ms and not self._waiting:
            return self._done(batch)
        self._waiting.append(batch)
        if takes_ms:
            self._agenda.after(takes_ms, self._advance)
        return None

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
