"""What is to be remembered is on the disk before anything else of its batch is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager

import pytest

from socp.client.errors import ProfileUnusable
from socp.client.walk import Walk
from socp.member.effects import Disconnect, Effect, Persist, Transmit
from socp.member.events import Event, Now, RequestList, Say, Tick
from socp.member.own_frame import Ready
from socp.member.records import Record, Seen
from socp.storage.errors import StorageError

SEEN = Seen("ref", b"d" * 32, "author", 1)


class Disk:
    """A store whose commits end when the test says so."""

    def __init__(self) -> None:
        self.commits: list[Future[None]] = []
        self.written: list[Record] = []

    def write(self, records: Sequence[Record]) -> Future[None]:
        self.written += records
        self.commits.append(Future())
        return self.commits[-1]


class Script:
    """A brain that answers each kind of event with what it was given."""

    def __init__(self, answers: dict[type[Event], list[Effect]]) -> None:
        self.answers = answers
        self.times: list[Now] = []

    def handle(self, event: Event, now: Now) -> list[Effect]:
        self.times.append(now)
        return self.answers[type(event)]


def sent(name: str) -> Transmit:
    return Transmit(Ready(name.encode()))


@asynccontextmanager
async def walking(
    answers: dict[type[Event], list[Effect]],
) -> AsyncIterator[tuple[Walk, Disk, list[Effect]]]:
    disk, done = Disk(), list[Effect]()
    walk = Walk(Script(answers), disk, lambda effect, _link: done.append(effect))
    running = asyncio.create_task(walk.run())
    try:
        yield walk, disk, done
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_nothing_of_a_batch_is_done_before_its_records_are_committed() -> None:
    effects: list[Effect] = [sent("early"), Persist(SEEN), sent("late")]
    async with walking({Tick: effects}) as (walk, disk, done):
        batch = walk.feed(Tick())
        await asyncio.wait({batch.done}, timeout=0.05)
        assert disk.written == [SEEN]
        assert not done
        disk.commits[0].set_result(None)
        await batch.done
        assert done == [sent("early"), sent("late")]


async def test_a_batch_without_records_does_not_overtake_one_that_waits_for_the_disk() -> None:
    answers: dict[type[Event], list[Effect]] = {
        Tick: [Persist(SEEN), sent("first")],
        Say: [sent("second")],
    }
    async with walking(answers) as (walk, disk, done):
        walk.feed(Tick())
        second = walk.feed(Say("public", "x"))
        await asyncio.wait({second.done}, timeout=0.05)
        assert not done
        disk.commits[0].set_result(None)
        await second.done
        assert done == [sent("first"), sent("second")]


async def test_commits_overlap_the_brain_is_not_kept_waiting() -> None:
    async with walking({Tick: [Persist(SEEN)]}) as (walk, disk, _):
        batches = [walk.feed(Tick()) for _ in range(5)]
        assert len(disk.commits) == 5
        for commit in disk.commits:
            commit.set_result(None)
        await batches[-1].done


@pytest.mark.threat("S8")
async def test_a_commit_that_fails_ends_the_client_and_sends_nothing() -> None:
    disk, done = Disk(), list[Effect]()
    answers: dict[type[Event], list[Effect]] = {
        Tick: [Persist(SEEN), sent("never")],
        RequestList: [Disconnect("never")],
    }
    walk = Walk(Script(answers), disk, lambda effect, _link: done.append(effect))
    running = asyncio.create_task(walk.run())
    walk.feed(Tick())
    after = walk.feed(RequestList())
    disk.commits[0].set_exception(StorageError("the disk is full; make room"))
    with pytest.raises(ProfileUnusable, match="the disk is full; make room"):
        await running
    assert not done
    assert after.done.cancelled()


async def test_a_batch_remembers_the_link_it_was_decided_on() -> None:
    links: list[int] = []
    walk = Walk(Script({Tick: [sent("x")]}), Disk(), lambda _effect, link: links.append(link))
    walk.feed(Tick())
    walk.link = 7
    walk.feed(Tick())
    running = asyncio.create_task(walk.run())
    await walk.settled()
    running.cancel()
    assert links == [0, 7]
