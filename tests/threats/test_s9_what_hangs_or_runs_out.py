"""S9: name servers and peers that never answer, ports that are taken, files that run out."""

from __future__ import annotations

import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from socp.bench.raw_link import HANDSHAKE
from socp.server import framing
from tests.mesh.health import health
from tests.mesh.launch import PROJECT, RUN_SERVER, Running, running
from tests.mesh.stored import give_key
from tests.mesh.test_start import fails
from tests.server.test_listeners import has_ipv6

STOP_S = 5.0  # what hangs does so for a minute
HANGING = "hang.example.org"
WITH_A_NAME_SERVER_THAT_SWALLOWS = f"""
import socket, sys, time
real = socket.getaddrinfo
def getaddrinfo(host, *rest, **named):
    if host != {HANGING!r}:
        return real(host, *rest, **named)
    sys.stderr.write("looking up\\n")
    time.sleep(60)
    raise socket.gaierror(-3, "Temporary failure in name resolution")
socket.getaddrinfo = getaddrinfo
sys.path.insert(0, {str(PROJECT / "src")!r})
from socp.server.main import main
sys.exit(main(sys.argv[1:]))
"""


def stopped_within(server: Running, seconds: float) -> None:
    began = time.monotonic()
    assert server.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < seconds


@pytest.mark.threat("S9")
def test_a_name_server_that_never_answers_delays_neither_the_service_nor_the_end(
    tmp_path: Path,
) -> None:
    give_key(tmp_path, 0)
    command = (sys.executable, "-c", WITH_A_NAME_SERVER_THAT_SWALLOWS)
    flags = ("--bootstrap", f"ws://{HANGING}:8001", "--bootstrap", f"ws://{HANGING}:8002")
    with running(tmp_path, *flags, command=command) as server:
        server.wait_for("looking up")
        assert health(server)["status"] == "ok"
        stopped_within(server, STOP_S)
        assert server.log().count("looking up") == 1


@pytest.mark.threat("S9")
def test_a_peer_that_hangs_in_the_handshake_delays_neither_the_service_nor_the_end(
    tmp_path: Path,
) -> None:
    give_key(tmp_path, 0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        port = silent.getsockname()[1]
        with running(tmp_path, "--bootstrap", f"ws://127.0.0.1:{port}") as server:
            dialled, _ = silent.accept()
            with dialled, socket.create_connection(("127.0.0.1", server.port)):
                assert dialled.recv(1000).startswith(b"GET / HTTP/1.1")
                assert health(server)["status"] == "ok"
                stopped_within(server, STOP_S)


FILES = 64
WITH_FEW_FILES = ("sh", "-c", f'ulimit -n {FILES}; exec "$@"', "sh", *RUN_SERVER)


def still_served(link: socket.socket) -> bool:
    """A ping of ours has its pong."""
    link.sendall(framing.from_dialler(framing.PING, b"there?"))
    return link.recv(100).endswith(b"there?")


@pytest.mark.threat("S9")
def test_out_of_files_newcomers_wait_the_log_says_why_once_and_nobody_else_notices(
    tmp_path: Path,
) -> None:
    flags = ("--ephemeral", "--bootstrap", "none")
    with running(tmp_path, *flags, command=WITH_FEW_FILES) as server:
        place = ("127.0.0.1", server.port)
        with socket.create_connection(place, 10) as link:
            link.sendall(HANDSHAKE)
            assert b" 101 " in link.recv(1000)
            crowd = [socket.create_connection(place, 10) for _ in range(FILES + 10)]
            server.wait_for("New connections wait: Too many open files; raise the limit of open")
            assert still_served(link)
            for newcomer in crowd:
                newcomer.close()
            assert health(server)["status"] == "ok"
            assert still_served(link)
        stopped_within(server, STOP_S)
    assert server.log().count("New connections wait") == 1
    assert "Traceback" not in server.log()


@pytest.mark.threat("S9")
@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine")
def test_a_port_that_is_taken_on_one_of_two_addresses_is_named_with_what_to_do() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        line = fails("--ephemeral", "--port", str(other.getsockname()[1]))
    assert "on ::1 is in use by another program; stop it or choose another --port" in line
