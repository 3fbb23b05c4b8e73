"""How fast a transfer goes, and how long it will take: what a person reads beside its progress."""

from __future__ import annotations

from collections import deque
from typing import Final

LATELY_MS: Final = 8_000
"""Over so long it is measured: less jumps about, more says what is long past."""
KNOWN_AFTER_MS: Final = 1_000
MARKS_MAX: Final = 40


class Speed:
    """Fed with how much is done; times are monotonic ms."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, int]] = deque()  # when, bytes done; the oldest first

    def moved(self, done: int, mono: int) -> None:
        """So many bytes are done by now. Less than before is a new beginning."""
        if self._marks and done < self._marks[-1][1]:
            self._marks.clear()
        every_ms = LATELY_MS // MARKS_MAX
        if len(self._marks) > 1 and mono - self._marks[-2][0] < every_ms:
            self._marks.pop()
        self._marks.append((mono, done))
        while len(self._marks) > 2 and mono - self._marks[0][0] > LATELY_MS:
            self._marks.popleft()

    def bytes_per_s(self) -> int:
        """Lately; 0 while that is not known."""
        if not self._marks:
            return 0
        (since, before), (now, done) = self._marks[0], self._marks[-1]
        return (done - before) * 1000 // (now - since) if now - since >= KNOWN_AFTER_MS else 0

    def remaining_s(self, size: int) -> int | None:
        """Until all `size` bytes are done, if it goes on so; None while that is not known."""
        rate = self.bytes_per_s()
        return -(-(size - self._marks[-1][1]) // rate) if rate else None
