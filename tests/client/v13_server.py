"""A plain v1.3 server on a real socket, played by the test: it greets and remembers."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from socp.wire import base64url
from socp.wire.msg_ref import msg_ref

SERVER_ID = "99999999-9999-4999-8999-999999999999"
PATIENCE_S = 60.0

Frame = dict[str, Any]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(eq=False)
class Link:
    """One client, as the server sees it."""

    socket: web.WebSocketResponse
    transport: asyncio.WriteTransport
    heard: list[Frame] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)  # the same, as they came
    news: asyncio.Event = field(default_factory=asyncio.Event)
    close_code: int | None = None
    taken: int = 0

    async def say(self, kind: str, payload: object, *, to: str = "", ts: int | None = None) -> None:
        """One frame from the server, unsigned."""
        frame = {
            "type": kind,
            "from": SERVER_ID,
            "to": to or self.user_id,
            "ts": now_ms() if ts is None else ts,
            "payload": payload,
        }
        await self.socket.send_str(json.dumps(frame))

    async def hears(self, kind: str) -> Frame:
        """The next frame of this type."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for at, frame in enumerate(self.heard):
                    if at >= self.taken and frame["type"] == kind:
                        self.taken = at + 1
                        return frame
                self.news.clear()
                await self.news.wait()

    async def closed(self) -> int | None:
        """The close code, once the client is gone."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.socket.closed:
                self.news.clear()
                await self.news.wait()
        return self.socket.close_code

    @property
    def user_id(self) -> str:
        return str(self.heard[0]["from"])

    @property
    def types(self) -> list[str]:
        return [frame["type"] for frame in self.heard]


@dataclass
class Server:
    """Listens on one port, which stays its own while it is down."""

    port: int = 0
    links: list[Link] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    greets: bool = True
    refuses: tuple[str, str] | None = None  # code and detail of the ERROR on every hello
    acks: bool = True
    tls: ssl.SSLContext | None = None
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self.tls)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def stop(self) -> None:
        """As if killed: the links are cut."""
        for link in self.links:
            link.transport.abort()
        if self._runner:
            await self._runner.cleanup()

    async def link(self, number: int = 0) -> Link:
        """The number-th link that was ever made, greeted."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.links) <= number or not self.links[number].heard:
                self.news.clear()
                await self.news.wait()
        return self.links[number]

    def made(self, socket: web.WebSocketResponse, transport: asyncio.WriteTransport) -> Link:
        """Our end of a connection."""
        return Link(socket, transport)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/elsewhere":
            raise web.HTTPFound(f"http://127.0.0.1:{self.port}/ws")
        if request.path == "/page":
            return web.Response(text="a page")
        socket = web.WebSocketResponse(max_msg_size=2**21)
        await socket.prepare(request)
        assert isinstance(request.transport, asyncio.WriteTransport)
        link = self.made(socket, request.transport)
        self.links.append(link)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                link.raw.append(message.data)
                await self._heard(link, json.loads(message.data))
        link.news.set()
        return socket

    async def _heard(self, link: Link, frame: Frame) -> None:
        link.heard.append(frame)
        match frame["type"]:
            case "USER_HELLO" if self.refuses:
                code, detail = self.refuses
                payload = {"code": code, "detail": detail, "msg_ref": "USER_HELLO"}
                await link.say("ERROR", payload)
            case "USER_HELLO" if self.greets:
                await link.say("ACK", {"msg_ref": "USER_HELLO", "server_id": SERVER_ID})
            case "MSG_DIRECT" if self.acks:
                raw = base64url.decode(frame["payload"]["ciphertext"])
                ref = msg_ref(raw, frame["from"], frame["to"], frame["ts"])
                await link.say("ACK", {"msg_ref": ref})
            case "FILE_START" | "FILE_END" if self.acks:
                ref = frame["payload"]["file_id"]
                await link.say("ACK", {"msg_ref": ref, "of": frame["type"]})
            case "LIST_REQUEST" if self.acks:
                await link.say("USER_LIST", {"users": [link.user_id]})
        link.news.set()
        self.news.set()


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(tls=tls)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
