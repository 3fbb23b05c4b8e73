"""How a cost grows with the number of users: measured at several numbers, and the order fitted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean, median
from typing import Final

from socp.bench.figures import Figure, Side

POINTS: Final = (100, 1_000, 10_000)
FLAT_MAX: Final = 0.25
"""A slope (of the logarithms) up to this is flat; the next orders begin in the middle between."""
ORDERS: Final = ((FLAT_MAX, "flat"), (0.75, "between flat and n"), (1.5, "n"), (math.inf, "n^2"))


class Growth:
    """Of the cost of one thing, by how many users there are."""

    def __init__(self, what: str, unit: str) -> None:
        self._what, self._unit = what, unit
        self._costs: dict[int, list[float]] = {}

    def add(self, users: int, cost: float) -> None:
        """Measured once more."""
        self._costs.setdefault(users, []).append(cost)

    @property
    def costs(self) -> dict[int, float]:
        """The median at each number."""
        return {users: median(costs) for users, costs in sorted(self._costs.items())}

    def figure(self, key: str) -> Figure:
        """Without a goal: it says what a larger server needs."""
        costs = self.costs
        return Figure(
            key=key,
            what=f"{self._what}: how it grows",
            value=slope(costs),
            ours=Side(self._unit, order(slope(costs))),
            by="growth",
            note=", ".join(f"{cost:,.0f} {self._unit} at {n:,}" for n, cost in costs.items()),
        )


def slope(costs: Mapping[int, float]) -> float:
    """Of the straight line through the logarithms of both: 0 is flat, 1 is n, 2 is n^2."""
    points = [(math.log(n), math.log(cost)) for n, cost in costs.items() if n > 0 and cost > 0]
    if len(points) < 2:
        return 0.0
    mean_x, mean_y = (fmean(values) for values in zip(*points, strict=True))
    across = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / across


def order(exponent: float) -> str:
    """In a word."""
    return next(name for most, name in ORDERS if exponent <= most)
