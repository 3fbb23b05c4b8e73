"""Figures and their goals: what is met, what a run fails for, and how it is told and kept."""

from __future__ import annotations

import re

import pytest

from socp.bench import figures, page, table
from socp.bench.figures import BadReport, Figure, Goal, Side
from socp.bench.pairs import Pair, Pairs
from socp.bench.sample import CLOCK, PROCESSOR, Named, Sample
from socp.bench.sample import figure as made
from tests.bench.reports import AT_LEAST, AT_MOST, IN_MS, figure, report


@pytest.mark.parametrize(
    ("goal", "value", "met", "far"),
    [
        (AT_LEAST, 0.40, True, False),
        (AT_LEAST, 0.39, False, False),
        (AT_LEAST, 0.19, False, True),
        (AT_MOST, 1.5, True, False),
        (AT_MOST, 1.6, False, False),
        (AT_MOST, 3.1, False, True),
        (IN_MS, 5.0, True, False),
        (IN_MS, 900.0, False, False),
    ],
)
def test_a_quick_run_fails_for_half_of_a_goal_and_never_for_absolute_time(
    goal: Goal, value: float, met: bool, far: bool
) -> None:
    one = figure("one", value, goal)
    assert one.verdict == ("met" if met else "MISSED")
    assert (one in report(one).missed) is not met
    assert (one in report(one, quick=True).missed) is far


def test_what_has_no_goal_fails_nobody() -> None:
    one = figure("one", 0.0, None)
    assert one.verdict == ""
    assert report(one).missed == ()


def test_a_report_is_read_as_it_was_written() -> None:
    one = report(figure("one", 0.5, low=0.4, high=0.6), figure("two", 2.0, AT_MOST), files="why")
    assert figures.read(figures.written(one)) == one


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 5_000, b'{"machine": 1}', b"\xff"])
def test_what_is_no_report_is_refused(data: bytes) -> None:
    with pytest.raises(BadReport, match="make one with --json"):
        figures.read(data)


def test_a_report_of_another_format_is_refused() -> None:
    data = figures.written(report()).replace(b'"format": 1', b'"format": 2')
    with pytest.raises(BadReport, match="measure again"):
        figures.read(data)


def test_the_table_has_goal_ratio_verdict_both_sides_and_the_machine() -> None:
    one = figure("one", 0.5, low=0.45, high=0.55, note="a note")
    said = "\n".join(table.lines(report(one, figure("two", 9.0, AT_MOST), files="no disk")))
    for word in ("a machine", "scale 1", "0.5", ">= 0.4", "met", "MISSED", "bare echo", "a note"):
        assert word in said
    assert "10 messages/s : 20 frames/s" in said
    assert "0.45 to 0.55, 5 pairs, 1 again" in said
    assert "ours 12.5 us, 10.0 of the processor" in said
    assert "files was not measured: no disk" in said
    assert said.endswith("1 of 2 goals met")


def test_a_quick_run_names_what_is_far_outside() -> None:
    said = table.summary(report(figure("one", 0.1), quick=True))
    assert said == "0 of 1 goals met; far outside: one"


def test_the_page_is_one_file_that_fetches_nothing_and_shows_what_was_said_as_text() -> None:
    evil = Figure("x", "<script>alert(1)</script>", 0.5, Side("<b>", "<i>"), goal=AT_LEAST)
    ok = figure("one", 2.0, AT_MOST, low=1.0, high=3.0, note="a <note>")
    made_page = "\n".join(page.lines(report(evil, ok, files="<why>")))
    assert "<svg" in made_page
    assert not re.search(r"<script|https?:|src=|@import|url\(|<i>|<why>", made_page)
    assert "&lt;script&gt;" in made_page
    assert made_page.count("<rect") == 2


def test_the_same_ratio_is_as_far_from_a_goal_of_either_kind() -> None:
    assert page.better(0.2, AT_LEAST) == page.better(3.0, AT_MOST) == pytest.approx(0.5)


def sampled(by: str, *, costs: bool = False, seen: bool = True) -> Figure:
    """Ours does 10 a second of the clock and 20 of the processor, the reference 40 and 40."""
    ours, reference = (
        Sample(10, 1.0, 0.5 if seen else None),
        Sample(40, 1.0, 1.0 if seen else None),
    )
    pairs = Pairs((Pair(reference, ours, reference, 0.0),), 0, restless=False)
    return made(Named("key", "what", "things", "bare", by, costs), pairs, AT_LEAST)


def test_rates_are_compared_by_what_decides_and_the_other_stands_beside_it() -> None:
    assert sampled(CLOCK).value == pytest.approx(0.25)
    assert sampled(PROCESSOR).value == pytest.approx(0.5)
    assert sampled(PROCESSOR).note == "by the clock 0.25"
    assert sampled(PROCESSOR).ours.text == "20 things/cpu s"
    assert sampled(PROCESSOR, costs=True).value == pytest.approx(2.0)


def test_a_server_that_cannot_be_looked_into_is_judged_by_the_clock() -> None:
    one = sampled(PROCESSOR, seen=False)
    assert one.value == pytest.approx(0.25)
    assert (one.by, one.ours.processor_us) == (CLOCK, None)
