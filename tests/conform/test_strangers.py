"""Where no SOCP server is: one line that says what is there instead, and what to do."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest
from aiohttp import web

from socp.conform import reaching
from socp.conform.figures import MESSAGE_BYTES
from socp.conform.reaching import BadAddress, checked, http_origin, place
from socp.conform.server_run import CannotRun
from tests.conform.conftest import HASTY
from tests.conform.stage import judge

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def socket_server(talk: Talk) -> AsyncIterator[str]:
    talks: set[asyncio.Task[None]] = set()

    async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.ensure_future(talk(reader, writer)))

    server = await asyncio.start_server(taken, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.gather(*talks, return_exceptions=True)


@asynccontextmanager
async def web_server(handle: Handle) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def hangs_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def speaks_ssh(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    await reader.read()
    writer.close()


async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    await reader.read()
    writer.close()


ANSWER: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: "
)


def never_ends(head: bytes, goes_on: bytes) -> Talk:
    """A WebSocket whose first message has no end."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        line = next(each for each in asked.splitlines() if each.startswith(b"Sec-WebSocket-Key"))
        key = line.partition(b": ")[2] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        writer.write(ANSWER + base64.b64encode(hashlib.sha1(key).digest()) + b"\r\n\r\n" + head)
        for _ in range(2 * MESSAGE_BYTES // len(goes_on)):
            writer.write(goes_on)
            await writer.drain()
        await reader.read()

    return talk


async def not_found(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=404)


async def moved(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("https://elsewhere.example/chat")


def websocket(*said: str, stays: bool = True) -> Handle:
    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for text in said:
            await socket.send_str(text)
        if not stays:
            await socket.close()
        async for _ in socket:
            for text in said:
                await socket.send_str(text)
        return socket

    return handle


async def why(url: str) -> str:
    with pytest.raises(CannotRun) as fault:
        await judge(url, manners=HASTY)
    assert str(fault.value).isprintable()
    return str(fault.value)


@pytest.mark.parametrize(
    ("scheme", "talk", "says"),
    [
        ("ws", hangs_up, "ends the connection before it answers; look whether it wants wss://"),
        ("wss", hangs_up, "ends the connection before it answers; look whether it speaks TLS"),
        ("ws", speaks_ssh, "speaks no HTTP; give the port"),
        ("wss", speaks_ssh, "it speaks no TLS there; try ws://"),
        ("ws", says_nothing, "takes the connection and says nothing"),
    ],
)
async def test_what_is_no_web_server_is_told_so(
    scheme: str, talk: Talk, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "HTTP_S", 0.5)
    async with socket_server(talk) as at:
        assert says in await why(f"{scheme}://{at}")


@pytest.mark.parametrize(
    "talk",
    [
        never_ends(b"\x81\x7f" + (1 << 40).to_bytes(8, "big"), bytes(65_536)),
        never_ends(b"\x01\x01{", (b"\x00\x7d" + bytes(125)) * 500),
    ],
)
async def test_a_message_without_end_is_not_kept(talk: Talk) -> None:
    async with socket_server(talk) as at:
        assert "the link was closed with 1009" in await why(f"ws://{at}")


@pytest.mark.parametrize(
    ("handle", "says"),
    [
        (not_found, "it answers HTTP 404; some servers need a path, such as ws://"),
        (moved, "it sends clients to https://elsewhere.example/chat; give the address"),
        (websocket(), "nobody who speaks SOCP: after USER_HELLO nothing that can be read comes"),
        (websocket("\x1b[2J{"), "nobody who speaks SOCP"),
        (websocket(stays=False), "after USER_HELLO the link was closed with 1000"),
    ],
    ids=["not found", "moved", "silent", "garbage", "closes"],
)
async def test_what_is_no_socp_server_is_told_so(handle: Handle, says: str) -> None:
    async with web_server(handle) as at:
        assert says in await why(f"ws://{at}")


async def test_where_nothing_listens_it_says_so() -> None:
    async with socket_server(hangs_up) as at:
        pass
    assert await why(f"ws://{at}") == (
        f"no WebSocket at ws://{at}: nothing listens there; start the server, or give its port"
    )


@pytest.mark.parametrize(
    ("url", "at"),
    [
        ("ws://localhost:8001", "localhost:8001"),
        ("wss://chat.example.org", "chat.example.org:443"),
        ("ws://[::1]:8001/chat", "[::1]:8001"),
    ],
)
def test_an_address_may_have_a_path(url: str, at: str) -> None:
    assert checked(url) == url
    assert place(url) == at
    assert http_origin(url) == "http" + url.removeprefix("ws").removesuffix("/chat")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8001",
        "http://x",
        "ws://",
        "ws://x:0",
        "ws://x:99999",
        "ws://x:1#f",
        "ws://[x",
    ],
)
def test_what_is_no_address_is_told_how_one_looks(url: str) -> None:
    with pytest.raises(BadAddress, match="write ws://host:port, or wss://"):
        checked(url)
