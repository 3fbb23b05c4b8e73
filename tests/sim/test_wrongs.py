"""A simulator is worth something only if it sees faults: each of `wrongs` breaks a law."""

from __future__ import annotations

from pathlib import Path

import pytest

from socp.sim import play, story
from socp.sim.play import Play
from socp.sim.schedule import drawn
from tests.sim.wrongs import (
    CAUGHT,
    Wrong,
    a_client_shows_late_words_as_new,
    answers_from_memory_while_a_commit_fails,
)

STORIES = Path(__file__).parent / "stories"
ENOUGH_S = 120
"""Without a fault these seeds and stories are through in half of that."""


def breaks(told: story.Story) -> bool:
    return Play(told).run().broken is not None


@pytest.mark.parametrize(("wrong", "seed"), CAUGHT, ids=[wrong.__name__ for wrong, _ in CAUGHT])
def test_a_wrong_change_is_seen(wrong: Wrong, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play, "DELIVERED_S", ENOUGH_S)
    wrong(monkeypatch)
    assert breaks(drawn(seed, 5, 20, 2))


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (answers_from_memory_while_a_commit_fails, "acknowledged-twice-and-kept-by-nobody"),
        (a_client_shows_late_words_as_new, "a-post-before-an-older-one"),
    ],
)
def test_a_rare_one_is_seen_in_the_story_that_showed_it_first(
    wrong: Wrong, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(play, "DELIVERED_S", ENOUGH_S)
    wrong(monkeypatch)
    assert breaks(story.read((STORIES / f"{name}.json").read_bytes()))
