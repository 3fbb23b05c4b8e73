"""How fast a run goes is told apart from the arrival of all."""

from __future__ import annotations

from itertools import count

import pytest

from socp.sim.play import Play
from socp.sim.schedule import drawn
from socp.sim.speed import Pace, Speed

SECONDS = 6


def test_the_pace_at_work_is_that_of_the_minutes_of_the_story() -> None:
    play = Play(drawn(1, 1, 2, SECONDS / 60, faults=False, every_s=2))
    looks = count()
    speed = Speed(play, lambda: next(looks) / 1000)  # a millisecond each time somebody looks
    assert speed.at_work() == Pace(0, 0)
    outcome = play.run()
    assert outcome.broken is None
    at_work = speed.at_work()
    assert at_work.faster == pytest.approx(1000)  # it looks once a second
    assert at_work.ms_each_said == pytest.approx(SECONDS / outcome.said)
    seconds = outcome.ms / 1000
    assert speed.whole().faster == pytest.approx(seconds / (next(looks) - 1) * 1000)
