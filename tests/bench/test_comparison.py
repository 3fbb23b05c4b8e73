"""Two reports beside each other."""

from __future__ import annotations

import pytest

from socp.bench.comparison import compared, lines
from socp.bench.figures import Goal
from tests.bench.reports import AT_LEAST, AT_MOST, figure, report


@pytest.mark.parametrize(
    ("goal", "before", "after", "word"),
    [
        (AT_LEAST, 0.5, 0.3, "WORSE"),
        (AT_LEAST, 0.3, 0.5, "better"),
        (AT_MOST, 1.0, 2.0, "WORSE"),
        (AT_MOST, 2.0, 1.0, "better"),
        (AT_LEAST, 0.50, 0.46, "the same"),
        (None, 1.0, 2.0, "changed"),
    ],
)
def test_what_went_away_from_its_goal_is_worse(
    goal: Goal | None, before: float, after: float, word: str
) -> None:
    (change,) = compared(report(figure("one", before, goal)), report(figure("one", after, goal)))
    assert change.word == word
    assert change.is_worse is (word == "WORSE")


def test_a_change_within_the_spread_of_the_pairs_is_none() -> None:
    old = report(figure("one", 0.5, low=0.3, high=0.6))
    new = report(figure("one", 0.35, low=0.33, high=0.5))
    (change,) = compared(old, new)
    assert change.word == "the same"


def test_only_what_is_in_both_is_compared_and_the_rest_named() -> None:
    old = report(figure("one", 0.5), figure("gone", 0.5))
    new = report(figure("fresh", 0.5), figure("one", 0.2))
    changes = compared(old, new)
    assert [each.new.key for each in changes] == ["one"]
    said = "\n".join(lines(old, new, changes))
    for word in ("-60%", "WORSE", "only in the old one: gone", "only in the new one: fresh"):
        assert word in said
