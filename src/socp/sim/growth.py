"""What a mesh costs as it grows: one run without faults but one partition into two halves, measured
in parts."""

from __future__ import annotations

from typing import Final

import msgspec

from socp.sim.play import Play
from socp.sim.schedule import MINUTE_MS, drawn
from socp.sim.story import Happening, Kind, Story

USERS_EACH: Final = 50
PARTED_MS: Final = 60_000


class Grown(msgspec.Struct, frozen=True, kw_only=True):
    """One size. Traffic is what servers sent, in simulated time; a frame to ten links is ten."""

    servers: int
    users: int
    minutes: float
    joins_frames: float  # of all servers, for each user who came
    joins_bytes: float
    calm_frames_s: float  # of one server, all being well
    calm_bytes_s: float
    healing_bytes: float  # of one server, from the end of the partition until all agree
    converged_s: float  # from the end of the partition until every server knows where everybody is
    said: int  # direct messages and posts
    law: str = ""  # the one that was broken


class Growth:
    """One run; `measure` gives what it showed."""

    def __init__(
        self, seed: int, servers: int, minutes: float, *, users_each: int = USERS_EACH
    ) -> None:
        """A partition begins after two fifths of the `minutes`, and lasts one."""
        self._story = _story(seed, servers, servers * users_each, minutes)
        self._play = Play(self._story, digested=False)
        self._play.each_second = self._note
        self._notes: list[tuple[int, int, int]] = []  # monotonic ms, frames and bytes so far

    def measure(self) -> Grown:
        """Run it."""
        outcome = self._play.run()
        story, parted_ms = self._story, self._parted_ms()
        linked, here = self._notes[0], self._notes[1]
        calm_from, calm_to = self._at(here[0] + MINUTE_MS // 2), self._at(parted_ms)
        healed = self._at(parted_ms + PARTED_MS)
        took_ms = max(outcome.converged_ms, default=0)
        agreed = self._at(healed[0] + took_ms)
        calm_s = (calm_to[0] - calm_from[0]) / 1000
        return Grown(
            servers=story.servers,
            users=story.users,
            minutes=story.minutes,
            joins_frames=(here[1] - linked[1]) / story.users,
            joins_bytes=(here[2] - linked[2]) / story.users,
            calm_frames_s=(calm_to[1] - calm_from[1]) / calm_s / story.servers,
            calm_bytes_s=(calm_to[2] - calm_from[2]) / calm_s / story.servers,
            healing_bytes=(agreed[2] - healed[2]) / story.servers,
            converged_s=took_ms / 1000,
            said=outcome.said,
            law="" if outcome.broken is None else str(outcome.broken),
        )

    def _note(self) -> None:
        sent = self._play.sent
        self._notes.append((self._play.agenda.mono, sent.frames, sent.bytes))

    def _parted_ms(self) -> int:
        part = next(each for each in self._story.happenings if each.kind is Kind.PART)
        return Play.starts_ms(self._story) + part.at_ms

    def _at(self, mono: int) -> tuple[int, int, int]:
        """The first note from then on, or the last one."""
        later = (note for note in self._notes if note[0] >= mono)
        return next(later, self._notes[-1])


def _story(seed: int, servers: int, users: int, minutes: float) -> Story:
    quiet = drawn(seed, servers, users, minutes, faults=False)
    at_ms = int(minutes * MINUTE_MS * 2 / 5)
    part = Happening(at_ms, Kind.PART, 0, for_ms=PARTED_MS, much=seed)
    happenings = sorted((*quiet.happenings, part), key=lambda each: each.at_ms)
    return Story(seed, servers, users, minutes, tuple(happenings))
