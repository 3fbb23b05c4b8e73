"""Whether anybody reads our standard output: who writes seldom hears of it late."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import stat
import sys
from collections.abc import Coroutine, Iterator
from typing import Any

from socp.cli import exits


async def while_read(work: Coroutine[Any, Any, int]) -> int:
    """Do it to its end, or until the last reader of the pipe that we write to is gone; the exit
    code."""
    doing = asyncio.create_task(work)
    gone = asyncio.Event()
    waiting = asyncio.create_task(gone.wait())
    with _told(gone):
        try:
            await asyncio.wait({doing, waiting}, return_when=asyncio.FIRST_COMPLETED)
            return await doing if doing.done() else exits.FAILED
        finally:
            doing.cancel()
            waiting.cancel()
            await asyncio.gather(doing, waiting, return_exceptions=True)


@contextlib.contextmanager
def _told(gone: asyncio.Event) -> Iterator[None]:
    output = sys.stdout.fileno()
    if not _is_pipe(output):
        yield
        return
    loop = asyncio.get_running_loop()
    # The end to write to has nothing to read: it is told of a hang-up alone.
    loop.add_reader(output, gone.set)
    try:
        yield
    finally:
        loop.remove_reader(output)


def _is_pipe(descriptor: int) -> bool:
    """One that we can only write to."""
    written = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
    return written and stat.S_ISFIFO(os.fstat(descriptor).st_mode)
