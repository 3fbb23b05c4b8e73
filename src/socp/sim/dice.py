"""Dice of a scenario: the same throws for the same seed, in any process and on any machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")

_MASK: Final = 2**64 - 1
_STEP: Final = 0x9E3779B97F4A7C15


class Dice:
    """SplitMix64. Good enough to choose by, and worth nothing as a secret."""

    def __init__(self, seed: int) -> None:
        self._state = seed * _STEP & _MASK

    def bits(self) -> int:
        """The next 64."""
        self._state = self._state + _STEP & _MASK
        mixed = (self._state ^ self._state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
        return mixed ^ mixed >> 31

    def below(self, n: int) -> int:
        """From 0 to n - 1."""
        return self.bits() * n >> 64

    def between(self, least: int, most: int) -> int:
        """Both ends included."""
        return least + self.below(most - least + 1)

    def one_of(self, choices: Sequence[T]) -> T:
        """Each as likely as the others."""
        return choices[self.below(len(choices))]

    def two_below(self, n: int) -> tuple[int, int]:
        """Two different numbers from 0 to n - 1."""
        one, other = self.below(n), self.below(n - 1)
        return one, other + (other >= one)
