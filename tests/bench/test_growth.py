"""The order in which a cost grows."""

from __future__ import annotations

import pytest

from socp.bench.growth import Growth, order, slope


@pytest.mark.parametrize(
    ("costs", "word"),
    [
        ({100: 7.0, 1_000: 7.0, 10_000: 7.5}, "flat"),
        ({100: 1.0, 1_000: 10.0, 10_000: 100.0}, "n"),
        ({100: 1.0, 1_000: 100.0, 10_000: 10_000.0}, "n^2"),
        ({100: 5.0, 1_000: 16.0, 10_000: 50.0}, "between flat and n"),
        ({100: 5.0}, "flat"),
    ],
)
def test_the_order_is_that_of_the_line_through_the_logarithms(
    costs: dict[int, float], word: str
) -> None:
    assert order(slope(costs)) == word


def test_of_several_measurements_at_one_number_the_middle_one_counts() -> None:
    growth = Growth("a hello", "us")
    for cost in (9.0, 1.0, 2.0):
        growth.add(100, cost)
    growth.add(1_000, 20.0)
    assert growth.costs == {100: 2.0, 1_000: 20.0}
    figure = growth.figure("hello-growth")
    assert figure.goal is None
    assert figure.note == "2 us at 100, 20 us at 1,000"
