"""Ours beside a reference, in turn: A B A B A. Machines change their speed by the second, and a
figure counts only as a ratio of two that were measured next to each other.

Pure: what is measured is handed in, and comes back in any form.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Generic, TypeVar

T = TypeVar("T")
Measure = Callable[[], Awaitable[T]]

PAIRS: Final = 5
MOVED_MAX: Final = 0.10  # of the reference, from one side of a pair to the other
TRIES_A_PAIR: Final = 3


@dataclass(frozen=True, slots=True)
class Pair(Generic[T]):
    """One measurement of ours, and the reference just before and just after."""

    before: T
    ours: T
    after: T
    moved: float
    """How far the reference went from one to the other, as a part of the smaller."""

    @property
    def is_steady(self) -> bool:
        """Whether the machine stayed the same meanwhile, as far as the reference tells."""
        return self.moved <= MOVED_MAX


@dataclass(frozen=True, slots=True)
class Pairs(Generic[T]):
    """`kept` is what counts; `repeated` were measured again because the reference had moved.

    Where a machine never came to rest `kept` are the steadiest there were, and `restless` says so.
    """

    kept: tuple[Pair[T], ...]
    repeated: int
    restless: bool

    def ratios(self, value: Callable[[T], float]) -> Spread:
        """Ours : reference, by this value of both; the reference is the mean of its two sides."""
        return Spread.of(
            [value(each.ours) * 2 / (value(each.before) + value(each.after)) for each in self.kept]
        )

    def ours(self, value: Callable[[T], float]) -> float:
        """The median of ours."""
        return median(value(each.ours) for each in self.kept)

    def reference(self, value: Callable[[T], float]) -> float:
        """The median of the reference."""
        return median((value(each.before) + value(each.after)) / 2 for each in self.kept)


@dataclass(frozen=True, slots=True)
class Spread:
    """Of several values."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """At least one."""
        return cls(median(values), min(values), max(values))


async def in_turn(
    reference: Measure[T],
    ours: Measure[T],
    raw: Callable[[T], float],
    wanted: int = PAIRS,
    most: int = PAIRS * TRIES_A_PAIR,
) -> Pairs[T]:
    """Measure until so many pairs are steady, or `most` are measured. `raw` is the value of the
    reference that must not move."""
    pairs: list[Pair[T]] = []
    before = await reference()
    while sum(each.is_steady for each in pairs) < wanted and len(pairs) < most:
        measured = await ours()
        after = await reference()
        pairs.append(Pair(before, measured, after, moved(raw(before), raw(after))))
        before = after
    return chosen(pairs, wanted)


def chosen(pairs: Sequence[Pair[T]], wanted: int) -> Pairs[T]:
    """Of all that were measured, the steady ones, or the steadiest."""
    steady = [each for each in pairs if each.is_steady]
    restless = len(steady) < wanted
    kept = sorted(pairs, key=lambda each: each.moved)[:wanted] if restless else steady[:wanted]
    return Pairs(tuple(kept), len(pairs) - len(kept), restless)


def moved(before: float, after: float) -> float:
    """By what part of the smaller the two differ."""
    return abs(after - before) / min(before, after)
