"""How long a client may be left alone: when each part wants to be looked at next.

A shell that asks need not tick ten times a second for somebody to whom nothing happens; a machine
on battery and the simulator with its thousands of clients are glad of that.
"""

from __future__ import annotations

from typing import Final, Protocol

SOON_MS: Final = 0
"""At the next tick: something waits that cannot say for how long."""
NEVER_MS: Final = 2**62
"""Nothing waits here."""
REST_MAX_MS: Final = 60_000
"""Nobody rests longer: what is kept for weeks is looked through now and then."""


class Timed(Protocol):
    """A part for which time matters."""

    @property
    def due_ms(self) -> int:
        """When to look at it next, monotonic; a time that is past means at the next tick."""
