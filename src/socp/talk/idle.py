"""How long nobody was there, asleep machines too: who opens one again finds it locked."""

from __future__ import annotations

import time


def clock_s() -> float:
    """Seconds since some moment; those of a machine that sleeps count, where the system tells."""
    if (counts_sleep := getattr(time, "CLOCK_BOOTTIME", None)) is not None:
        return time.clock_gettime(counts_sleep)
    return time.monotonic()
