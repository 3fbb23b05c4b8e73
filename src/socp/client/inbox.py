"""What the person has been told and not read yet."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from socp.client.bound import Bound
from socp.client.notices import Notice
from socp.member.effects import FileProgress

NOTICES_MAX: Final = 10_000


class Inbox:
    """Where somebody reads, nothing is lost: the network waits (`waiting.room`). Where nobody ever
    asked, the oldest are dropped, for a program that only sends must not stop."""

    def __init__(self) -> None:
        self._notices: deque[Notice] = deque()
        self._news = asyncio.Event()
        self._read = False
        self._closed = False
        self.waiting = Bound(NOTICES_MAX)

    def put(self, notice: Notice) -> None:
        """Tell; never waits."""
        if len(self._notices) >= NOTICES_MAX and not self._made_room(notice):
            return
        self._notices.append(notice)
        if self._read:
            self.waiting.take()
        self._news.set()

    def _made_room(self, notice: Notice) -> bool:
        if not self._read:
            self._notices.popleft()
            return True
        return not isinstance(notice, FileProgress)  # the next one says more

    def close(self) -> None:
        """Nothing more is told: who reads, or begins to, is not kept waiting."""
        self._closed = True
        self._news.set()

    async def get(self) -> Notice | None:
        """The next one, in order; None after the end."""
        if not self._read:
            self._read = True
            self.waiting.take(len(self._notices))
        while not self._notices and not self._closed:
            self._news.clear()
            await self._news.wait()
        if self._closed:
            return None
        self.waiting.give()
        return self._notices.popleft()
