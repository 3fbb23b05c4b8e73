"""What the person has not read yet is bounded, and nothing is lost to somebody who reads."""

from __future__ import annotations

import asyncio

from socp.client.inbox import NOTICES_MAX, Inbox
from socp.member.effects import FileProgress, Warned

PROGRESS = FileProgress("id", "public", "name", 1, 2, sending=True)


async def test_notices_come_in_order_those_before_the_first_reader_too() -> None:
    inbox = Inbox()
    for n in range(3):
        inbox.put(Warned(str(n)))
    assert [await inbox.get() for _ in range(3)] == [Warned("0"), Warned("1"), Warned("2")]


async def test_where_nobody_reads_the_oldest_are_dropped_and_nobody_is_kept_waiting() -> None:
    inbox = Inbox()
    for n in range(NOTICES_MAX + 5):
        inbox.put(Warned(str(n)))
    await asyncio.wait_for(inbox.waiting.room(), 60)
    assert await inbox.get() == Warned("5")


async def test_where_somebody_reads_slowly_the_network_waits_and_nothing_is_lost() -> None:
    inbox = Inbox()
    inbox.put(Warned("first"))
    assert await inbox.get() == Warned("first")
    for n in range(NOTICES_MAX):
        inbox.put(Warned(str(n)))
    room = asyncio.create_task(inbox.waiting.room())
    inbox.put(Warned("last"))
    inbox.put(PROGRESS)  # says nothing that the next one does not say better
    assert not (await asyncio.wait({room}, timeout=0.05))[0]
    seen = [await inbox.get() for _ in range(NOTICES_MAX + 1)]
    assert seen[0] == Warned("0")
    assert seen[-1] == Warned("last")
    await asyncio.wait_for(room, 60)


async def test_a_reader_waits_for_the_next_one() -> None:
    inbox = Inbox()
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.put(Warned("now"))
    assert await asyncio.wait_for(reading, 60) == Warned("now")


async def test_at_the_end_a_reader_is_let_go_and_what_is_left_is_not_told() -> None:
    inbox = Inbox()
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.close()
    assert await asyncio.wait_for(reading, 60) is None
    inbox.put(Warned("late"))
    assert await asyncio.wait_for(inbox.get(), 60) is None
