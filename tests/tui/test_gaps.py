"""Where what did not come would stand, of one author and of several (threat M12)."""

from __future__ import annotations

import pytest

from socp.member.effects import GapClosed, GapFound
from socp.member.history_line import HistoryLine
from socp.tui.gaps import GAPS_MAX, OF_ONE_MAX, Gaps
from socp.wire.ids import PUBLIC

pytestmark = pytest.mark.threat("M12")


def gap(after: int, before: int, author: str = "bob") -> GapFound:
    return GapFound(PUBLIC, author, 1, after, before, asked=True)


def shown(gaps: Gaps, *lines: HistoryLine, since_ts: int = 0) -> list[str]:
    """The times of the lines, and before which of them a gap stands."""
    places = gaps.places(PUBLIC, since_ts)
    return [f"{'gap ' if places.before(each) else ''}{each.ts}" for each in lines]


def said(*times: int, author: str = "bob") -> list[HistoryLine]:
    return [
        HistoryLine(at, PUBLIC, author, "x", ts, ts, "pinned", f"{at}", "text", "", "", "", "")
        for at, ts in enumerate(times, 1)
    ]


def test_each_gap_of_one_author_stands_before_the_line_that_ended_it() -> None:
    gaps = Gaps()
    gaps.heard(gap(30, 50))
    gaps.heard(gap(10, 30))  # however they are told
    assert shown(gaps, *said(10, 30, 50, 60)) == ["10", "gap 30", "gap 50", "60"]


def test_each_author_has_their_own() -> None:
    gaps = Gaps()
    gaps.heard(gap(10, 30))
    gaps.heard(gap(10, 30, "carol"))
    lines = [*said(10, 30), *said(20, 40, author="carol")]
    assert shown(gaps, *lines) == ["10", "gap 30", "20", "gap 40"]


def test_lines_of_the_very_same_time_are_told_apart_by_their_order() -> None:
    gaps = Gaps()
    gaps.heard(gap(10, 10))
    assert shown(gaps, *said(10, 10)) == ["10", "gap 10"]


def test_what_is_left_of_one_takes_its_place_and_a_closed_one_is_gone() -> None:
    gaps = Gaps()
    gaps.heard(gap(10, 50))
    gaps.heard(gap(10, 20))
    gaps.heard(gap(20, 50))
    assert shown(gaps, *said(10, 20, 50)) == ["10", "gap 20", "gap 50"]
    gaps.heard(GapClosed(PUBLIC, "bob"))
    assert shown(gaps, *said(10, 20, 50)) == ["10", "20", "50"]


def test_one_that_lies_above_what_is_loaded_is_not_shown_at_its_top() -> None:
    gaps = Gaps()
    gaps.heard(gap(10, 20))
    assert shown(gaps, *said(70, 80), since_ts=70) == ["70", "80"]
    assert shown(gaps, *said(70, 80)) == ["gap 70", "80"]


def test_there_is_a_bound_to_each_author_and_to_all() -> None:
    gaps = Gaps()
    last = OF_ONE_MAX * 10
    for before in range(0, last + 1, 10):
        gaps.heard(gap(before, before + 5))
    assert shown(gaps, *said(0, 5, 15)) == ["0", "5", "gap 15"]
    assert shown(gaps, *said(last, last + 5))[-1] == f"gap {last + 5}"
    for number in range(GAPS_MAX):
        gaps.heard(gap(0, 5, f"user {number}"))
    assert shown(gaps, *said(last, last + 5)) == [f"{last}", f"{last + 5}"]
