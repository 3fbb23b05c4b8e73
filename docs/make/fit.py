"""The formula that measured points fit: the simplest of a few that misses none by much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MISSED_MAX: Final = 0.10
"""A formula is good enough where it misses every point by less, as a share of the point."""


@dataclass(frozen=True, slots=True)
class Formula:
    """y = c0 + c1 n + c2 n^2, as far as there are terms; `missed`: the most, as a share."""

    terms: tuple[float, ...]
    missed: float

    def at(self, n: float) -> float:
        """What it says of `n`."""
        return sum(term * n**power for power, term in enumerate(self.terms))

    def __str__(self) -> str:
        said = [f"{term:+.3g}{name}" for term, name in zip(self.terms, _NAMES, strict=False)]
        return " ".join(said).removeprefix("+").replace(" +", " + ").replace(" -", " - ")


_NAMES: Final = ("", " n", " n²")


def fitted(points: Sequence[tuple[float, float]]) -> Formula:
    """The one with the fewest terms that is good enough, else the one that misses least. It has two
    points for each term, and does not fall for ever: what costs something costs no less than
    nothing."""
    most = max(min(len(_NAMES), len(points) // 2), 1)
    tried = [_with_terms(points, count) for count in range(1, most + 1)]
    rising = [formula for formula in tried if formula.terms[-1] >= 0]
    good = (formula for formula in rising if formula.missed <= MISSED_MAX)
    return next(good, min(rising, key=lambda formula: formula.missed))


def _with_terms(points: Sequence[tuple[float, float]], count: int) -> Formula:
    """Least squares of the shares by which the points are missed, so that small ones count."""
    rows = [
        [sum(x ** (i + j) / y**2 for x, y in points) for j in range(count)] for i in range(count)
    ]
    right = [sum(x**i / y for x, y in points) for i in range(count)]
    terms = _solved(rows, right)
    missed = max(abs(Formula(terms, 0).at(x) - y) / y for x, y in points)
    return Formula(terms, missed)


def _solved(rows: list[list[float]], right: list[float]) -> tuple[float, ...]:
    """Gauss and Jordan, with the largest pivot first."""
    size = len(rows)
    table = [[*row, value] for row, value in zip(rows, right, strict=True)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(table[row][column]))
        table[column], table[pivot] = table[pivot], table[column]
        for row in range(size):
            if row != column:
                factor = table[row][column] / table[column][column]
                table[row] = [
                    a - factor * b for a, b in zip(table[row], table[column], strict=True)
                ]
    return tuple(table[row][size] / table[row][row] for row in range(size))
