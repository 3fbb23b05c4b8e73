"""Three servers over real sockets: every order, one killed, one refused ("Done when" 3 and 4)."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from socp.client.notices import Offline
from socp.member.effects import Online
from tests import logbook
from tests.client.people import Person
from tests.mesh.default_ports import default_ports
from tests.mesh.folk import folk, is_told, reads, see_each_other, send_files, talk
from tests.mesh.health import health
from tests.mesh.launch import Running, running
from tests.mesh.stored import give_key

__all__ = ["default_ports"]

BACK_S = 10.0  # from the last start until all are linked: half of it where nobody else works
PAUSE_S = 3.0  # that a message may take, whatever happens to a third server
FILE_BYTES = 10 * 2**20
ORDERS = list(itertools.permutations(range(3)))


def linked(*servers: Running) -> bool:
    return all(health(server)["servers"] == len(servers) - 1 for server in servers)


def within(seconds: float, condition: Callable[[], bool]) -> float:
    """How long it took until it held; a failure when it took longer."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "still not so"
        time.sleep(0.02)
    return time.monotonic() - began


def admin(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "socp.cli.main", "admin", "--data-dir", str(folder / "data")]
    return subprocess.run([*command, *words], capture_output=True, text=True, timeout=100)


@pytest.mark.together("default ports")
@pytest.mark.spec("5")
@pytest.mark.timeout(240)
@pytest.mark.parametrize("order", ORDERS, ids=str)
async def test_in_any_order_three_servers_find_each_other_and_their_users_talk(
    order: tuple[int, int, int], default_ports: tuple[int, int, int], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        servers = []
        for n in order:
            folder = tmp_path / str(n)
            give_key(folder, n + 3)
            servers.append(stack.enter_context(running(folder, port=default_ports[n])))
        within(BACK_S, lambda: linked(*servers))
        async with folk(tmp_path, servers) as people:
            await see_each_other(people)
            await talk(people)
            if order == ORDERS[-1]:  # any of them will do
                files = [tmp_path / "to one.bin", tmp_path / "to all.bin"]
                for file in files:
                    file.write_bytes(os.urandom(FILE_BYTES))
                await send_files(people, *files)
        for server in servers:
            assert "Traceback" not in server.log()
        stops = [threading.Thread(target=server.stop) for server in servers]  # all at once
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join(5)
        assert [server.process.poll() for server in servers] == [0, 0, 0]


async def chatter(author: Person, reader: Person, end: asyncio.Event) -> float:
    """The longest that a message took until `end`, in seconds, one after another."""
    longest, number = 0.0, 0
    while not end.is_set():
        text, began = f"is it still going on, {number}", time.monotonic()
        logbook.said(text)
        await author.me.send(reader.me.user_id, text)
        await reads(reader, author, text, public=False)
        longest, number = max(longest, time.monotonic() - began), number + 1
    assert number > 10
    return longest


@pytest.mark.alone
@pytest.mark.together("default ports")
@pytest.mark.spec("5")
@pytest.mark.threat("S8")
async def test_one_of_three_is_killed_and_comes_back_as_itself_and_the_others_talk_on(
    default_ports: tuple[int, int, int], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        fingerprints = [give_key(tmp_path / str(n), n + 3) for n in range(3)]
        servers = [
            stack.enter_context(running(tmp_path / str(n), port=port))
            for n, port in enumerate(default_ports)
        ]
        within(BACK_S, lambda: linked(*servers))
        victim, rest = servers[1], [servers[0], servers[2]]
        before = health(victim)["server_id"]
        async with folk(tmp_path, servers) as (alice, bob, carol):
            await see_each_other([alice, bob, carol])
            end = asyncio.Event()
            talking = asyncio.create_task(chatter(alice, carol, end))
            await asyncio.to_thread(victim.stop, signal.SIGKILL)
            await bob.hears(Offline)
            await asyncio.to_thread(within, BACK_S, lambda: linked(*rest))
            for other in (alice, carol):
                await is_told(other, bob, online=False)
            bob.told.clear()  # he is told of everybody again
            restart = running(tmp_path / "1", port=default_ports[1])
            again = await asyncio.to_thread(stack.enter_context, restart)
            began = time.monotonic()
            await asyncio.to_thread(within, BACK_S, lambda: linked(again, *rest))
            back: Online = await bob.hears(Online)
            await see_each_other([alice, bob])
            await see_each_other([bob, carol])
            assert time.monotonic() - began < BACK_S
            assert (back.server_id, back.fingerprint) == (before, fingerprints[1])
            end.set()
            assert await talking < PAUSE_S
            await talk([alice, bob, carol])
        assert health(again)["server_id"] == before
        again.wait_for(f"Loaded RSA-4096 keypair {fingerprints[1]}")
        for server in rest:
            lost = [line for line in server.lines if "Link with server" in line]
            assert len(lost) == 1, "the two others never lost each other"
            assert before in lost[0]


@pytest.mark.spec("5")
def test_what_a_refused_peer_tells_the_operator_to_type_lets_it_in(tmp_path: Path) -> None:
    with ExitStack() as stack:
        first_key = give_key(tmp_path / "a", 0)
        second_key = give_key(tmp_path / "b", 1)
        first = stack.enter_context(running(tmp_path / "a", "--bootstrap", "none"))
        known = f"ws://localhost:{first.port}#{first_key}"
        second = stack.enter_context(running(tmp_path / "b", "--bootstrap", known))
        refused = first.wait_for(r"socp admin --data-dir (\S+) admit ([0-9a-f]{64})")
        assert refused[1] == str(tmp_path / "a" / "data")
        assert refused[2] == second_key
        second.wait_for(f"admit {second_key}")

        admitted = admin(tmp_path / "a", "admit", second_key)
        assert (admitted.returncode, admitted.stderr) == (0, "")
        within(BACK_S, lambda: linked(first, second))
        listed = admin(tmp_path / "a", "servers")
        assert re.search(f"linked.*{second_key}", listed.stdout)

        assert admin(tmp_path / "a", "ban", second_key).returncode == 0
        within(BACK_S, lambda: health(first)["servers"] == 0)
        assert first.stop() == 0
    silent = admin(tmp_path / "a", "servers")
    assert silent.returncode == 2
    assert silent.stderr.startswith("socp admin: no server runs on")
    assert silent.stderr.count("\n") == 1
