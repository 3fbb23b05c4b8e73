"""Servers that break one rule each: our own, behind a proxy that bends one thing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from socp.conform.canonical import canonical
from socp.conform.frames import now_ms
from socp.conform.keys import PrivateKey
from socp.conform.verdicts import Verdict

Frame = dict[str, Any]
Hook = Callable[["Through", Frame], list[Frame]]
HANDED_ON = ("Origin", "Host")


def whole(frame: Frame) -> bool:
    """Whether it has what the hooks look at."""
    wanted = {"type": str, "from": str, "ts": int, "payload": dict, "sig": str}
    return all(isinstance(frame.get(name), kind) for name, kind in wanted.items())


def straight(_link: Through, frame: Frame) -> list[Frame]:
    return [frame]


def only(kind: str, hook: Hook) -> Hook:
    """What becomes of frames of this type; all others go on as they are."""
    return lambda link, frame: hook(link, frame) if frame["type"] == kind else [frame]


def lost(_link: Through, _frame: Frame) -> list[Frame]:
    return []


def resigned(**changed: Any) -> Hook:
    """Members of the payload become others, None takes one out; the server signs that."""
    return lambda link, frame: [link.signed(frame, **changed)]


@dataclass
class Bent:
    """`up` and `down` say what becomes of a frame of a guest, and of the server."""

    name: str
    up: Hook = straight
    down: Hook = straight


@dataclass(frozen=True)
class Case:
    """One of them, the rule that it breaks, the rules that are judged, and the verdict."""

    bent: Bent
    breaks: str
    judged: tuple[str, ...]
    verdict: Verdict = Verdict.FAIL
    patient: bool = False


@dataclass
class Through:
    """One connection through the proxy."""

    guest: web.WebSocketResponse
    server: aiohttp.ClientWebSocketResponse
    key: PrivateKey
    first: Frame = field(default_factory=dict)
    last: Frame = field(default_factory=dict)
    """The newest frame of the guest."""
    later: list[Frame] = field(default_factory=list)
    """What else the guest gets, behind what the server says or at once."""
    closing: bool = False
    notes: dict[str, Any] = field(default_factory=dict)
    """What a hook keeps of this connection."""
    _pushed: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def is_user(self) -> bool:
        return self.first.get("type") == "USER_HELLO"

    def signed(self, frame: Frame, **payload: Any) -> Frame:
        """This frame, its payload changed, signed by the server's key."""
        members = {**frame["payload"], **payload}
        members = {name: value for name, value in members.items() if value is not None}
        return {**frame, "payload": members, "sig": self.key.sign(canonical(members))}

    def says(self, kind: str, **payload: Any) -> Frame:
        """A frame of the server's own to this guest."""
        head = {"type": kind, "from": "proxy", "to": self.first.get("from"), "ts": now_ms()}
        return self.signed({**head, "payload": {}}, **payload)

    def push(self, frame: Frame) -> None:
        """The guest gets this now, whoever said something last."""
        task = asyncio.ensure_future(self.guest.send_str(json.dumps(frame)))
        self._pushed.add(task)
        task.add_done_callback(self._pushed.discard)

    async def run(self, bent: Bent) -> None:
        both = [
            asyncio.ensure_future(self._pump(self.guest, self.server, bent.up)),
            asyncio.ensure_future(self._pump(self.server, self.guest, bent.down)),
        ]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        await self.guest.close(code=self.server.close_code or 1000)
        await self.server.close(code=self.guest.close_code or 1000)
        for each in both:
            each.cancel()
        await asyncio.gather(*both, *self._pushed, return_exceptions=True)

    async def _pump(self, source: Any, sink: Any, hook: Hook) -> None:
        with suppress(ConnectionError):
            async for message in source:
                if message.type is aiohttp.WSMsgType.BINARY:
                    await sink.send_bytes(message.data)
                    continue
                for text in self._bent(message.data, hook, by_guest=source is self.guest):
                    await sink.send_str(text)
                while self.later:
                    await self.guest.send_str(json.dumps(self.later.pop(0)))
                if self.closing:
                    return

    def _bent(self, text: str, hook: Hook, *, by_guest: bool) -> list[str]:
        try:
            frame = json.loads(text)
        except ValueError:
            return [text]
        if not isinstance(frame, dict) or not whole(frame):
            return [text]
        if by_guest:
            self.first = self.first or frame
        said = hook(self, frame)
        # What is not bent goes on to the letter: how it is written is judged too.
        return [text if each is frame else json.dumps(each) for each in said]


@asynccontextmanager
async def behind_proxy(url: str, bent: Bent, key: PrivateKey) -> AsyncIterator[str]:
    """The address of the server at `url`, bent; `key` is its own."""
    http = "http" + url.removeprefix("ws")
    async with aiohttp.ClientSession(trust_env=False) as session:

        async def handle(request: web.Request) -> web.StreamResponse:
            headers = {name: request.headers[name] for name in HANDED_ON if name in request.headers}
            if request.headers.get("Upgrade") != "websocket":
                async with session.get(http + request.path, headers=headers) as answer:
                    return web.Response(status=answer.status, body=await answer.read())
            try:
                server = await session.ws_connect(
                    url + request.path, headers=headers, max_msg_size=0
                )
            except aiohttp.WSServerHandshakeError as refusal:
                return web.Response(status=refusal.status)
            guest = web.WebSocketResponse(compress=False, max_msg_size=0)
            await guest.prepare(request)
            through = Through(guest, server, key)
            await through.run(bent)
            return guest

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"ws://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()
