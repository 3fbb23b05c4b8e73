"""How the referee behaves at a server that has other guests: slowly, and without floods."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Manners:
    """What it allows itself. Half of what section 12 lets strangers do, and less."""

    patience_s: float = 5.0
    """How long an answer may take."""
    quiet_s: float = 0.5
    """How long nothing must come where nothing may."""
    rest_s: float = 0.05
    """Between two rules, so that what is on its way arrives."""
    hellos_per_s: float = 3.0
    faults_per_s: float = 4.0
    """Frames that are refused, on one link."""


@dataclass(slots=True)
class Pace:
    """So many at once, then one after the other."""

    per_s: float
    burst: float
    _left: float = field(init=False)
    _at_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._left, self._at_s = self.burst, time.monotonic()

    async def turn(self) -> None:
        """Wait until one more is polite."""
        now_s = time.monotonic()
        self._left = min(self.burst, self._left + (now_s - self._at_s) * self.per_s) - 1
        self._at_s = now_s
        if self._left < 0:
            await asyncio.sleep(-self._left / self.per_s)
