"""A simulator is worth something only if it sees faults: each of `wrongs` breaks a law."""

from __future__ import annotations

from pathlib import Path

import pytest

from socp.sim import story
from socp.sim.laws import Law
from socp.sim.play import Play
from socp.sim.schedule import drawn
from tests.sim.wrongs import (
    CAUGHT,
    Wrong,
    a_client_shows_late_words_as_new,
    answers_from_memory_while_a_commit_fails,
)

HERE = Path(__file__).parent
STORIES = HERE / "stories"
PAGE = (HERE.parent.parent / "docs" / "simulator.md").read_text(encoding="utf-8")


SEEDS = 30
"""So many more are tried: whatever is mended anywhere makes another story of a seed."""


def breaks(seed: int, law: Law) -> bool:
    """Whether this law is broken in the story of this seed, which holds where nothing is wrong."""
    broken = Play(drawn(seed, 5, 20, 2)).run().broken
    return broken is not None and broken.law is law


@pytest.mark.parametrize("wrong", CAUGHT, ids=lambda wrong: wrong.__name__)
def test_a_wrong_change_is_seen(wrong: Wrong, monkeypatch: pytest.MonkeyPatch) -> None:
    seed, law = CAUGHT[wrong]
    wrong(monkeypatch)
    assert any(breaks(each, law) for each in (seed, *range(SEEDS)))


def test_the_page_says_how_many_seeds_each_took() -> None:
    for wrong, (seed, law) in CAUGHT.items():
        name = wrong.__name__.replace("_", " ")
        assert f"| {name} | {seed + 1} | {law} |" in PAGE


@pytest.mark.parametrize(
    ("wrong", "name", "laws"),
    [
        (
            answers_from_memory_while_a_commit_fails,
            "acknowledged-twice-and-kept-by-nobody",
            (Law.KEPT, Law.DELIVERED),  # by who it is that gets nothing
        ),
        (a_client_shows_late_words_as_new, "a-post-before-an-older-one", (Law.ORDER,)),
    ],
)
def test_a_rare_one_is_seen_in_the_story_that_showed_it_first(
    wrong: Wrong, name: str, laws: tuple[Law, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong(monkeypatch)
    broken = Play(story.read((STORIES / f"{name}.json").read_bytes())).run().broken
    assert broken is not None
    assert broken.law in laws
