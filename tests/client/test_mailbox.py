"""The library where the server keeps mail: nothing is lost, nothing is shown twice (section 11)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from socp.client.client import Client
from socp.client.unlocking import unlock
from socp.crypto.symbolic import SymbolicSuite
from socp.member.effects import FileDone, LineMoved, MessageArrived
from socp.member.records import LineState
from socp.storage.profile_store import ProfileStore
from tests.client.mailbox_server import MailServer, keeping, made_known
from tests.client.people import Person, somebody
from tests.client.v13_server import now_ms

DAY_MS = 24 * 3_600_000


@pytest.fixture
async def server(suite: SymbolicSuite) -> AsyncIterator[MailServer]:
    async with keeping(suite) as started:
        yield started


def texts(alice: Person) -> list[str]:
    return [told.text for told in alice.heard(MessageArrived)]


async def test_mail_is_acknowledged_when_it_is_on_the_disk_and_shown_once(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite
) -> None:
    link, bob = await made_known(tmp_path, server, suite)
    refs = [bob.wrote(link, f"{day} days ago", now_ms() - day * DAY_MS) for day in (20, 3)]
    async with somebody(tmp_path, server.url, suite) as alice:
        await server.all_acked(await server.link(1), *refs)
        await alice.hears(MessageArrived, lambda told: told.text == "3 days ago")
    with ProfileStore.open(tmp_path / "alice", lambda: unlock(tmp_path / "alice", None)) as store:
        assert {seen.msg_ref for seen in store.load().seen} == set(refs)
        assert store.load().arrived == ()
    assert server.mail == {}
    async with somebody(tmp_path, server.url, suite) as alice:
        assert texts(alice) == []


@pytest.mark.spec("11")
@pytest.mark.threat("M2")
async def test_mail_that_is_handed_out_twice_is_shown_once(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite
) -> None:
    link, bob = await made_known(tmp_path, server, suite)
    ref = bob.wrote(link, "once", now_ms() - DAY_MS)
    server.forgets = False
    async with somebody(tmp_path, server.url, suite) as alice:
        await alice.hears(MessageArrived)
        await server.all_acked(await server.link(1), ref)
    server.acked.clear()
    for number in (2, 3):
        async with somebody(tmp_path, server.url, suite) as alice:
            await server.all_acked(await server.link(number), ref)
            assert texts(alice) == []
        server.acked.clear()


@pytest.mark.spec("11")
async def test_what_was_acknowledged_and_not_read_is_told_at_the_next_start(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite
) -> None:
    link, bob = await made_known(tmp_path, server, suite)
    ref = bob.wrote(link, "read me", now_ms() - DAY_MS)
    async with Client.open(
        tmp_path / "alice", server.url, name="alice", downloads=tmp_path, suite=suite
    ):
        await server.all_acked(await server.link(1), ref)
    assert server.mail == {}
    async with somebody(tmp_path, server.url, suite) as alice:
        assert (await alice.hears(MessageArrived)).msg_ref == ref
    async with somebody(tmp_path, server.url, suite) as alice:
        assert texts(alice) == []


@pytest.mark.spec("11")
async def test_who_takes_a_message_and_asks_for_no_more_is_told_it_again(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite
) -> None:
    link, bob = await made_known(tmp_path, server, suite)
    for text in ("one", "two"):
        bob.wrote(link, text, now_ms() - DAY_MS)
    async with Client.open(
        tmp_path / "alice", server.url, name="alice", downloads=tmp_path, suite=suite
    ) as me:
        async for notice in me.events():
            if isinstance(notice, MessageArrived) and notice.text == "two":
                break
    async with somebody(tmp_path, server.url, suite) as alice:
        await alice.hears(MessageArrived)
        assert texts(alice) == ["two"]


async def test_who_says_themselves_what_was_shown_is_believed(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite
) -> None:
    link, bob = await made_known(tmp_path, server, suite)
    for text in ("one", "two"):
        bob.wrote(link, text, now_ms() - DAY_MS)
    async with Client.open(
        tmp_path / "alice", server.url, name="alice", downloads=tmp_path, suite=suite
    ) as me:
        async for notice in me.notices():
            if isinstance(notice, MessageArrived) and notice.text == "two":
                me.shown(notice)
                break
    me.shown(notice)  # too late to be remembered, and harmless
    async with somebody(tmp_path, server.url, suite) as alice:
        await alice.hears(MessageArrived)
        assert texts(alice) == ["one"]


@pytest.mark.spec("11")
async def test_a_line_to_somebody_away_is_kept_for_them_and_delivered_later(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite
) -> None:
    _, bob = await made_known(tmp_path, server, suite)
    async with somebody(tmp_path, server.url, suite) as alice:
        link = await server.link(1)
        line = await alice.me.send(bob.id, "hello")
        async with asyncio.timeout(60):
            assert await line.settled() is LineState.DONE
        assert line.reason == "bob is away; a server keeps it until they are back"
        frame = await link.hears("MSG_DIRECT")
        assert frame["payload"]["late"] is True
        server.answers = "delivered"
        await server.answer(link, frame)
        await alice.hears(LineMoved, lambda moved: moved.state is LineState.DELIVERED)
        assert line.state is LineState.DELIVERED


@pytest.mark.spec("11")
@pytest.mark.parametrize("whose", ["the server", "the client"])
async def test_the_same_bytes_go_again_after_a_kill(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite, whose: str
) -> None:
    _, bob = await made_known(tmp_path, server, suite)
    server.answers = ""
    async with somebody(tmp_path, server.url, suite) as alice:
        link = await server.link(1)
        await alice.me.send(bob.id, "hello")
        await link.hears("MSG_DIRECT")
        if whose == "the server":
            await server.stop()
            await server.start()
            again = await server.link(2)
            await again.hears("MSG_DIRECT")
    if whose == "the client":
        async with somebody(tmp_path, server.url, suite):
            again = await server.link(2)
            await again.hears("MSG_DIRECT")
    first, second = (
        next(raw for raw in one.raw if '"MSG_DIRECT"' in raw[:40]) for one in (link, again)
    )
    assert first == second


@pytest.mark.spec("8")
async def test_a_file_to_somebody_away_is_left_at_their_server(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite
) -> None:
    _, bob = await made_known(tmp_path, server, suite)
    (tmp_path / "plan.txt").write_bytes(bytes(600_000))
    async with somebody(tmp_path, server.url, suite) as alice:
        assert alice.me.reaches(bob.id)
        await alice.me.send_file(bob.id, tmp_path / "plan.txt")
        done = await alice.hears(FileDone)
        assert done.kept
        link = await server.link(1)
        assert link.types.count("FILE_CHUNK") == 3


@pytest.mark.spec("11")
async def test_a_server_that_never_had_a_mailbox_hears_no_acknowledgement(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite
) -> None:
    server.features = server.features[:2]
    link, bob = await made_known(tmp_path, server, suite)
    bob.wrote(link, "hi", now_ms() - DAY_MS)
    async with somebody(tmp_path, server.url, suite) as alice:
        await alice.hears(MessageArrived)
        line = await alice.me.send(bob.id, "hello")
        assert line.state is LineState.WAITING
        assert not alice.me.reaches(bob.id)
    assert await (await server.link(1)).closed() == 1000
    assert server.acked == []
