"""`content/1` through the library: the disk, the socket and a server that keeps mail (section
11)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from socp.client.unlocking import unlock
from socp.crypto.symbolic import SymbolicSuite
from socp.member.effects import Amended, GapFound, MessageArrived
from socp.member.records import LineState
from socp.storage.profile_store import ProfileStore
from socp.wire import content
from socp.wire.content import Body, Delete, Edit, Place, Reaction, Receipt, Resend, Text
from tests.client.mailbox_server import Absent, MailServer, keeping, made_known
from tests.client.people import somebody
from tests.client.v13_server import Frame, Link, now_ms

pytestmark = pytest.mark.spec("11")

THEIR_RUN = "b" * 16


@pytest.fixture
async def server(suite: SymbolicSuite) -> AsyncIterator[MailServer]:
    async with keeping(suite) as started:
        yield started


def run_of(folder: Path) -> str:
    with ProfileStore.open(folder / "alice", lambda: unlock(folder / "alice", None)) as store:
        settings = store.settings()
    assert settings is not None
    return settings.run


def kept_by(bob: Absent, link: Link, body: Body, seq: int) -> str:
    return bob.wrote(link, content.encode(body, Place(THEIR_RUN, seq, "")), now_ms())


async def test_numbers_go_on_over_restarts_in_one_run(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite
) -> None:
    _, bob = await made_known(tmp_path, server, suite)
    places = []
    for number in (1, 2, 3):
        async with somebody(tmp_path, server.url, suite) as alice:
            line = await alice.me.send(bob.id, f"{number}")
            await line.settled()
            frame = await (await server.link(number)).hears("MSG_DIRECT")
            places.append((bob.reads(frame)[1], line.msg_ref))
    run = run_of(tmp_path)
    assert [place for place, _ in places] == [
        Place(run, 1, ""),
        Place(run, 2, places[0][1]),
        Place(run, 3, places[1][1]),
    ]


async def test_what_a_reader_misses_goes_again_from_the_disk_byte_for_byte(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite
) -> None:
    first, bob = await made_known(tmp_path, server, suite)
    async with somebody(tmp_path, server.url, suite) as alice:
        for text in ("one", "two"):
            await (await alice.me.send(bob.id, text)).settled()
    sent: list[Frame] = [f for f in (await server.link(1)).heard if f["type"] == "MSG_DIRECT"]
    kept_by(bob, first, Resend(of_run=run_of(tmp_path), from_seq=1, to_seq=2), 1)
    async with somebody(tmp_path, server.url, suite):
        link = await server.link(2)
        assert [await link.hears("MSG_DIRECT") for _ in sent] == sent


async def test_what_was_read_is_said_to_its_author(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite
) -> None:
    first, bob = await made_known(tmp_path, server, suite)
    ref = kept_by(bob, first, Text(body="hello"), 1)
    async with somebody(tmp_path, server.url, suite):
        frame = await (await server.link(1)).hears("MSG_DIRECT")
        assert bob.reads(frame)[0] == Receipt(of=(ref,), state="read")


async def test_whether_it_is_said_is_remembered(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite
) -> None:
    first, bob = await made_known(tmp_path, server, suite)
    async with somebody(tmp_path, server.url, suite) as alice:
        assert alice.me.tells_read
        await alice.me.choose_receipts(delivered=False, read=False)
    refs = [kept_by(bob, first, Text(body="hello"), seq) for seq in (1, 2)]
    async with somebody(tmp_path, server.url, suite) as alice:
        await server.all_acked(await server.link(2), *refs)
        assert not alice.me.tells_read
        await alice.me.choose_receipts(delivered=False, read=True)
        third = kept_by(bob, first, Text(body="hello?"), 3)
    async with somebody(tmp_path, server.url, suite):
        frame = await (await server.link(3)).hears("MSG_DIRECT")
        assert bob.reads(frame)[0] == Receipt(of=(third,), state="read")


async def test_who_reads_a_message_and_leaves_at_once_says_that_it_was_read(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socp.member.receipts.GATHERED_MS", 3_600_000)
    first, bob = await made_known(tmp_path, server, suite)
    theirs = kept_by(bob, first, Text(body="hello"), 1)
    async with somebody(tmp_path, server.url, suite) as alice:
        link = await server.link(1)
        await alice.hears(MessageArrived)
    frame = await link.hears("MSG_DIRECT")
    assert bob.reads(frame)[0] == Receipt(of=(theirs,), state="read")
    assert await link.closed() == 1000


async def test_what_changes_is_said_and_heard(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite
) -> None:
    first, bob = await made_known(tmp_path, server, suite)
    theirs = kept_by(bob, first, Text(body="hello"), 1)
    kept_by(bob, first, Edit(of=theirs, body="hello!"), 2)
    async with somebody(tmp_path, server.url, suite) as alice:
        link = await server.link(1)
        changed = await alice.hears(Amended)
        assert (changed.of, changed.body) == (theirs, "hello!")
        line = await alice.me.send(bob.id, "hi", reply_to=theirs)
        await line.settled()
        for change in (
            alice.me.edit(bob.id, line.msg_ref, "hi!"),
            alice.me.react(bob.id, theirs, "👋"),
            alice.me.delete(bob.id, line.msg_ref),
        ):
            assert await (await change).settled() is LineState.DONE
        bodies = [bob.reads(f)[0] for f in link.heard if f["type"] == "MSG_DIRECT"]
        said = [body for body in bodies if not isinstance(body, Receipt)]
        assert said == [
            Text(body="hi", reply_to=theirs),
            Edit(of=line.msg_ref, body="hi!"),
            Reaction(of=theirs, emoji="👋"),
            Delete(of=line.msg_ref),
        ]
        mine = [told for told in alice.heard(Amended) if told.author == alice.me.user_id]
        assert [told.kind for told in mine] == ["edit", "reaction", "delete"]


@pytest.mark.threat("M4")
async def test_a_change_that_the_history_refuses_is_not_told(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite
) -> None:
    first, bob = await made_known(tmp_path, server, suite)
    async with somebody(tmp_path, server.url, suite) as alice:
        line = await alice.me.send(bob.id, "yes")
        await line.settled()
    ours = line.msg_ref
    named = content.encode(Text(body="mine"), Place(THEIR_RUN, 1, "", ours))
    theirs = bob.wrote(first, named, now_ms())  # says that it is called as ours is
    kept_by(bob, first, Edit(of=ours, body="no"), 2)
    kept_by(bob, first, Delete(of=ours), 3)
    kept_by(bob, first, Edit(of=theirs, body="mine!"), 4)
    async with somebody(tmp_path, server.url, suite) as alice:
        await alice.hears(Amended, lambda told: told.of == theirs)
        await alice.me.edit("public", ours, "elsewhere")
        await alice.me.react(bob.id, ours, "+")
        await alice.hears(Amended, lambda told: told.kind == "reaction")
        assert [told.of for told in alice.heard(Amended)] == [theirs, ours]
        found = await alice.me.line_of(ours)
        assert found is not None
        assert (found.text, found.deleted) == ("yes", False)


async def test_a_gap_is_known_after_a_restart(
    tmp_path: Path, server: MailServer, suite: SymbolicSuite
) -> None:
    first, bob = await made_known(tmp_path, server, suite)
    kept_by(bob, first, Text(body="one"), 1)
    async with somebody(tmp_path, server.url, suite) as alice:
        await alice.hears(MessageArrived, lambda told: told.text == "one")
    kept_by(bob, first, Text(body="three"), 3)
    async with somebody(tmp_path, server.url, suite) as alice:
        gap = await alice.hears(GapFound, seconds=20)
        assert (gap.author, gap.count, gap.asked) == (bob.id, 1, True)
