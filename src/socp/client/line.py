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
        self._over = asyncio.Event()
        self.moved(moved)

    def moved(self, moved: LineMoved) -> None:
        """Its newest state."""
        self.last = moved
        if self.over:
            self._over.set()

    @property
    def state(self) -> LineState:
        """Waiting, on its way, at the server, delivered, read, or refused."""
        return self.last.state

    @property
    def reason(self) -> str:
        """Why it waits or was refused; of one handed over, who keeps it."""
        return self.last.reason

    @property
    def said(self) -> int:
        """Its number in the history, for replies, edits and deletes; 0 while none."""
        return self.last.said

    @property
    def msg_ref(self) -> str:
        """What others know it by, for replies, edits and deletes; "" while it has no such name."""
        return self.last.msg_ref

    @property
    def over(self) -> bool:
        """Whether it was handed over, or refused."""
        return self.state in _SETTLED

    async def settled(self) -> LineState:
        """DONE (or DELIVERED, or READ, already) or REFUSED. As long as the recipient is away and no
        server keeps it, none of them: use a time limit."""
        await self._over.wait()
        return self.state
