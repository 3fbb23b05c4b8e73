"""This machine's clock: where it is far off, we go by our server's (section 2)."""

from __future__ import annotations

from typing import Final

from socp.member.emitter import Emitter
from socp.member.events import Now
from socp.wire import limits
from socp.wire.envelope import clock_offset_ms
from socp.wire.errors import Code
from socp.wire.payloads import Error

EARLIEST_MS: Final = 1_577_836_800_000  # the year 2020
LATEST_MS: Final = 9_000_000_000_000  # the year 2255
"""No server's time is outside of these: with more digits or fewer nothing could be signed."""


class Clock:
    """`offset_ms` is added to what this machine says; `sure`: it is our own time, or that of a
    server that had proved itself."""

    def __init__(self, emitter: Emitter) -> None:
        self._emit = emitter
        self.offset_ms = 0
        self.sure = True
        self._corrected = False  # on this link

    def connected(self) -> None:
        """A new link."""
        self._corrected = False

    @staticmethod
    def off_by(error: Error, now: Now) -> int | None:
        """What to add, in ms, as an ERROR says; None where it says nothing of that, or a time that
        cannot be."""
        offset_ms = clock_offset_ms(error.detail) if error.code == Code.BAD_FRAME else None
        if offset_ms is None or not _can_be(now.wall + offset_ms):
            return None
        return offset_ms

    def hear(self, ts: int, now: Now) -> None:
        """A server says its time (Unix ms)."""
        if abs(ts - now.wall) > limits.TS_WINDOW_MS and _can_be(ts):
            self.correct(ts - now.wall)

    def correct_once(self, offset_ms: int) -> None:
        """As `correct`, unless that was done on this link."""
        if not self._corrected:
            self.correct(offset_ms)

    def correct(self, offset_ms: int) -> None:
        """Go by the server's time, which is no sure one yet."""
        self.offset_ms += offset_ms
        self._corrected, self.sure = True, False
        if abs(self.offset_ms) <= limits.TS_WINDOW_MS:
            self._emit.warn("this machine's clock was set, and goes with the server's again")
            return
        direction = "behind" if self.offset_ms > 0 else "ahead of"
        self._emit.warn(
            f"this machine's clock is {abs(self.offset_ms) // 1000} s {direction} the server's;"
            " the server's time is used, set your clock when you can"
        )


def _can_be(ts: int) -> bool:
    return EARLIEST_MS <= ts <= LATEST_MS
