"""How fast a transfer may go: a bound on bytes, so that messages beside it are not held up."""

from __future__ import annotations


class Pace:
    """`bytes_per_s` on the long run, at most `burst` bytes at once. Times are monotonic ms."""

    def __init__(self, bytes_per_s: int, burst: int) -> None:
        self._bytes_per_ms = bytes_per_s / 1000
        self._burst_ms = burst / self._bytes_per_ms
        self._spent_ms = 0.0

    def take(self, size: int, mono: int) -> bool:
        """Whether `size` bytes may go now; they count as gone then."""
        spent = max(self._spent_ms, mono - self._burst_ms) + size / self._bytes_per_ms
        if spent > mono:
            return False
        self._spent_ms = spent
        return True
