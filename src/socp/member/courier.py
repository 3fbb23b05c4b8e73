"""Keeps our frames below what a server takes from one user (section 12); file frames go by bytes
instead."""

from __future__ import annotations

from collections import deque
from typing import Final

from socp.member.emitter import Emitter
from socp.member.events import Now
from socp.member.resting import NEVER_MS, SOON_MS
from socp.wire import limits
from socp.wire.payloads import Payload

BURST: Final = limits.USER_FRAMES_BURST * 3 // 4
FRAMES_PER_S: Final = limits.USER_FRAMES_PER_S * 4 // 5
RESERVED: Final = 20
"""So many frames are kept for what the person says: shares and look-ups wait."""
BACKLOG_MAX: Final = limits.LIST_ROWS
PAUSE_MS: Final = 2_000


class Courier:
    """A bucket of frames, and the line of those that can wait."""

    def __init__(self, emitter: Emitter) -> None:
        self._emit = emitter
        self._backlog: deque[tuple[Payload, str]] = deque()
        self._frames = float(BURST)
        self._filled_ms = 0
        self._paused_until_ms = 0

    def restarted(self, mono: int) -> None:
        """A new link: the server's count of us begins anew, what waited belongs to the old one."""
        self._backlog.clear()
        self._frames, self._filled_ms, self._paused_until_ms = float(BURST), mono, 0

    def pause(self, mono: int) -> None:
        """The server said RATE_LIMITED."""
        self._paused_until_ms = mono + PAUSE_MS
        self._frames = 0.0

    @property
    def due_ms(self) -> int:
        """When to look at it next."""
        return SOON_MS if self._backlog else NEVER_MS

    def room(self, mono: int) -> int:
        """How many frames may be sent now."""
        if mono < self._paused_until_ms:
            return 0
        passed = max(0, mono - self._filled_ms)
        self._frames = min(float(BURST), self._frames + passed * FRAMES_PER_S / 1000)
        self._filled_ms = mono
        return int(self._frames)

    def spend(self, frames: int) -> None:
        """So many were sent."""
        self._frames -= frames

    def post(self, payload: Payload, now: Now, *, to: str = "") -> bool:
        """Send this when there is room: now, or at a later `due`. False where too much waits."""
        if len(self._backlog) >= BACKLOG_MAX:
            return False
        self._backlog.append((payload, to))
        self.due(now)
        return True

    def due(self, now: Now) -> None:
        """Send what waits, as far as there is room."""
        while self._backlog and self.room(now.mono) > RESERVED:
            payload, to = self._backlog.popleft()
            self.spend(1)
            self._emit.send(payload, now, to=to)
