"""Questions for keys that are on their way: PUBKEY_REQUEST and what came of it (section 6)."""

from __future__ import annotations

from typing import Final

from socp.member import latest
from socp.member.courier import Courier
from socp.member.events import Now
from socp.member.resting import NEVER_MS
from socp.member.watching import Watching
from socp.wire.payloads import PubkeyRequest

ASKING_MAX: Final = 1_000
PATIENCE_MS: Final = 8_000
"""Longer than servers ask each other (5 s)."""
AGAIN_MS: Final = 600_000
"""Who was not known is not asked for again so soon."""


class Lookups:
    """Each user is asked for once at a time."""

    def __init__(self, courier: Courier, watching: Watching) -> None:
        self._courier = courier
        self._watching = watching
        self._asked: dict[str, int] = {}  # user_id -> when (mono)
        self._failed: dict[str, int] = {}  # user_id -> when (mono)

    def restarted(self) -> None:
        """A new link: nothing is on its way."""
        self._asked.clear()
        self._failed.clear()

    def ask(self, user_id: str, now: Now, *, insist: bool = False) -> bool:
        """True if the answer is on its way; False where it failed lately (unless `insist`) or too
        many wait."""
        if user_id in self._asked:
            return True
        failed_ms = self._failed.get(user_id)
        if failed_ms is not None and now.mono - failed_ms < AGAIN_MS and not insist:
            return False
        if len(self._asked) >= ASKING_MAX:
            return False
        # First: what their server says of them has their name too.
        self._watching.heard_of((user_id,), now)
        if not self._courier.post(PubkeyRequest(user_id=user_id), now):
            return False
        self._failed.pop(user_id, None)
        self._asked[user_id] = now.mono
        return True

    def answered(self, user_id: str) -> bool:
        """The key came; False where nobody asked for it."""
        return self._asked.pop(user_id, None) is not None

    def failed(self, user_id: str, now: Now) -> bool:
        """Nobody knows them; False where nobody asked."""
        if self._asked.pop(user_id, None) is None:
            return False
        latest.keep(self._failed, user_id, now.mono, ASKING_MAX)
        return True

    @property
    def due_ms(self) -> int:
        """When to look at it next: whom we asked for first is first overdue."""
        for since_ms in self._asked.values():
            return since_ms + PATIENCE_MS
        return NEVER_MS

    def overdue(self, now: Now) -> list[str]:
        """Whose key was asked for too long ago: they count as failed, and are named once."""
        late = [u for u, since_ms in self._asked.items() if now.mono - since_ms >= PATIENCE_MS]
        for user_id in late:
            self.failed(user_id, now)
        return late
