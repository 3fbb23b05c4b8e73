"""Keys replaced and revoked in earnest: RSA, sockets, processes, files."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from socp.client.key_files import KEY_FILE
from socp.server import admin
from tests.cli.talkers import Talker, flags, give_key, run, talking
from tests.mesh.launch import Running, running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "server", "--bootstrap", "none") as one:
        yield one


def id_of(talker: Talker, name: str) -> str:
    talker.says(f"/whois {name}")
    return talker.reads(rf"{name}  id  ([0-9a-f-]{{36}})")[1]


@pytest.mark.spec("10")
def test_a_key_is_replaced_followed_and_used_after_a_restart(
    tmp_path: Path, server: Running
) -> None:
    with talking(tmp_path, server.url, "bob", key=1) as bob:
        bob.is_told("connected to")
        with talking(tmp_path, server.url, "alice", key=0) as alice:
            alice.is_told("connected to")
            alice.says("/tell bob before")
            bob.reads(r"\[private, pinned\] alice: before$")
            alice.says("/rotate-key")
            alice.is_told("To go on: /rotate-key yes")
            alice.says("/rotate-key yes")
            alice.is_told("making a new key")
            alice.reads("your key was replaced; it is now", seconds=60)
            bob.is_told("alice's key was replaced, signed by the old one")
            alice.says("/tell bob after")
            bob.reads(r"\[private, pinned\] alice: after$")
            bob.says("/tell alice and back")
            alice.reads(r"\[private, pinned\] bob: and back$")
            assert alice.leaves() == 1  # its first /rotate-key was not carried out
        files = {file.name for file in (tmp_path / "alice").iterdir()}
        assert {KEY_FILE, "key.v1.pem"} <= files
        assert "key.new.pem" not in files
        done = run(tmp_path, *flags(tmp_path, server.url, "alice"), said="/tell bob again\n/quit\n")
        assert done.returncode == 0, done.stderr
        bob.reads(r"\[private, pinned\] alice: again$")
        assert not [line for line in bob.err if "KEY CHANGED" in line]


@pytest.mark.spec("10")
def test_an_id_is_revoked_and_the_profile_attaches_no_more(tmp_path: Path, server: Running) -> None:
    with talking(tmp_path, server.url, "bob", key=1) as bob:
        bob.is_told("connected to")
        give_key(tmp_path / "alice", 0)
        said = "/tell bob farewell\n/wait 0.5\n/revoke-key yes\n"
        done = run(tmp_path, *flags(tmp_path, server.url, "alice"), said=said)
        assert done.returncode == 0, done.stderr
        assert "your id is revoked for ever" in done.stdout
        bob.is_told("alice revoked their id")
        bob.says("/tell alice are you there?")
        bob.is_told("not sent to alice: they revoked this id")
        again = run(tmp_path, *flags(tmp_path, server.url, "alice"), said="/list\n")
        assert again.returncode == 1
        assert "you revoked this id" in again.stderr


@pytest.mark.spec("10")
def test_the_operator_revokes_a_user(tmp_path: Path, server: Running) -> None:
    with (
        talking(tmp_path, server.url, "bob", key=1) as bob,
        talking(tmp_path, server.url, "alice", key=0) as alice,
    ):
        for talker in (bob, alice):
            talker.is_told("connected to")
        alice.is_told("bob .*is here|bob .*are here|bob")
        folder = tmp_path / "server" / "data"
        reply = admin.ask(folder, admin.Request("revoke", id_of(alice, "bob")))
        assert reply.ok, reply.lines
        assert "their link is cut" in reply.lines
        bob.is_told("is not hosted here any more")
        alice.is_told("bob is gone")


@pytest.mark.threat("I10")
def test_a_copy_of_the_profile_ends_what_a_thief_made_of_the_id(
    tmp_path: Path, server: Running
) -> None:
    with talking(tmp_path, server.url, "alice", key=0) as alice:
        alice.is_told("connected to")
        alice.leaves()
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copytree(tmp_path / "alice", copy / "alice")
    with talking(copy, server.url, "alice") as thief:
        thief.is_told("connected to")
        thief.says("/rotate-key yes")
        thief.reads("your key was replaced; it is now", seconds=60)
        thief.is_told("connected to")
        done = run(tmp_path, *flags(tmp_path, server.url, "alice"), said="/revoke-key yes\n")
        assert done.returncode == 0, done.stderr
        assert "your key was replaced on another machine" in done.stderr
        assert "your id is revoked for ever" in done.stdout
        thief.is_told("was revoked by its owner")


@pytest.mark.threat("S8")
def test_a_last_word_that_the_disk_did_not_take_is_told_so_and_can_be_said_again(
    tmp_path: Path, server: Running
) -> None:
    with talking(tmp_path, server.url, "alice", key=0) as alice:
        alice.is_told("connected to")
        file = tmp_path / "server" / "data" / "socp.db"
        with closing(sqlite3.connect(file, isolation_level=None, timeout=60)) as other:
            other.execute("BEGIN IMMEDIATE")
            alice.says("/revoke-key yes")
            alice.is_told("nothing has changed", seconds=30)
            other.execute("ROLLBACK")
        alice.says("/revoke-key yes")
        alice.reads("your id is revoked for ever", seconds=30)
