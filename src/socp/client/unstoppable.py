"""Work in a thread goes on when nobody waits for it any more: what it made must be undone then."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import TypeVar

from socp.client.errors import ClientError

A = TypeVar("A")


async def finished(work: Coroutine[None, None, A], undo: Callable[[A], object]) -> A:
    """The result of work that cannot be stopped; undone where nobody waits for it any more."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with contextlib.suppress(ClientError):
            undo(await task)
        raise
