"""S11: `--memory` is kept to whatever comes, and a good user goes on talking."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from socp.bench.memory import push
from socp.bench.raw_link import RawLink, masked
from socp.wire import limits
from tests.keys import test_key
from tests.mesh.health import health, memory_bytes
from tests.mesh.launch import Running, running

PROMISED = limits.MEMORY_BYTES_MIN
ATTACKERS = 150  # a MiB each, were it kept, is more than was promised
FLAGS = ("--bootstrap", "none", "--memory", f"{PROMISED // limits.MIB}M")

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="no way to see memory here"
)


@contextmanager
def serving(folder: Path) -> Iterator[tuple[Running, RawLink, RawLink]]:
    """A server that promised little, and two good users."""
    with running(folder, *FLAGS) as server, ExitStack() as kept:
        users = []
        for _ in range(2):
            user = RawLink.open(server.port, test_key(0))
            kept.enter_context(user.socket)
            user.hello("presence/1")
            user.wait_for("ACK")
            users.append(user)
        yield server, users[0], users[1]


def talk(one: RawLink, other: RawLink) -> None:
    one.message(other.id, 600)
    other.wait_for("USER_DELIVER")
    one.wait_for("ACK")


def attackers(server: Running, kept: ExitStack, *, hello: bool) -> list[RawLink]:
    crowd = []
    for _ in range(ATTACKERS):
        link = RawLink.open(server.port, test_key(1), receive_bytes=4096)
        kept.enter_context(link.socket)
        if hello:
            link.hello("presence/1")
            link.wait_for("ACK")
        crowd.append(link)
    return crowd


@pytest.mark.threat("S11")
@pytest.mark.threat("S1")
def test_half_megabytes_of_many_users_at_once_are_not_kept(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, one, other), ExitStack() as kept:
        crowd = attackers(server, kept, hello=True)
        part = masked(b"{" * (limits.FRAME_BYTES - 1), announced=limits.FRAME_BYTES)
        for _ in range(3):
            for link in crowd:
                push(link.socket, part)
            talk(one, other)
        assert memory_bytes(server, "VmHWM") < PROMISED
        server.wait_for("memory is short, and what it sent was not whole")
        talk(one, other)


@pytest.mark.threat("S11")
def test_bodies_that_never_end_are_not_kept(tmp_path: Path) -> None:
    head = (
        b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % limits.HTTP_BODY_BYTES
    )
    with serving(tmp_path) as (server, one, other), ExitStack() as kept:
        before = memory_bytes(server)
        for _ in range(3 * ATTACKERS):
            found = kept.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            push(found, head + b" " * (limits.HTTP_BODY_BYTES - 1))
        talk(one, other)
        assert memory_bytes(server, "VmHWM") - before < PROMISED // 8
        assert health(server)["status"] == "ok"


@pytest.mark.threat("S11")
def test_links_without_end_are_refused_with_1013_and_those_who_talk_go_on(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, one, other), ExitStack() as kept:
        closed: list[str] = []
        began = time.monotonic()
        while not closed:
            assert time.monotonic() - began < 60, "nobody was refused"
            link = RawLink.open(server.port, test_key(1))
            kept.enter_context(link.socket)
            link.socket.settimeout(0.001)
            try:
                kind, code = link.next()
                kind, code = ("close", link.next()[1]) if kind == "CTRL_CLOSE" else (kind, code)
                closed += [code] if kind == "close" else []
            except TimeoutError:
                continue
        assert closed == ["1013"]
        talk(one, other)
        assert memory_bytes(server, "VmHWM") < PROMISED
