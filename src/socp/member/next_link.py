"""Mail that was left at the server comes with the next link (section 11, `mailbox/1`)."""

from __future__ import annotations

from socp.member.effects import Disconnect
from socp.member.emitter import Emitter
from socp.member.resting import NEVER_MS, SOON_MS


class NextLink:
    """Asked for once on each link."""

    def __init__(self, emitter: Emitter) -> None:
        self._emit = emitter
        self._wanted = False
        self._asked = False

    def restarted(self) -> None:
        """The link is gone, for whatever reason."""
        self._wanted = self._asked = False

    def ask(self) -> None:
        """What was left can be taken now."""
        self._wanted = True

    @property
    def due_ms(self) -> int:
        """When to look at it next."""
        return SOON_MS if self._wanted and not self._asked else NEVER_MS

    def due(self, *, idle: bool) -> None:
        """`idle`: no file is on its way, which would break off."""
        if self._wanted and idle and not self._asked:
            self._asked = True
            self._emit.add(Disconnect("messages were left at the server; on with them"))
