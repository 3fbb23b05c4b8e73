"""Backpressure: while too much waits to be signed or committed, nobody is read from."""

from __future__ import annotations

import asyncio


class Gate:
    """Open unless somebody holds it. Each connection passes it before it takes the next frame."""

    def __init__(self) -> None:
        self._holders: set[int] = set()
        self._open = asyncio.Event()
        self._open.set()

    @property
    def is_open(self) -> bool:
        return not self._holders

    def hold(self, holder: object) -> None:
        self._holders.add(id(holder))
        self._open.clear()

    def release(self, holder: object) -> None:
        self._holders.discard(id(holder))
        if not self._holders:
            self._open.set()

    async def passed(self) -> None:
        """Wait until it is open."""
        await self._open.wait()
