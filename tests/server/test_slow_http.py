"""Plain HTTP to somebody who asks and never reads (section 12)."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from socp.server import front
from socp.server.http_api import document
from socp.wire import limits
from tests.server.rig import Shell, running

pytestmark = [pytest.mark.spec("12"), pytest.mark.threat("S2")]


def request(shell: Shell, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{shell.port}\r\n\r\n".encode()


def deaf(shell: Shell) -> socket.socket:
    """A connection whose other end takes next to nothing, and never reads."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    made.connect(("127.0.0.1", shell.port))
    return made


async def is_cut(ours: socket.socket) -> bool:
    """Whether the server ended it hard, within some seconds."""
    for _ in range(300):
        try:
            ours.send(b"G", socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
        except OSError:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_who_asks_and_never_reads_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OUTBOX_STALL_S", 0.3)
    monkeypatch.setattr(front, "REQUESTS_MAX", 100_000)
    async with running(tmp_path) as shell:
        with deaf(shell) as ours:
            ours.sendall(request(shell, document.PATH) * 300)
            assert await is_cut(ours)


async def test_who_reads_slowly_but_reads_gets_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OUTBOX_STALL_S", 0.2)
    async with running(tmp_path) as shell:
        reader, writer = await asyncio.open_connection("127.0.0.1", shell.port, limit=4096)
        shell.writers.append(writer)
        writer.write(request(shell, document.PATH) * 100)
        got = b""
        async with asyncio.timeout(60):
            while got.count(b"HTTP/1.1 200") < 100:
                got += await reader.read(65536)
                await asyncio.sleep(0.03)


async def test_a_connection_ends_after_so_many_requests_and_a_new_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "REQUESTS_MAX", 3)
    async with running(tmp_path) as shell:
        reader, writer = await asyncio.open_connection("127.0.0.1", shell.port)
        shell.writers.append(writer)
        writer.write(request(shell, "/healthz") * 10)
        said = await asyncio.wait_for(reader.read(), 60)
        assert said.count(b"HTTP/1.1 200") == 3
        assert b"Connection: close" in said
        for _ in range(7):
            async with shell.session.get(shell.url + "/healthz") as response:
                assert response.status == 200
