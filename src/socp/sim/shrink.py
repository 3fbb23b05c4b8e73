"""Makes a story that breaks a law shorter, as long as it breaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from socp.sim.laws import Broken, Law
from socp.sim.play import Outcome, Play
from socp.sim.story import Happening, Story

RUNS_MAX: Final = 300


@dataclass(slots=True)
class Shrinking:
    """Drops halves, then quarters, then smaller parts of what happens (delta debugging).

    A shorter story counts only where it breaks the same law, and where something failed, at the
    same place. `play` plays one.
    """

    outcome: Outcome
    play: Callable[[Story], Outcome] = lambda story: Play(story).run()
    runs_left: int = RUNS_MAX

    def shortest(self) -> Outcome:
        """The outcome of the shortest story found within `runs_left` runs."""
        assert self.outcome.broken is not None
        self._end_early()
        size = max(len(self._happenings) // 2, 1)
        while self.runs_left:
            dropped = self._drop(size)
            if size > 1:
                size = max(size // 2, 1)
            elif not dropped:
                break
        return self.outcome

    @property
    def _happenings(self) -> tuple[Happening, ...]:
        return self.outcome.story.happenings

    def _end_early(self) -> None:
        """What came after the law was broken had no part in it."""
        story = self.outcome.story
        first_ms = Play.starts_ms(story)
        past = tuple(each for each in story.happenings if each.at_ms + first_ms <= self.outcome.ms)
        self._try(past)

    def _drop(self, size: int) -> bool:
        """Each part of `size` once; whether any could go."""
        at, dropped = 0, False
        while at < len(self._happenings) and self.runs_left:
            less = self._happenings[:at] + self._happenings[at + size :]
            if self._try(less):
                dropped = True
            else:
                at += size
        return dropped

    def _try(self, happenings: tuple[Happening, ...]) -> bool:
        if len(happenings) == len(self._happenings) or not self.runs_left:
            return False
        self.runs_left -= 1
        outcome = self.play(msgspec.structs.replace(self.outcome.story, happenings=happenings))
        same = _what(outcome.broken) == _what(self.outcome.broken)
        if same:
            self.outcome = outcome
        return same


def _what(broken: Broken | None) -> tuple[Law, str] | None:
    return None if broken is None else (broken.law, broken.place)
