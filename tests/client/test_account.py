"""A password set on one machine gives the key back on another, at a real server (section 10)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from socp.client import account, key_files
from socp.client.client import Client
from socp.client.errors import NoAnswer, ProfileUnusable, TurnedAway
from socp.client.http_api import User
from socp.client.key_files import KEY_FILE
from socp.client.unlocking import Plain, unlock
from socp.crypto.keys import RsaSuite
from socp.crypto.passwords import WeakPassword
from socp.member.effects import Online
from socp.wire import limits
from tests import logbook
from tests.mesh.launch import Running, running
from tests.mesh.stored import StoredSuite, give_key

PASSWORD = "correct horse battery"
NOBODY = "99999999-9999-4999-8999-999999999999"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("accounts")
    give_key(folder, 2)
    with running(folder, "--bootstrap", "none") as started:
        yield started


async def attach(folder: Path, server: Running, name: str, key: int) -> tuple[str, str]:
    """(user_id, fingerprint) once the server took them."""
    async with Client.open(
        folder,
        server.url,
        name=name,
        downloads=folder / "files",
        lock=Plain(),
        suite=StoredSuite(key),
    ) as me:
        await once_online(me)
        return me.user_id, me.fingerprint


def fingerprint(folder: Path) -> str:
    return key_files.load(folder, RsaSuite(), unlock(folder, None)).present.public.fingerprint


async def once_online(me: Client) -> None:
    async with asyncio.timeout(60):
        async for notice in me.events():
            if isinstance(notice, Online):
                return
    raise AssertionError("never online")


@pytest.mark.spec("10")
async def test_on_a_new_machine_the_password_makes_the_same_person(
    server: Running, tmp_path: Path
) -> None:
    logbook.said(PASSWORD)
    old, new = tmp_path / "old", tmp_path / "new"
    ann = await attach(old, server, "ann", 4)
    assert await account.set_password(old, server.url, "ann", PASSWORD) == ann[0]
    await account.log_in(new, server.url, "ann", ann[0], PASSWORD, lock=Plain())
    assert fingerprint(new) == fingerprint(old) == ann[1]
    assert (new / KEY_FILE).stat().st_mode & 0o077 == 0
    assert await attach(new, server, "ann", 9) == ann

    await account.set_password(new, server.url, "ann", "another " + PASSWORD)
    with pytest.raises(TurnedAway, match="id or the password is wrong"):
        await account.log_in(tmp_path / "third", server.url, "ann", ann[0], PASSWORD, lock=Plain())
    await account.forget_password(old, server.url, "ann")
    with pytest.raises(TurnedAway, match="id or the password is wrong"):
        await account.log_in(
            tmp_path / "third", server.url, "ann", ann[0], "another " + PASSWORD, lock=Plain()
        )
    assert not (tmp_path / "third").exists()


@pytest.mark.spec("10")
async def test_who_never_set_one_is_told_the_same_as_who_guessed_wrong(
    server: Running, tmp_path: Path
) -> None:
    with pytest.raises(TurnedAway, match="id or the password is wrong"):
        await account.log_in(tmp_path / "x", server.url, "x", NOBODY, PASSWORD, lock=Plain())


async def test_a_folder_with_a_key_is_never_written_over(server: Running, tmp_path: Path) -> None:
    user_id, _ = await attach(tmp_path / "bob", server, "bob", 5)
    await account.set_password(tmp_path / "bob", server.url, "bob", PASSWORD)
    with pytest.raises(ProfileUnusable, match="holds a key already"):
        await account.log_in(tmp_path / "bob", server.url, "bob", user_id, PASSWORD, lock=Plain())


async def test_a_weak_password_never_leaves_the_machine(server: Running, tmp_path: Path) -> None:
    with pytest.raises(WeakPassword):
        await account.set_password(tmp_path, server.url, "x", "short")


async def test_without_a_key_or_a_server_that_knows_it_there_is_nothing_to_seal(
    server: Running, tmp_path: Path
) -> None:
    with pytest.raises(ProfileUnusable, match="nobody has a key"):
        await account.set_password(tmp_path / "new", server.url, "x", PASSWORD)
    await attach(tmp_path / "carol", server, "carol", 6)
    with pytest.raises(ProfileUnusable, match="never was at"):
        await account.set_password(tmp_path / "carol", "ws://127.0.0.1:9", "carol", PASSWORD)


async def test_a_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match="cannot be reached"):
        await account.log_in(
            tmp_path / "x", "ws://127.0.0.1:9", "x", NOBODY, PASSWORD, lock=Plain()
        )


async def test_what_is_no_id_is_not_asked_for(tmp_path: Path) -> None:
    with pytest.raises(TurnedAway, match="no user id"):
        await account.log_in(tmp_path / "x", "ws://127.0.0.1:9", "x", "ann", PASSWORD, lock=Plain())


@pytest.mark.spec("10")
@pytest.mark.threat("I10")
async def test_who_replaced_their_key_can_replace_and_revoke_it_on_a_new_machine(
    tmp_path: Path,
) -> None:
    give_key(tmp_path / "server", 2)
    with running(tmp_path / "server", "--bootstrap", "none") as server:
        old, new = tmp_path / "old", tmp_path / "new"
        user_id, _ = await attach(old, server, "ann", 4)
        async with Client.open(
            old, server.url, name="ann", downloads=old / "files", lock=Plain(), suite=StoredSuite(5)
        ) as me:
            await once_online(me)
            await me.rotate_key()
        await attach(old, server, "ann", 4)
        await account.set_password(old, server.url, "ann", PASSWORD)
        await account.log_in(new, server.url, "ann", user_id, PASSWORD, lock=Plain())
        async with Client.open(
            new, server.url, name="ann", downloads=new / "files", lock=Plain(), suite=StoredSuite(6)
        ) as me:
            await once_online(me)
            await me.revoke_key()


@pytest.mark.parametrize("version", [0, -1, limits.KEY_VERSION_MAX + 1])
def test_a_server_gives_no_key_a_version_that_none_has(version: int) -> None:
    said = {"user_id": NOBODY, "pubkey": "", "version": version}
    with pytest.raises(msgspec.ValidationError, match="version"):
        msgspec.convert(said, User)


@pytest.mark.spec("10")
async def test_who_has_a_replaced_key_is_told_where_to_go_on(
    server: Running, tmp_path: Path
) -> None:
    old, copy = tmp_path / "old", tmp_path / "copy"
    await attach(old, server, "dan", 7)
    shutil.copytree(old, copy)
    async with Client.open(
        old, server.url, name="dan", downloads=old / "files", lock=Plain(), suite=StoredSuite(8)
    ) as me:
        await once_online(me)
        await me.rotate_key()
    for asked in (
        account.set_password(copy, server.url, "dan", PASSWORD),
        account.forget_password(copy, server.url, "dan"),
    ):
        with pytest.raises(TurnedAway, match="replaced on another machine"):
            await asked
