"""Processes that stand still, or are slow: what comes to them waits, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from socp.sim.agenda import Agenda

Work = Callable[[], None]


@dataclass(slots=True)
class Pause:
    """What waits for one process. `pace_ms` 0: it stands still, else it takes one thing in that."""

    pace_ms: int
    waiting: deque[Work] = field(default_factory=deque)


class Pauses:
    """Who stands still or is slow. Everything that reaches a process from outside goes by here."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._pauses: dict[object, Pause] = {}

    @property
    def none(self) -> bool:
        """Whether all are as quick as any."""
        return not self._pauses

    def freeze(self, who: object) -> None:
        """As by SIGSTOP: sockets stay open, clocks go on."""
        self._begin(who, 0)

    def slow(self, who: object, pace_ms: int) -> None:
        """It takes one thing in `pace_ms`."""
        pause = self._begin(who, pace_ms)
        self._agenda.every(pace_ms, lambda: self._one(pause), lambda: self.pause_of(who) is pause)

    def end(self, who: object) -> None:
        """It takes all that came meanwhile."""
        pause = self._pauses.pop(who, None)
        while pause is not None and pause.waiting:
            pause.waiting.popleft()()

    def drop(self, who: object) -> None:
        """The process is gone, and what it had not read."""
        self._pauses.pop(who, None)

    def pause_of(self, who: object) -> Pause | None:
        """None where it is as quick as any."""
        return self._pauses.get(who)

    def stands_still(self, who: object) -> bool:
        """Whether it does nothing of its own accord either."""
        pause = self._pauses.get(who)
        return pause is not None and not pause.pace_ms

    def reach(self, who: object, work: Work) -> None:
        """Have a process do what came to it: now, or in its turn."""
        pause = self._pauses.get(who)
        if pause is None:
            work()
        else:
            pause.waiting.append(work)

    def _begin(self, who: object, pace_ms: int) -> Pause:
        self.end(who)
        self._pauses[who] = pause = Pause(pace_ms)
        return pause

    @staticmethod
    def _one(pause: Pause) -> None:
        if pause.waiting:
            pause.waiting.popleft()()
