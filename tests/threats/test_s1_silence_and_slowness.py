"""S1: silent sockets, byte-a-minute requests and frames, never-finished fragments."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from socp.bench.raw_link import HANDSHAKE, masked
from socp.server import framing
from socp.wire import limits
from tests.mesh.launch import Running, running

SLACK_S = (
    6  # 2 for the goodbye, 1 for the clock that looks, 1 for the first byte, and a busy machine
)
TRICKLE_S = 1.0  # between two bytes of who sends them one by one

Drip = Callable[[int], bytes]  # what is sent in the n-th second


def silent(_n: int) -> bytes:
    return b""


def half_a_request(n: int) -> bytes:
    return (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 60)[n : n + 1]


def upgraded_and_silent(n: int) -> bytes:
    return HANDSHAKE if n == 0 else b""


def a_frame_byte_by_byte(n: int) -> bytes:
    return HANDSHAKE if n == 0 else masked(b" " * 60)[n - 1 : n]


def fragments_without_end(n: int) -> bytes:
    if n == 0:
        return HANDSHAKE
    first, more = framing.TEXT, 0x0
    return bytes([first if n == 1 else more]) + framing.from_dialler(0, b"x")[1:]


def pings_and_nothing_else(n: int) -> bytes:
    return HANDSHAKE if n == 0 else framing.from_dialler(framing.PING, b"")


async def lasted(server: Running, drip: Drip) -> float:
    """How many seconds this one was tolerated."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    began = time.monotonic()

    async def trickle() -> None:
        for n in range(100):
            writer.write(drip(n))
            await asyncio.sleep(TRICKLE_S)

    trickling = asyncio.ensure_future(trickle())
    try:
        async with asyncio.timeout(30):
            while await reader.read(1000):
                pass
    except ConnectionError:
        pass
    finally:
        trickling.cancel()
        writer.close()
    return time.monotonic() - began


async def neighbour(server: Running, done: asyncio.Event) -> float:
    """The longest that a health check took meanwhile, in seconds."""
    worst = 0.0
    while not done.is_set():
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == "ok"
        writer.close()
        worst = max(worst, time.monotonic() - began)
        await asyncio.sleep(0.2)
    return worst


@pytest.mark.threat("S1")
async def test_whoever_takes_longer_than_ten_seconds_is_gone(tmp_path: Path) -> None:
    kinds = (
        silent,
        half_a_request,
        upgraded_and_silent,
        a_frame_byte_by_byte,
        fragments_without_end,
        pings_and_nothing_else,
    )
    with running(tmp_path, "--ephemeral", "--bootstrap", "none") as server:
        done = asyncio.Event()
        watching = asyncio.ensure_future(neighbour(server, done))
        times = await asyncio.gather(*(lasted(server, kind) for kind in kinds for _ in range(20)))
        done.set()
        assert await watching < limits.FIRST_FRAME_S / 2
    assert min(times) > limits.FIRST_FRAME_S - 1
    assert max(times) < limits.FIRST_FRAME_S + SLACK_S
