"""A bounded memory of the latest of something: a plain dict, the oldest entry first."""

from __future__ import annotations

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def keep(latest: dict[K, V], key: K, value: V, most: int) -> None:
    """One more; where there are `most`, the oldest is forgotten first."""
    if len(latest) >= most:
        del latest[next(iter(latest))]
    latest[key] = value
