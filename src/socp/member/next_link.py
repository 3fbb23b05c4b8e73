"""Mail that was left at the server comes with the next link (section 11, `mailbox/1`)."""

from __future__ import annotations

from typing import Final

from socp.member.attempts import grown
from socp.member.effects import Disconnect
from socp.member.emitter import Emitter
from socp.member.events import Now
from socp.member.resting import NEVER_MS

FIRST_PAUSE_MS: Final = 5_000
QUIET_MS: Final = 3_600_000


class NextLink:
    """Asked for once on each link, and less and less often: what has us ask is what others send."""

    def __init__(self, emitter: Emitter) -> None:
        self._emit = emitter
        self._wanted = False
        self._asked = False
        self._times = 0  # since it was last quiet
        self._asked_ms = -QUIET_MS  # monotonic, as the others
        self._not_before_ms = 0

    def restarted(self) -> None:
        """The link is gone, for whatever reason."""
        self._wanted = self._asked = False

    def ask(self) -> None:
        """What was left can be taken now."""
        self._wanted = True

    @property
    def due_ms(self) -> int:
        """When to look at it next."""
        return self._not_before_ms if self._wanted and not self._asked else NEVER_MS

    def due(self, now: Now, *, idle: bool) -> None:
        """`idle`: no file is on its way, which would break off."""
        if self._wanted and idle and not self._asked and now.mono >= self._not_before_ms:
            self._asked = True
            self._times = self._times + 1 if now.mono - self._asked_ms < QUIET_MS else 0
            self._asked_ms = now.mono
            self._not_before_ms = now.mono + grown(FIRST_PAUSE_MS, self._times)
            self._emit.add(Disconnect("messages were left at the server; on with them"))
