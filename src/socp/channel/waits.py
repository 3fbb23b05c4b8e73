"""Who answers when: ranks by which members take turns without talking (section 7)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

HOLDER_STEP_MS: Final = 500
HOLDER_RANKS: Final = 10
"""From this rank on holders queue no longer: they wait LATE_MS, and up to that again."""
LATE_MS: Final = 5_000
CREATOR_STEP_MS: Final = 1_000
NO_HOLDER_MS: Final = 5_000
"""A member without a key waits so long for a share before it makes the next version."""
SETTLE_MS: Final = 500
"""Where no version ever was: time for the list of who is online to arrive after the hello."""
PATIENCE_MS: Final = 60_000
"""Signs that others are being served put off making a key, but never for longer than this."""


def holder_rank(newcomer: str, me: str, others: Iterable[str]) -> int:
    """My place among possible holders, by SHA-256(newcomer || holder); at most HOLDER_RANKS.

    It stops counting there, so that a thousand newcomers among a thousand members cost no second.
    """
    mine = _place(newcomer, me)
    rank = 0
    for other in others:
        if other not in (me, newcomer) and _place(newcomer, other) < mine:
            rank += 1
            if rank == HOLDER_RANKS:
                break
    return rank


def holder_wait_ms(newcomer: str, me: str, rank: int) -> int:
    """How long a holder of this rank waits for somebody else's share to pass."""
    if rank < HOLDER_RANKS:
        return rank * HOLDER_STEP_MS
    return LATE_MS + int.from_bytes(_place(newcomer, me)[:4], "big") * LATE_MS // 2**32


def creator_rank(me: str, keyless: Iterable[str]) -> int:
    """My place among the online members without a key, by id."""
    return sum(other < me for other in keyless)


def _place(newcomer: str, holder: str) -> bytes:
    return hashlib.sha256((newcomer + holder).encode()).digest()


class CreationWait:
    """When a member without a key makes one: section 7's two waits, restarted with every hello."""

    def __init__(self) -> None:
        self._since = 0
        self._sign = 0
        self._nobody = False

    def restarted(self, mono: int) -> None:
        """We are attached."""
        self._since = self._sign = mono
        self._nobody = False

    def put_off(self, mono: int) -> None:
        """A sign that our turn is near: our own ADD, or shares passing for others."""
        self._sign = mono

    def nobody_holds(self) -> None:
        """A server said that the channel has no version yet."""
        self._nobody = True

    def until(self, rank: int, *, version_known: bool) -> int:
        """The monotonic ms from which on the member of this rank makes a key."""
        if self._nobody and not version_known:
            start = self._since + SETTLE_MS
        else:
            start = min(self._sign + NO_HOLDER_MS, self._since + PATIENCE_MS)
        return start + rank * CREATOR_STEP_MS
