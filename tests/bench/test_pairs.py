"""Ours beside a reference, with invented timings: which pairs count, and what comes of them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from socp.bench.pairs import Measure, Pair, Pairs, Spread, chosen, in_turn, moved


def told(values: Iterable[float], order: list[str], name: str) -> Measure[float]:
    """Measurements that were made up, and in which order they were asked for."""
    left = iter(values)

    async def measure() -> float:
        order.append(name)
        return next(left)

    return measure


async def measured(reference: list[float], ours: list[float], wanted: int) -> Pairs[float]:
    order: list[str] = []
    pairs = await in_turn(told(reference, order, "A"), told(ours, order, "B"), float, wanted, 6)
    assert "".join(order) == "A" + "BA" * (len(pairs.kept) + pairs.repeated)
    return pairs


async def test_on_a_quiet_machine_each_pair_is_measured_once_between_two_references() -> None:
    pairs = await measured([100, 100, 104, 100], [50, 40, 60], 3)
    assert (len(pairs.kept), pairs.repeated, pairs.restless) == (3, 0, False)
    ratios = pairs.ratios(float)
    assert ratios == Spread(50 / 100, 40 / 102, 60 / 102)
    assert pairs.ours(float) == 50
    assert pairs.reference(float) == 102


async def test_a_pair_whose_reference_moved_by_more_than_a_tenth_is_measured_again() -> None:
    pairs = await measured([100, 100, 70, 72, 72], [50, 1, 36, 36], 3)
    assert (len(pairs.kept), pairs.repeated, pairs.restless) == (3, 1, False)
    assert pairs.ratios(float).low == pytest.approx(0.5)


async def test_a_machine_that_never_rests_gives_its_steadiest_pairs_and_says_so() -> None:
    reference = [100.0 * 1.2 ** (n % 2) for n in range(7)]
    pairs = await measured(reference, [50.0] * 6, 2)
    assert (len(pairs.kept), pairs.repeated, pairs.restless) == (2, 4, True)


def test_of_restless_pairs_those_that_moved_least_are_kept() -> None:
    pairs = [Pair(1.0, float(n), 1.0, part) for n, part in enumerate((0.5, 0.2, 0.9, 0.3))]
    kept = chosen(pairs, 2)
    assert [each.ours for each in kept.kept] == [1.0, 3.0]
    assert kept.restless


def test_by_how_much_a_reference_moved_is_the_same_both_ways() -> None:
    assert moved(100, 110) == moved(110, 100) == pytest.approx(0.1)
    assert Pair(1, 1, 1, moved(100, 110)).is_steady
    assert not Pair(1, 1, 1, moved(100, 111)).is_steady
