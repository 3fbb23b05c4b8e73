"""An event loop on a thread of its own, for a driver that awaits under code that does not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.util import greenlet_spawn

T = TypeVar("T")


class LoopThread:
    """Runs from the first call to `close`, so that lost connections are noticed at once."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # A daemon: a process that forgot to close must still be able to end.
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="socp-database", daemon=True
        )
        self._thread.start()

    def call(self, work: Callable[[], T], timeout_s: float | None = None) -> T:
        """Call `work` on the loop's thread, where SQLAlchemy may await, and wait for it.

        TimeoutError when `timeout_s` is over; each await in `work` has a limit of its own.
        """
        waiting = asyncio.run_coroutine_threadsafe(greenlet_spawn(work), self._loop)
        try:
            return waiting.result(timeout_s)
        finally:
            waiting.cancel()  # of no effect on what is done

    def close(self) -> None:
        """Harmless when repeated."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
