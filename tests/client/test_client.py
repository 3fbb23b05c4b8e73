"""The library on a real socket, against a plain v1.3 server that the test plays."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from socp.client import client as client_module
from socp.client import server_url
from socp.client.client import Client
from socp.client.errors import (
    AmbiguousPerson,
    BadAddress,
    ClientClosed,
    FileUnsendable,
    NoAnswer,
    ProfileBusy,
    ProfileUnusable,
    SealUnchosen,
    UnknownPerson,
    VaultLocked,
)
from socp.client.notices import GivenUp, Offline
from socp.client.profile_folder import Chosen, open_profile
from socp.client.sinks import PARTS, Downloads, Sink
from socp.client.unlocking import Passphrase, Plain
from socp.crypto.symbolic import SymbolicSuite
from socp.keystore import keep, tries
from socp.member.effects import (
    FileDone,
    FileFailed,
    FileOffered,
    LineMoved,
    MessageArrived,
    Online,
    PeerMoved,
    Trust,
    Warned,
)
from socp.member.records import LineState, Record
from socp.storage.errors import StorageError
from socp.storage.profile_store import ProfileStore
from tests.client.people import FRIEND_ID, Friend, somebody, two
from tests.client.v13_server import Server


async def knocks(port: int, times: int) -> None:
    """Return when somebody has tried the port so often, and was sent away."""
    knocked = asyncio.Semaphore(0)

    async def send_away(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        knocked.release()

    async with asyncio.timeout(60), await asyncio.start_server(send_away, "127.0.0.1", port):
        for _ in range(times):
            await knocked.acquire()


# --- the link -----------------------------------------------------------------------------------


@pytest.mark.spec("1")
async def test_who_leaves_says_so_and_closes_with_1000(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with somebody(tmp_path, server.url, suite):
        link = await server.link()
    assert await link.closed() == 1000
    assert link.types[-1] == "CTRL_CLOSE"


async def test_folders_and_files_may_be_given_as_text(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    folder, downloads = str(tmp_path / "alice"), str(tmp_path / "downloads")
    (tmp_path / "report").write_bytes(b"x")
    async with Client.open(
        folder, server.url, name="alice", downloads=downloads, lock=Plain(), suite=suite
    ) as me:
        assert await me.send_file(FRIEND_ID, str(tmp_path / "report"))
        with pytest.raises(FileUnsendable, match="No such file"):
            await me.send_file(FRIEND_ID, str(tmp_path / "none"))


async def test_a_server_is_remembered_once_it_took_us_and_no_other(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with somebody(tmp_path, server.url, suite):
        pass
    async with somebody(tmp_path, "ws://127.0.0.1:9", suite, attached=False) as alice:
        await alice.hears(Offline)
        await alice.me.choose_receipts(delivered=False, read=False)
    async with Client.open(tmp_path / "alice", suite=suite) as me:
        assert me.url == server.url


async def test_a_new_profile_does_not_remember_a_server_that_was_not_there(
    tmp_path: Path, suite: SymbolicSuite
) -> None:
    async with somebody(tmp_path, "ws://127.0.0.1:9", suite, attached=False) as alice:
        await alice.hears(Offline)
    async with Client.open(tmp_path / "alice", suite=suite) as me:
        assert me.url == server_url.DEFAULT


async def test_a_name_stands_for_whom_it_means_and_is_never_a_refused_line(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    async with two(tmp_path, server, suite) as (alice, link, bob):
        await alice.hears(PeerMoved)
        line = await alice.me.send("bob", "hello")
        assert await line.settled() is LineState.DONE
        assert (await link.hears("MSG_DIRECT"))["to"] == bob.id
        assert await alice.me.send_file("bob", file)
        twin = Friend(suite.generate(), id="22222222-2222-4222-8222-222222222222")
        await twin.comes(link)
        await alice.hears(PeerMoved, lambda moved: moved.user_id == twin.id)
        for name, fault in (("ann", UnknownPerson), ("", UnknownPerson), ("bob", AmbiguousPerson)):
            asked: tuple[Coroutine[Any, Any, object], ...] = (
                alice.me.send(name, "hello"),
                alice.me.send_file(name, file),
                alice.me.react(name, "r" * 43, "+"),
            )
            for each in asked:
                with pytest.raises(fault):
                    await each


async def test_what_is_asked_of_a_closed_client_is_refused_and_nobody_is_kept_waiting(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    async with somebody(tmp_path, server.url, suite) as alice:
        me = alice.me
        reading = asyncio.create_task(alice.listen())
    asked = (
        me.send(FRIEND_ID, "too late"),
        me.delete(FRIEND_ID, "ref"),
        me.send_file(FRIEND_ID, file),
        me.cancel_file("file"),
        me.list_users(),
        me.look_up(FRIEND_ID),
        me.unverify(FRIEND_ID),
        me.choose_receipts(delivered=False, read=False),
        me.rotate_key(),
        me.revoke_key(),
    )
    async with asyncio.timeout(60):
        for each in asked:
            with pytest.raises(ClientClosed, match="open the profile again"):
                await each
        await reading  # one that read when it was closed
        assert [notice async for notice in me.events()] == []


@pytest.mark.spec("5")
async def test_a_server_that_goes_is_told_once_and_attached_to_again_when_it_is_back(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with somebody(tmp_path, server.url, suite) as alice:
        await server.stop()
        await knocks(server.port, 2)
        await server.start()
        await alice.hears(Online, lambda told: told is not alice.heard(Online)[0])
        assert alice.me.attached
        (offline,) = alice.heard(Offline)
        assert offline.reason == "the link broke; trying again"


async def test_why_an_outage_goes_on_is_told_once_it_lasts(
    tmp_path: Path, server: Server, suite: SymbolicSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socp.client.attachment.LASTS_S", 0.0)
    async with somebody(tmp_path, server.url, suite) as alice:
        await server.stop()
        await alice.hears(Offline, lambda told: "nothing listens there" in told.reason)
        await server.start()
        await alice.hears(Online, lambda told: told is not alice.heard(Online)[0])
        broke, gone = alice.heard(Offline)
        assert broke.reason == "the link broke; trying again"
        assert gone.reason.startswith("nothing listens there; start a server")


async def test_a_server_that_is_not_there_is_named_with_how_to_start_one(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    await server.stop()
    async with somebody(tmp_path, server.url, suite, attached=False) as alice:
        told = await alice.hears(Offline)
        port = server.url.rpartition(":")[2]
        remedy = f"start a server: script/server (or socp serve) --port {port}"
        assert told.reason == f"nothing listens there; {remedy}; trying again"


@pytest.mark.parametrize(
    ("path", "why"),
    [("/elsewhere", "it sends us elsewhere"), ("/page", "it is no chat server (HTTP 200)")],
)
async def test_only_the_server_that_was_named_is_talked_to(
    tmp_path: Path, server: Server, suite: SymbolicSuite, path: str, why: str
) -> None:
    async with somebody(tmp_path, server.url + path, suite, attached=False) as alice:
        assert why in (await alice.hears(Offline)).reason
        assert not server.links


@pytest.mark.threat("I9")
async def test_a_refusal_that_trying_again_would_not_mend_ends_it(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    server.refuses = ("BAD_KEY", "another key")
    async with somebody(tmp_path, server.url, suite, attached=False) as alice:
        assert "another key" in (await alice.hears(GivenUp)).reason
        assert len(server.links) == 1


async def test_a_refusal_that_passes_is_tried_again(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    server.refuses = ("NAME_IN_USE", "attached already")
    async with somebody(tmp_path, server.url, suite, attached=False) as alice:
        assert "close that client first" in (await alice.hears(Offline)).reason
        server.refuses = None
        await alice.hears(Online)


@pytest.mark.spec("1")
@pytest.mark.threat("S4")
async def test_a_frame_over_the_limit_closes_the_link_with_1009(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with somebody(tmp_path, server.url, suite) as alice:
        link = await server.link()
        await link.say("USER_LIST", {"users": ["x" * 2**20]})
        assert await link.closed() == 1009
        assert "too large" in (await alice.hears(Offline)).reason


@pytest.mark.threat("M7")
async def test_garbage_is_survived(tmp_path: Path, server: Server, suite: SymbolicSuite) -> None:
    async with two(tmp_path, server, suite) as (alice, link, bob):
        await link.socket.send_bytes(b"binary")
        for text in ("", "{", "[" * 500, '{"type":"X","type":"Y"}', "null"):
            await link.socket.send_str(text)
        await bob.tells(link, suite, "still there?")
        assert (await alice.hears(MessageArrived)).text == "still there?"


# --- what is said -------------------------------------------------------------------------------


async def test_a_line_is_done_when_the_server_acknowledges_it(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with two(tmp_path, server, suite) as (alice, link, bob):
        await alice.hears(PeerMoved)
        line = await alice.me.send(alice.me.find("bob"), "hello")
        assert line.state is LineState.SENT
        frame = await link.hears("MSG_DIRECT")
        assert frame["to"] == bob.id
        assert "hello" not in str(frame)
        async with asyncio.timeout(60):
            assert await line.settled() is LineState.DONE


async def test_what_is_said_while_the_server_is_away_goes_out_when_it_is_back(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with two(tmp_path, server, suite) as (alice, _, bob):
        await alice.hears(PeerMoved)
        await server.stop()
        await alice.hears(Offline)
        line = await alice.me.send(bob.id, "kept")
        assert line.state is LineState.WAITING
        await server.start()
        again = await server.link(1)
        await bob.comes(again)
        assert (await again.hears("MSG_DIRECT"))["to"] == bob.id


async def test_what_was_said_is_kept_from_one_run_to_the_next(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with two(tmp_path, server, suite) as (alice, _, bob):
        await alice.hears(PeerMoved)
        await server.stop()
        await alice.hears(Offline)
        await alice.me.send(bob.id, "kept")
    await server.start()
    async with somebody(tmp_path, server.url, suite) as alice:
        again = await server.link(1)
        await bob.comes(again)
        assert (await again.hears("MSG_DIRECT"))["to"] == bob.id


async def test_a_line_that_cannot_be_sent_says_why_at_once(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with somebody(tmp_path, server.url, suite) as alice:
        line = await alice.me.send(alice.me.user_id, "to myself")
        assert (line.state, line.reason) == (LineState.REFUSED, "that is you")
        assert await line.settled() is LineState.REFUSED


async def test_lines_are_told_apart_when_an_older_one_moves_with_a_new_one(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with two(tmp_path, server, suite) as (alice, _, bob):
        await alice.hears(PeerMoved)
        first = await alice.me.send(bob.id, "first")
        second = await alice.me.send(bob.id, "second")
        assert (first.text, second.text) == ("first", "second")
        assert second.line_id > first.line_id


async def test_a_message_comes_with_its_author_and_how_sure_that_is(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with two(tmp_path, server, suite) as (alice, link, bob):
        await bob.tells(link, suite, "hi")
        said = await alice.hears(MessageArrived)
        assert (said.author, said.text, said.public) == (bob.id, "hi", False)
        assert said.trust is Trust.NOT_BOUND


# --- who ----------------------------------------------------------------------------------------


async def test_names_are_found_and_those_shared_by_two_name_both(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with two(tmp_path, server, suite) as (alice, link, bob):
        other = Friend(suite.generate(), id="22222222-2222-4222-8222-222222222222")
        await alice.hears(PeerMoved)
        assert alice.me.find("bob") == bob.id
        assert alice.me.find(bob.id[:4]) == bob.id
        await other.comes(link)
        await alice.hears(PeerMoved, lambda moved: moved.user_id == other.id)
        with pytest.raises(AmbiguousPerson, match="bob#11111111, bob#22222222") as fault:
            alice.me.find("bob")
        assert set(fault.value.user_ids) == {bob.id, other.id}
        with pytest.raises(UnknownPerson, match="nobody known is called"):
            alice.me.find("carol\x1b[2J")


async def test_the_list_is_asked_for_and_waited_for(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with somebody(tmp_path, server.url, suite) as alice:
        assert await alice.me.list_users() == (alice.me.user_id,)


async def test_a_server_that_does_not_answer_is_not_waited_for_long(
    tmp_path: Path, server: Server, suite: SymbolicSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "ANSWER_S", 0.05)
    server.acks = False
    async with somebody(tmp_path, server.url, suite) as alice:
        with pytest.raises(NoAnswer, match="it does not answer; try again later"):
            await alice.me.list_users()


async def test_a_pinned_key_can_be_looked_up(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with two(tmp_path, server, suite) as (alice, _, bob):
        await alice.hears(PeerMoved)
        answer = await alice.me.look_up(FRIEND_ID)
        assert answer.pubkey_fingerprint == bob.key.public.fingerprint


# --- files --------------------------------------------------------------------------------------


@pytest.mark.spec("8")
async def test_a_received_file_is_checked_and_saved(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    content = os.urandom(1000)
    async with two(tmp_path, server, suite) as (alice, link, bob):
        await bob.sends_file(link, suite, "plan.txt", content, hashlib.sha256(content).hexdigest())
        offered = await alice.hears(FileOffered)
        assert (offered.author, offered.name, offered.size) == (bob.id, "plan.txt", 1000)
        done = await alice.hears(FileDone)
        assert Path(done.path) == alice.downloads / "plan.txt"
        assert done.size == len(content)
    assert (alice.downloads / "plan.txt").read_bytes() == content


@pytest.mark.threat("M5")
async def test_a_file_offered_under_a_path_stays_in_the_downloads_folder(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    content = b"x"
    async with two(tmp_path, server, suite) as (alice, link, bob):
        await bob.sends_file(
            link, suite, "../../alice/key.pem", content, hashlib.sha256(content).hexdigest()
        )
        done = await alice.hears(FileDone)
        assert Path(done.path) == alice.downloads / "key.pem"


@pytest.mark.threat("M5")
async def test_a_file_with_another_hash_than_announced_leaves_nothing(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with two(tmp_path, server, suite) as (alice, link, bob):
        await bob.sends_file(link, suite, "plan.txt", b"x" * 900, "0" * 64)
        failed = await alice.hears(FileFailed)
        assert "SHA-256" in failed.reason
        assert not alice.heard(FileDone)
    assert [path.name for path in alice.downloads.rglob("*")] == [PARTS]


async def test_leaving_in_the_middle_of_a_file_leaves_nothing_behind(
    tmp_path: Path, server: Server, suite: SymbolicSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, open_sink, loop = asyncio.Event(), Downloads.open_sink, asyncio.get_running_loop()

    def open_and_say_so(downloads: Downloads, size: int, part: str = "") -> Sink:
        sink = open_sink(downloads, size, part)
        loop.call_soon_threadsafe(opened.set)
        return sink

    monkeypatch.setattr(Downloads, "open_sink", open_and_say_so)
    async with two(tmp_path, server, suite) as (alice, link, bob):
        start = {"file_id": FRIEND_ID, "name": "a", "size": 900, "sha256": "0" * 64, "mode": "dm"}
        await bob.frame(link, "FILE_START", start)
        await asyncio.wait_for(opened.wait(), 60)
        assert list(alice.downloads.glob(f"{PARTS}/*"))
    assert not list(alice.downloads.glob(f"{PARTS}/*"))


@pytest.mark.spec("8")
async def test_a_file_is_sent_in_pieces_that_nobody_else_can_read(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    content = b"secret " * 200
    (tmp_path / "plan.txt").write_bytes(content)
    async with two(tmp_path, server, suite) as (alice, link, bob):
        await alice.hears(PeerMoved)
        file_id = await alice.me.send_file(bob.id, tmp_path / "plan.txt")
        start = await link.hears("FILE_START")
        assert start["payload"]["sha256"] == hashlib.sha256(content).hexdigest()
        await link.hears("FILE_END")
        chunks = [frame for frame in link.heard if frame["type"] == "FILE_CHUNK"]
        assert len(chunks) == 4
        assert "secret" not in str(link.heard)
        assert (await alice.hears(FileDone)).file_id == file_id


async def test_a_file_that_is_not_there_is_refused_before_anything_is_sent(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with two(tmp_path, server, suite) as (alice, link, bob):
        with pytest.raises(FileUnsendable, match="No such file"):
            await alice.me.send_file(bob.id, tmp_path / "absent")
        assert "FILE_START" not in link.types


async def test_a_transfer_can_be_broken_off(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    (tmp_path / "big").write_bytes(bytes(4 * 2**20))
    async with two(tmp_path, server, suite) as (alice, link, bob):
        await alice.hears(PeerMoved)
        file_id = await alice.me.send_file(bob.id, tmp_path / "big")
        await link.hears("FILE_START")
        await alice.me.cancel_file(file_id)
        assert (await alice.hears(FileFailed)).file_id == file_id


# --- opening ------------------------------------------------------------------------------------


async def test_an_address_that_is_none_is_refused_before_a_profile_is_made(
    tmp_path: Path, suite: SymbolicSuite
) -> None:
    with pytest.raises(BadAddress):
        async with somebody(tmp_path, "http://localhost", suite):
            pass
    assert os.listdir(tmp_path) == []


async def test_one_profile_is_one_client(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with somebody(tmp_path, server.url, suite):
        with pytest.raises(ProfileBusy, match="in use by process"):
            async with somebody(tmp_path, server.url, suite):
                pass


@pytest.mark.threat("S8")
async def test_a_disk_that_fails_ends_the_client_with_its_one_line(
    tmp_path: Path, server: Server, suite: SymbolicSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_store: ProfileStore, _records: Sequence[Record]) -> Future[None]:
        failed: Future[None] = Future()
        failed.set_exception(StorageError("the disk is full; make room"))
        return failed

    async def says_something() -> None:
        async with two(tmp_path, server, suite) as (alice, _, bob):
            await alice.hears(PeerMoved)
            monkeypatch.setattr(ProfileStore, "write", full)
            await alice.me.send(bob.id, "lost")
            await asyncio.Event().wait()

    with pytest.raises(ProfileUnusable, match="the disk is full; make room"):
        await says_something()
    monkeypatch.undo()
    async with somebody(tmp_path, server.url, suite):  # the folder was let go of
        pass


async def test_what_the_body_raises_comes_out_as_it_is(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    with pytest.raises(LookupError):
        async with Client.open(
            tmp_path, server.url, name="a", downloads=tmp_path / "d", lock=Plain(), suite=suite
        ):
            raise LookupError


async def test_notices_are_not_lost_before_somebody_listens(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with Client.open(
        tmp_path, server.url, name="a", downloads=tmp_path / "d", lock=Plain(), suite=suite
    ) as me:
        await server.link()
        line = await me.react(FRIEND_ID, "no msg_ref", "+")
        assert line.state is LineState.REFUSED
        async with asyncio.timeout(60):
            async for notice in me.events():
                if isinstance(notice, LineMoved):
                    break
                assert isinstance(notice, Online | Warned)


# --- the vault ----------------------------------------------------------------------------------


@pytest.mark.threat("P4")
async def test_after_the_first_time_the_folder_alone_is_enough(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    words = Passphrase(lambda: "correct horse battery")
    folder, files = tmp_path / "alice", tmp_path / "files"
    with pytest.raises(SealUnchosen):
        async with Client.open(folder, server.url, name="Alice", suite=suite):
            raise LookupError
    async with Client.open(
        folder, server.url, name="Alice", downloads=files, lock=words, suite=suite
    ) as first:
        await server.link()
    with pytest.raises(VaultLocked):
        async with Client.open(folder, suite=suite):
            raise LookupError
    async with Client.open(folder, lock=words, suite=suite) as again:
        await server.link(1)
        assert (again.name, again.url) == ("Alice", server.url)
        assert again.user_id == first.user_id
    profile = open_profile(folder, Chosen(), suite, words)
    profile.store.close()
    assert profile.settings.downloads == str(files)


@pytest.mark.threat("P4")
async def test_who_locked_the_screen_is_let_in_again_by_the_passphrase_alone(
    tmp_path: Path, suite: SymbolicSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tries, "_FIRST_WAIT_MS", 0)
    words = Passphrase(lambda: "correct horse battery")
    async with Client.open(
        tmp_path / "a", "ws://127.0.0.1:9", name="a", lock=words, suite=suite
    ) as me:
        assert me.passphrase.is_set
        assert not await me.passphrase.is_right("wrong horse battery")
        assert await me.passphrase.is_right("correct horse battery")
    async with Client.open(
        tmp_path / "b", "ws://127.0.0.1:9", name="b", lock=Plain(), suite=suite
    ) as me:
        assert not me.passphrase.is_set
        assert not await me.passphrase.is_right("")


@pytest.mark.threat("P4")
async def test_a_profile_in_clear_is_said_to_be_so(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    keep(tmp_path / "alice" / "key.pem", suite.generate())
    async with somebody(tmp_path, server.url, suite) as alice:
        warned = await alice.hears(Warned)
        assert "`socp profile passwd` seals it" in warned.text
