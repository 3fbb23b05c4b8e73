"""A bound on what may wait somewhere: whoever would add to it waits for room first."""

from __future__ import annotations

import asyncio


class Bound:
    """Counts what waits (bytes, or things). Taking never fails: it is asked for room before."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._roomy = asyncio.Event()
        self._roomy.set()

    @property
    def used(self) -> int:
        """How much waits now."""
        return self._used

    def take(self, amount: int = 1) -> None:
        """So much more waits."""
        self._used += amount
        if self._used >= self._limit:
            self._roomy.clear()

    def give(self, amount: int = 1) -> None:
        """So much waits no longer."""
        self._used -= amount
        if self._used < self._limit:
            self._roomy.set()

    async def room(self) -> None:
        """Return when less than the limit waits."""
        await self._roomy.wait()
