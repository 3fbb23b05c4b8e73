"""How fast a run goes, in processor time: apart from the arrival of all, and while they talk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from socp.sim.play import Play


@dataclass(frozen=True, slots=True)
class Note:
    """How far a run was. `said`: messages and posts so far."""

    ms: int  # simulated
    used_s: float  # processor time
    said: int


@dataclass(frozen=True, slots=True)
class Pace:
    """Of one part of a run. `faster` than the clock; 0 where that part was not reached."""

    faster: float
    ms_each_said: float  # processor time


class Speed:
    """Looks on while a story is played. `clock`: the processor time used so far, in seconds."""

    def __init__(self, play: Play, clock: Callable[[], float]) -> None:
        self._play = play
        self._clock = clock
        self._notes: list[Note] = []
        self._began_s = clock()
        play.each_second = self._note

    def whole(self) -> Pace:
        """From the start of the servers until now."""
        return _pace(Note(0, self._began_s, 0), self._now())

    def at_work(self) -> Pace:
        """From when all users are here to the end of the story's minutes."""
        if len(self._notes) < 3:
            return Pace(0, 0)
        here = self._notes[1]
        end_ms = here.ms + int(self._play.story.minutes * 60_000)
        return _pace(here, [note for note in self._notes if note.ms <= end_ms][-1])

    def _note(self) -> None:
        self._notes.append(self._now())

    def _now(self) -> Note:
        return Note(self._play.agenda.mono, self._clock(), len(self._play.laws.said))


def _pace(start: Note, end: Note) -> Pace:
    used_s = max(end.used_s - start.used_s, 1e-6)
    said = end.said - start.said
    return Pace((end.ms - start.ms) / 1000 / used_s, used_s * 1000 / said if said else 0)
