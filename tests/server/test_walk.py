"""Commit first, then send; in the order of the events (architecture, "One message walks")."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec import structs

from socp.node.effects import (
    Afterwards,
    Ask,
    Close,
    Effect,
    Identified,
    Kind,
    Level,
    Note,
    Persist,
    Send,
)
from socp.node.events import Answered, CommitFailed, Event, FrameReceived, KeyTaken
from socp.node.queries import FindMail, MailFound
from socp.node.records import ChannelVersion, Ruling, Verdict
from socp.storage import StorageError
from tests.server.rig import Brain, Disk, ended, frame, message, running, said, until

PROMISE = Ruling("ab" * 32, Verdict.ADMITTED, 1)
HINT = ChannelVersion(1)


def storing(event: Event) -> Sequence[Effect]:
    """STORE is answered after a commit, SAY without one."""
    if not isinstance(event, FrameReceived):
        return ()
    send = Send((event.link,), frame(event.envelope.type))
    if event.envelope.type == "STORE":
        return [Persist(PROMISE), send]
    return [send]


@pytest.fixture
def disk() -> Disk:
    return Disk(at_once=False)


async def test_nothing_is_sent_before_its_commit(tmp_path: Path, disk: Disk) -> None:
    async with running(tmp_path, Brain(storing), disk=disk) as shell:
        ws = await shell.connect()
        await ws.send_str(message("STORE"))
        await until(lambda: disk.waiting)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ws.receive(), 0.1)
        ws = await shell.connect()
        await ws.send_str(message("STORE"))
        await until(lambda: len(disk.waiting) == 2)
        for commit in disk.waiting:
            commit.set_result(None)
        assert (await said(ws))["type"] == "STORE"


async def test_what_needs_no_commit_waits_behind_what_does(tmp_path: Path, disk: Disk) -> None:
    async with running(tmp_path, Brain(storing), disk=disk) as shell:
        ws = await shell.connect()
        for kind in ("STORE", "SAY", "STORE", "SAY"):
            await ws.send_str(message(kind))
        await until(lambda: len(disk.waiting) == 2)
        disk.waiting[1].set_result(None)  # the disk answers out of order
        disk.waiting[0].set_result(None)
        assert [(await said(ws))["type"] for _ in range(4)] == ["STORE", "SAY", "STORE", "SAY"]


async def test_with_nothing_to_commit_the_answer_is_at_once(tmp_path: Path, disk: Disk) -> None:
    async with running(tmp_path, Brain(storing), disk=disk) as shell:
        ws = await shell.connect()
        await ws.send_str(message("SAY"))
        assert (await said(ws))["type"] == "SAY"
        assert not disk.written


@pytest.mark.threat("S8")
async def test_after_a_failed_commit_nothing_is_sent_but_the_log_says_so(
    tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, Brain(storing), disk=disk) as shell:
        ws = await shell.connect()
        await ws.send_str(message("STORE"))
        await ws.send_str(message("SAY"))
        await until(lambda: disk.waiting)
        disk.waiting[0].set_exception(StorageError("the disk is full; make room"))
        assert (await said(ws))["type"] == "SAY"
        assert "cannot store: the disk is full; make room" in caplog.text


@pytest.mark.threat("S8")
async def test_nobody_is_told_that_something_is_kept_while_its_commit_is_under_way_and_fails(
    tmp_path: Path, disk: Disk
) -> None:
    """As for the same post from two servers: the brain answers the second one from memory."""

    def answering(event: Event) -> Sequence[Effect]:
        if isinstance(event, FrameReceived) and event.envelope.type == "AGAIN":
            return [Send((event.link,), structs.replace(frame("AGAIN"), promise=True))]
        return storing(event)

    async with running(tmp_path, Brain(answering), disk=disk) as shell:
        ws = await shell.connect()
        for kind in ("STORE", "AGAIN", "SAY"):
            await ws.send_str(message(kind))
        await until(lambda: disk.waiting)
        disk.waiting[0].set_exception(StorageError("the disk is full; make room"))
        assert (await said(ws))["type"] == "SAY"
        await ws.send_str(message("AGAIN"))
        assert (await said(ws))["type"] == "AGAIN", "of what is said later there is no doubt"


@pytest.mark.threat("S8")
async def test_what_was_promised_and_could_not_be_stored_is_told_to_the_brain(
    tmp_path: Path, disk: Disk
) -> None:
    brain = Brain(storing)
    async with running(tmp_path, brain, disk=disk) as shell:
        ws = await shell.connect()
        await ws.send_str(message("STORE"))
        await until(lambda: disk.waiting)
        disk.waiting[0].set_exception(StorageError("the disk is full; make room"))
        await until(lambda: brain.of(CommitFailed))
        (failed,) = brain.of(CommitFailed)
        assert failed == CommitFailed((PROMISE,), "the disk is full; make room")


@pytest.mark.threat("S8")
@pytest.mark.parametrize("fails", [False, True])
async def test_the_brain_hears_that_something_is_stored_only_where_it_is(
    tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture, fails: bool
) -> None:
    taken = KeyTaken(7)

    def settling(event: Event) -> Sequence[Effect]:
        if not isinstance(event, FrameReceived):
            return ()
        done = Note(Level.INFO, "server.users", "it is done")
        return [Persist(PROMISE), Send((event.link,), frame()), done, Afterwards(taken)]

    brain = Brain(settling)
    with caplog.at_level(logging.INFO):
        async with running(tmp_path, brain, disk=disk) as shell:
            ws = await shell.connect()
            await ws.send_str(message())
            await until(lambda: disk.waiting)
            assert not brain.of(KeyTaken)
            if fails:
                disk.waiting[0].set_exception(StorageError("the disk is full; make room"))
                await until(lambda: brain.of(CommitFailed))
            else:
                disk.waiting[0].set_result(None)
                await said(ws)
                await until(lambda: brain.of(KeyTaken))
    assert bool(brain.of(KeyTaken)) is not fails
    assert ("it is done" in caplog.text) is not fails


@pytest.mark.threat("S8")
async def test_what_is_only_good_to_know_waits_for_the_disk_and_holds_nobody_up(
    tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    def noting(event: Event) -> Sequence[Effect]:
        if not isinstance(event, FrameReceived):
            return ()
        return [Persist(HINT), Send((event.link,), frame())]

    with caplog.at_level(logging.INFO):
        async with running(tmp_path, Brain(noting), disk=disk) as shell:
            ws = await shell.connect()
            await ws.send_str(message())
            await until(lambda: disk.waiting)
            disk.waiting[0].set_exception(StorageError("the disk is full; make room"))
            await said(ws)
            async with shell.session.get(shell.url + "/healthz") as health:
                told = await health.json()
            assert told["status"] == "degraded"
            assert told["storage"] == "the disk is full; the operator's log has the reason"
            await until(lambda: len(disk.waiting) == 2)  # it is tried again by itself
            assert list(disk.written[1]) == [HINT]
            disk.waiting[1].set_result(None)
            await until(lambda: "Storing works again" in caplog.text)
            async with shell.session.get(shell.url + "/healthz") as health:
                assert (await health.json())["status"] == "ok"
    assert caplog.text.count("cannot store") == 1


async def test_an_answer_of_the_store_reaches_the_brain_after_what_was_written_before(
    tmp_path: Path, disk: Disk
) -> None:
    query = FindMail(1, "public", "r")

    def asking(event: Event) -> Sequence[Effect]:
        if not isinstance(event, FrameReceived):
            return ()
        return [Persist(PROMISE), Ask(query)]

    brain = Brain(asking)
    async with running(tmp_path, brain, disk=disk) as shell:
        ws = await shell.connect()
        await ws.send_str(message())
        await until(lambda: disk.waiting)
        assert disk.asked == []
        disk.waiting[0].set_result(None)
        await until(lambda: disk.asked)
        disk.answers[0].set_result(MailFound(None))
        await until(lambda: brain.of(Answered))
        assert brain.of(Answered) == [Answered(query, MailFound(None))]


@pytest.mark.threat("S8")
async def test_a_store_that_cannot_be_read_is_an_answer_too(tmp_path: Path, disk: Disk) -> None:
    query = FindMail(1, "public", "r")
    brain = Brain(lambda event: [Ask(query)] if isinstance(event, FrameReceived) else ())
    async with running(tmp_path, brain, disk=disk) as shell:
        ws = await shell.connect()
        await ws.send_str(message())
        await until(lambda: disk.answers)
        disk.answers[0].set_exception(StorageError("it is locked; close the other program"))
        await until(lambda: brain.of(Answered))
        assert brain.of(Answered) == [Answered(query, None)]


async def test_a_failed_commit_still_closes_and_notes(tmp_path: Path, disk: Disk) -> None:
    def closing(event: Event) -> Sequence[Effect]:
        if not isinstance(event, FrameReceived):
            return ()
        return [
            Persist(PROMISE),
            Send((event.link,), frame()),
            Note(Level.INFO, "server.links", "gone"),
            Close(event.link, 1008, "no"),
        ]

    async with running(tmp_path, Brain(closing), disk=disk) as shell:
        ws = await shell.connect()
        await ws.send_str(message())
        await until(lambda: disk.waiting)
        disk.waiting[0].set_exception(StorageError("no"))
        assert (await said(ws)) == {"type": "CTRL_CLOSE"}
        assert await ended(ws) == 1008


async def test_a_long_frame_is_welcome_as_soon_as_the_peer_is_known(
    tmp_path: Path, disk: Disk
) -> None:
    def knowing(event: Event) -> Sequence[Effect]:
        if isinstance(event, FrameReceived) and event.envelope.type == "HELLO":
            return [Persist(PROMISE), Identified(event.link, Kind.SERVER, "x")]
        return ()

    brain = Brain(knowing)
    async with running(tmp_path, brain, disk=disk) as shell:
        ws = await shell.connect()
        await ws.send_str(message("HELLO"))
        await until(lambda: disk.waiting)
        await ws.send_str(message("LONG", text="x" * 200_000))
        await until(lambda: len(brain.of(FrameReceived)) == 2)


async def test_a_note_goes_to_the_logger_it_names(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    note = Note(Level.WARNING, "server.links", "refused 100% of them")
    brain = Brain(lambda event: [note] if isinstance(event, FrameReceived) else ())
    with caplog.at_level(logging.INFO):
        async with running(tmp_path, brain) as shell:
            ws = await shell.connect()
            await ws.send_str(message())
            await until(lambda: caplog.records)
    record = caplog.records[0]
    assert (record.name, record.getMessage()) == ("server.links", "refused 100% of them")
