"""WebSocket frames by hand, read back by aiohttp's own reader (RFC 6455)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import WSMsgType
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_websocket import WebSocketReader

from socp.server import framing
from socp.server.signers import ready


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_001])
@pytest.mark.parametrize("frame", [framing.from_server, framing.from_dialler])
async def test_every_length_is_read_back(size: int, frame: Callable[[int, bytes], bytes]) -> None:
    loop = asyncio.get_running_loop()
    queue = WebSocketDataQueue(BaseProtocol(loop), 2**20, loop=loop)
    reader = WebSocketReader(queue, 2**20, compress=False, decode_text=False)
    data = bytes(n % 251 for n in range(size))
    framed = frame(framing.TEXT, data)
    reader.feed_data(framed)
    message = await queue.read()
    assert (message.type, message.data) == (WSMsgType.TEXT, data)


def test_where_the_data_begins() -> None:
    for size in (0, 125, 126, 65_535, 65_536):
        assert ready(b"x" * size).text == b"x" * size


def test_a_mask_is_never_the_same_twice() -> None:
    assert len({framing.from_dialler(framing.TEXT, b"the same") for _ in range(50)}) == 50


def test_a_close_reason_is_cut_on_a_character_boundary() -> None:
    data = framing.close_data(1008, "ä" * 100)
    assert data[:2] == b"\x03\xf0"
    assert data[2:].decode() == "ä" * 61
    assert len(data) <= 125
