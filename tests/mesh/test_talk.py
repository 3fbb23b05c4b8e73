"""Three servers as processes, and people on all three who talk: the main job, end to end."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from socp.client.client import Client
from socp.client.unlocking import Plain
from socp.keystore import pem
from socp.member.effects import FileDone, MessageArrived, PeerMoved
from socp.member.records import LineState
from tests.cli.talkers import Talker, downloads, give_key, talking
from tests.client.people import Person
from tests.keys import test_key
from tests.mesh.launch import Running, running

SERVER_KEYS = (5, 6, 7)
FILE_BYTES = 10 * 2**20
LINKED_S = 5.0
TRANSFER_S = 60.0


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Running]]:
    """Three servers that know each other's keys, started one after another."""
    folder = tmp_path_factory.mktemp("mesh")
    ports = free_ports(len(SERVER_KEYS))
    entries = [
        f"ws://127.0.0.1:{port}#{test_key(number).public.fingerprint}"
        for port, number in zip(ports, SERVER_KEYS, strict=True)
    ]
    with ExitStack() as stack:
        servers = []
        for place, port in enumerate(ports):
            home = folder / str(port)
            (home / "data").mkdir(parents=True, mode=0o700)
            key = home / "data" / "server_key.pem"
            key.touch(mode=0o600)
            key.write_bytes(pem.armour(test_key(SERVER_KEYS[place]).to_bytes()))
            others = [f for at, f in enumerate(entries) if at != place]
            flags = [flag for entry in others for flag in ("--bootstrap", entry)]
            servers.append(stack.enter_context(running(home, *flags, port=port)))
        yield servers


@dataclass
class Three:
    """Alice and Bob at `socp chat`, Carol with the library; each on a server of their own."""

    alice: Talker
    bob: Talker
    carol: Person


@pytest.fixture
async def people(mesh: list[Running], tmp_path: Path) -> AsyncIterator[Three]:
    give_key(tmp_path / "carol", 2)
    where = downloads(tmp_path, "carol")
    with (
        talking(tmp_path, mesh[0].url, "alice", key=0) as alice,
        talking(tmp_path, mesh[1].url, "bob", key=1) as bob,
    ):
        opening = Client.open(
            tmp_path / "carol", mesh[2].url, name="carol", downloads=where, lock=Plain()
        )
        async with opening as client:
            carol = Person(client, where)
            listening = asyncio.create_task(carol.listen())
            yield Three(alice, bob, carol)
            listening.cancel()


def called(name: str) -> Callable[[PeerMoved], bool]:
    return lambda moved: moved.display_name == name


def file_named(name: str) -> Callable[[FileDone], bool]:
    return lambda done: done.name == name


def with_text(text: str, *, public: bool) -> Callable[[MessageArrived], bool]:
    return lambda said: said.text == text and said.public is public


async def see_each_other(three: Three) -> None:
    for name in ("alice", "bob"):
        await three.carol.hears(PeerMoved, called(name))
    await asyncio.to_thread(three.alice.is_told, "bob .*here", seconds=LINKED_S)
    await asyncio.to_thread(three.alice.is_told, "carol .*here", seconds=LINKED_S)
    await asyncio.to_thread(three.bob.is_told, "alice .*here", seconds=LINKED_S)
    await asyncio.to_thread(three.bob.is_told, "carol .*here", seconds=LINKED_S)


@pytest.mark.spec("5")
async def test_people_on_three_servers_see_each_other_and_talk_in_private(people: Three) -> None:
    alice, bob, carol = people.alice, people.bob, people.carol
    await see_each_other(people)
    alice.says("/tell bob from a to b", "/tell carol from a to c")
    bob.says("/tell alice from b to a", "/tell carol from b to c")
    lines = [await carol.me.send(carol.me.find(name), "from c") for name in ("alice", "bob")]
    assert LineState.REFUSED not in {await line.settled() for line in lines}
    await asyncio.to_thread(bob.reads, r"\[private, pinned\] alice: from a to b$")
    await asyncio.to_thread(bob.reads, r"\[private, pinned\] carol: from c$")
    await asyncio.to_thread(alice.reads, r"\[private, pinned\] bob: from b to a$")
    await asyncio.to_thread(alice.reads, r"\[private, pinned\] carol: from c$")
    for text in ("from a to c", "from b to c"):
        await carol.hears(MessageArrived, with_text(text, public=False))
    assert await asyncio.to_thread(alice.leaves) == 0
    assert await asyncio.to_thread(bob.leaves) == 0


@pytest.mark.spec("7")
async def test_what_is_said_to_everyone_reaches_everyone_once(
    people: Three, mesh: list[Running]
) -> None:
    alice, bob, carol = people.alice, people.bob, people.carol
    await see_each_other(people)
    alice.says("/all greetings from a")
    await asyncio.to_thread(bob.reads, r"\[public, pinned\] alice: greetings from a$")
    await carol.hears(MessageArrived, with_text("greetings from a", public=True))
    bob.says("/all greetings from b")
    await carol.hears(MessageArrived, with_text("greetings from b", public=True))
    await asyncio.to_thread(alice.reads, r"\[public, pinned\] bob: greetings from b$")
    line = await carol.me.send("public", "greetings from c")
    assert await line.settled() is LineState.DONE
    for talker in (alice, bob):
        await asyncio.to_thread(talker.reads, r"\[public, pinned\] carol: greetings from c$")
        assert len([row for row in talker.out if ": greetings from" in row]) == 3
    assert len(carol.heard(MessageArrived)) == 2
    assert not any("greetings from" in server.log() for server in mesh)


@pytest.mark.spec("8")
@pytest.mark.timeout(240)
async def test_a_file_of_10_mib_reaches_one_and_everyone_as_it_was_sent(
    people: Three, tmp_path: Path
) -> None:
    alice, bob, carol = people.alice, people.bob, people.carol
    content = os.urandom(FILE_BYTES)
    digest = hashlib.sha256(content).hexdigest()
    (tmp_path / "to one.bin").write_bytes(content)
    (tmp_path / "to all.bin").write_bytes(content)
    await see_each_other(people)

    alice.says(f"/file carol {tmp_path}/to one.bin", f"/file all {tmp_path}/to all.bin")
    await asyncio.to_thread(
        alice.reads, r"to one\.bin \(10\.0 MiB\) sent to carol", seconds=TRANSFER_S
    )
    await asyncio.to_thread(
        alice.reads, r"to all\.bin \(10\.0 MiB\) sent to everyone", seconds=TRANSFER_S
    )
    for name in ("to one.bin", "to all.bin"):
        done = await carol.hears(FileDone, file_named(name), TRANSFER_S)
        assert (done.size, sha256(Path(done.path))) == (FILE_BYTES, digest)
    await asyncio.to_thread(
        bob.reads, r"to all\.bin \(10\.0 MiB\) received .*SHA-256 right", seconds=TRANSFER_S
    )
    assert [path.name for path in visible(bob.downloads)] == ["to all.bin"]
    assert sha256(bob.downloads / "to all.bin") == digest
    assert await asyncio.to_thread(alice.leaves) == 0


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def visible(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]
