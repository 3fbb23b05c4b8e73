"""A new key takes some seconds: whoever waits is told so."""

from __future__ import annotations

import asyncio
import sys


class KeyInTheMaking:
    """Says so, and keeps showing that something happens, while a key is made."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._dots: asyncio.Task[None] | None = None

    def begins(self) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(self._show)

    def _show(self) -> None:
        sys.stderr.write("making your key (RSA-4096), which takes some seconds ")
        self._dots = self._loop.create_task(_dots())

    def __enter__(self) -> None:
        """Until it leaves, dots may be shown."""

    def __exit__(self, *_: object) -> None:
        if self._dots:
            self._dots.cancel()
            sys.stderr.write("\n")


async def _dots() -> None:
    while True:
        sys.stderr.write(".")
        sys.stderr.flush()
        await asyncio.sleep(0.5)
