"""Three servers over real sockets: every order, one killed, one refused ("Done when" 3 and 4)."""

from __future__ import annotations

import itertools
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

from tests.mesh.default_ports import default_ports
from tests.mesh.health import health
from tests.mesh.launch import Running, running
from tests.mesh.stored import give_key

__all__ = ["default_ports"]

BACK_S = 5.0  # from the last start until all are linked


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
    return subprocess.run([*command, *words], capture_output=True, text=True, timeout=30)


@pytest.mark.spec("5")
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_three_servers_without_configuration_find_each_other_in_any_order(
    order: tuple[int, int, int], default_ports: tuple[int, int, int], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        servers = []
        for n in order:
            folder = tmp_path / str(n)
            give_key(folder, n)
            servers.append(stack.enter_context(running(folder, port=default_ports[n])))
        within(BACK_S, lambda: linked(*servers))
        for server in servers:
            assert "Traceback" not in server.log()
        stops = [threading.Thread(target=server.stop) for server in servers]  # all at once
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join(5)
        assert [server.process.poll() for server in servers] == [0, 0, 0]


@pytest.mark.spec("5")
@pytest.mark.threat("S8")
def test_one_of_three_is_killed_and_comes_back_as_itself(
    default_ports: tuple[int, int, int], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        fingerprints = [give_key(tmp_path / str(n), n) for n in range(3)]
        servers = [
            stack.enter_context(running(tmp_path / str(n), port=port))
            for n, port in enumerate(default_ports)
        ]
        within(BACK_S, lambda: linked(*servers))
        victim, others = servers[1], [servers[0], servers[2]]
        before = health(victim)["server_id"]
        victim.stop(signal.SIGKILL)
        within(BACK_S, lambda: linked(*others))
        again = stack.enter_context(running(tmp_path / "1", port=default_ports[1]))
        within(BACK_S, lambda: linked(again, *others))
        assert health(again)["server_id"] == before
        again.wait_for(f"Loaded RSA-4096 keypair {fingerprints[1]}")
        for server in others:
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
