"""Looking back, from a client and beside one (threat P4)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from socp.client.errors import (
    AmbiguousPerson,
    ClientClosed,
    ProfileResealed,
    ProfileUnusable,
    UnknownPerson,
)
from socp.client.history import History
from socp.client.profile_folder import Chosen, open_profile
from socp.client.resealing import reseal
from socp.client.unlocking import Plain
from socp.crypto.symbolic import SymbolicSuite
from socp.member.effects import MessageArrived
from tests.client.people import FRIEND_ID, somebody, two
from tests.client.v13_server import Server


def within(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def test_what_was_said_can_be_looked_up_at_once_and_at_the_next_start(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with two(tmp_path, server, suite) as (alice, link, bob):
        await bob.tells(link, suite, "shall we meet?")
        came = await alice.hears(MessageArrived)
        await alice.me.send(FRIEND_ID, "at the Harbour")
        lines = await alice.me.history(FRIEND_ID)
        assert [line.text for line in lines] == ["shall we meet?", "at the Harbour"]
        assert [line.author for line in lines] == [FRIEND_ID, alice.me.user_id]
        assert [line.text for line in await alice.me.search("harbour")] == ["at the Harbour"]
        assert await alice.me.search("harbour", who="public") == []
        assert await alice.me.line_of(came.msg_ref) == lines[0]
        assert await alice.me.line_of("n" * 43) is None
        assert lines[0].number == came.said
    async with somebody(tmp_path, server.url, suite) as again:
        assert [line.number for line in await again.me.history(FRIEND_ID)] == [1, 2]
        assert await again.me.history(FRIEND_ID, before=2, limit=5) == lines[:1]
        after = await again.me.history_after(FRIEND_ID, lines[0].number, limit=1)
        assert [line.number for line in after] == [2]
        (conversation,) = await again.me.conversations()
        assert (conversation.talk, conversation.last.text) == (FRIEND_ID, "at the Harbour")


async def test_a_message_is_unread_until_it_is_shown(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with two(tmp_path, server, suite) as (alice, link, bob):
        await bob.tells(link, suite, "hello")
        await alice.hears(MessageArrived)
        await bob.tells(link, suite, "once more")  # asked for the next: the first was seen
        await alice.hears(MessageArrived, lambda told: told.text == "once more")
        async with asyncio.timeout(60):
            (conversation,) = await alice.me.conversations()
            while conversation.unread:
                (conversation,) = await alice.me.conversations()
        assert conversation.last.text == "once more"


async def test_history_is_read_beside_the_process_that_has_the_profile(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with two(tmp_path, server, suite) as (alice, link, bob):
        await bob.tells(link, suite, "hello")
        await alice.hears(MessageArrived)
        async with History.open(tmp_path / "alice") as saved:
            assert saved.user_id == alice.me.user_id
            assert saved.find("bob") == FRIEND_ID
            assert [line.text for line in await saved.lines(FRIEND_ID)] == ["hello"]
            assert [line.text for line in await saved.search("ELL")] == ["hello"]
            with pytest.raises(UnknownPerson, match="nobody known is called"):
                saved.find("carol")
            await bob.tells(link, suite, "and on")
            await alice.hears(MessageArrived, lambda told: told.text == "and on")
            assert len(await saved.lines(FRIEND_ID)) == 2


async def test_where_there_is_no_profile_it_says_how_to_begin_one(tmp_path: Path) -> None:
    with pytest.raises(ProfileUnusable, match=r"socp chat"):
        async with History.open(tmp_path / "nobody"):
            pass
    assert within(tmp_path) == []


async def test_a_closed_client_has_no_history(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with somebody(tmp_path, server.url, suite) as alice:
        assert await alice.me.conversations() == []
    with pytest.raises(ClientClosed, match="closed; open it again"):
        await alice.me.history("public")


async def test_a_name_of_several_people_is_asked_about(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    async with two(tmp_path, server, suite) as (alice, link, bob):
        await bob.tells(link, suite, "hello")
        other = type(bob)(suite.generate(), id="22222222-2222-4222-8222-222222222222")
        await other.comes(link)
        await other.tells(link, suite, "hello too")
        await alice.hears(MessageArrived, lambda told: told.text == "hello too")
        async with History.open(tmp_path / "alice") as saved:
            with pytest.raises(AmbiguousPerson, match="say which"):
                saved.find("bob")


async def test_a_profile_whose_vault_key_is_gone_is_not_taken_for_one_of_before(
    tmp_path: Path, suite: SymbolicSuite
) -> None:
    open_profile(tmp_path, Chosen("Alice"), suite, Plain()).store.close()
    (tmp_path / "vault.key").unlink()
    with pytest.raises(ProfileUnusable, match=r"vault.key is gone.*restore it from a backup"):
        async with History.open(tmp_path):
            pass


@pytest.mark.threat("P4")
async def test_who_looks_back_while_the_profile_gets_a_new_key_is_told_to_open_it_again(
    tmp_path: Path, server: Server, suite: SymbolicSuite
) -> None:
    folder = tmp_path / "alice"
    async with two(tmp_path, server, suite) as (alice, link, bob):
        await bob.tells(link, suite, "hello")
        await alice.hears(MessageArrived)
    async with History.open(folder) as saved:
        assert len(await saved.lines(FRIEND_ID)) == 1
        await asyncio.to_thread(reseal, folder, None, Plain())
        for question in (saved.lines(FRIEND_ID), saved.search("hello"), saved.conversations()):
            with pytest.raises(ProfileResealed, match="open it again"):
                await question
    async with History.open(folder) as saved:
        assert len(await saved.lines(FRIEND_ID)) == 1
