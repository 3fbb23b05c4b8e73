"""What a thread made for nobody is undone."""

from __future__ import annotations

import asyncio
import contextlib
import threading

from socp.client.errors import FileUnstorable
from socp.client.unstoppable import finished


async def test_what_was_made_after_its_owner_was_cancelled_is_undone_before_that_is_over() -> None:
    begun, go_on, undone = asyncio.Event(), threading.Event(), list[str]()
    loop = asyncio.get_running_loop()

    def make() -> str:
        loop.call_soon_threadsafe(begun.set)
        assert go_on.wait(60)
        return "a file"

    task = asyncio.create_task(finished(asyncio.to_thread(make), undone.append))
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert undone == ["a file"]


async def test_work_that_fails_for_nobody_is_over() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def fail() -> str:
        begun.set()
        await go_on.wait()
        raise FileUnstorable("the disk is full")

    undone: list[str] = []
    task = asyncio.create_task(finished(fail(), undone.append))
    await begun.wait()
    task.cancel()
    go_on.set()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert undone == []


async def test_work_that_somebody_waits_for_is_theirs() -> None:
    undone: list[str] = []
    assert await finished(asyncio.to_thread(lambda: "a file"), undone.append) == "a file"
    assert undone == []
