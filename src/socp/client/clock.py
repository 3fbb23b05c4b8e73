"""The time that people and servers tell each other; `wire` and the brains are given it."""

from __future__ import annotations

import time


def now_ms() -> int:
    """Unix ms."""
    return time.time_ns() // 1_000_000
