"""One thing the person said, and what became of it."""

from __future__ import annotations

import asyncio

from socp.member.effects import LineMoved
from socp.member.records import LineState

_SETTLED = (LineState.DONE, LineState.REFUSED, LineState.DELIVERED, LineState.READ)


class Line:
    """Kept up to date as long as somebody holds it. One that waits may be sent in a later run."""

    def __init__(self, moved: LineMoved) -> None:
        self.line_id = moved.line_id
        self.to = moved.to
        self.text = moved.text
        self.state = moved.state
        self.reason = moved.reason
        self.msg_ref = moved.msg_ref  # what others know it by, "" while it has no such name
        self._over = asyncio.Event()
        self.moved(moved)

    def moved(self, moved: LineMoved) -> None:
        """Its newest state."""
        self.state, self.reason = moved.state, moved.reason
        self.msg_ref = moved.msg_ref or self.msg_ref
        if self.state in _SETTLED:
            self._over.set()

    async def settled(self) -> LineState:
        """DONE (or DELIVERED already) or REFUSED. As long as the recipient is away and no server
        keeps it, none of them: use a time limit."""
        await self._over.wait()
        return self.state
