"""Simulated time: what happens when, in one order for one seed."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Final

START_WALL_MS: Final = 1_760_000_000_000
STEPS_MAX: Final = 50_000_000
"""A run that does not come to an end is a bug of the scenario, or of what it tests."""


class Endless(Exception):
    """More than STEPS_MAX things happened in one run: something goes in circles."""


class Agenda:
    """For each millisecond what happens then, as it was asked for. `mono` ms from 0, `wall` Unix
    ms. What raises ends it: nothing happens any more."""

    def __init__(self) -> None:
        self.mono = 0
        self.steps = 0
        """How many things happened since the beginning."""
        self._skipped = 0
        self._due: dict[int, list[Callable[[], None]]] = {}
        self._times: list[int] = []  # a heap of those for which something is due

    @property
    def wall(self) -> int:
        """The true time, Unix ms."""
        return START_WALL_MS + self._skipped + self.mono

    def skip(self, ms: int) -> None:
        """Everybody's clock on the wall goes on by so much, and nothing happens meanwhile."""
        self._skipped += ms

    def after(self, ms: int, what: Callable[[], None]) -> None:
        """Have `what` done in `ms` from now."""
        at = self.mono + ms
        due = self._due.get(at)
        if due is None:
            self._due[at] = [what]
            heapq.heappush(self._times, at)
        else:
            due.append(what)

    def every(self, ms: int, what: Callable[[], None], while_: Callable[[], bool]) -> None:
        """Have `what` done each `ms`, for as long as `while_` says so."""

        def again() -> None:
            if while_():
                what()
                self.after(ms, again)

        self.after(ms, again)

    def run(self, ms: int) -> None:
        """Let `ms` pass."""
        end = self.mono + ms
        most = self.steps + STEPS_MAX
        while self._times and self._times[0] <= end:
            self.mono = heapq.heappop(self._times)
            for what in self._due[self.mono]:  # which grows by what is asked for at once
                self.steps += 1
                what()
                if self.steps > most:
                    raise Endless(f"more than {STEPS_MAX} steps in {ms} ms")
            del self._due[self.mono]
        self.mono = end
