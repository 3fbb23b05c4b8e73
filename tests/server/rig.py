"""A real shell on real loopback sockets around a brain that does what the test says."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from socp.crypto.fast_sig import OwnSession
from socp.crypto.keys import PrivateKey
from socp.crypto.symbolic import SymbolicSuite
from socp.node.budget import Budget
from socp.node.effects import Effect, Outgoing, Send
from socp.node.events import Event, FrameReceived, LinkId, LinkLost, LinkOpened, Now
from socp.node.queries import Answer, Query
from socp.node.records import Record
from socp.server import listeners
from socp.server.app import App, Parts
from socp.server.guard import Guard
from socp.server.walk import Given

DEADLINE_S = 10
KEY = SymbolicSuite(1).generate()
HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
BUDGET = Budget()
SERVER_ID = "0b5f7e22-94c8-4a7c-9a3b-1f2e3d4c5b6a"


@dataclass(frozen=True)
class Status:
    server_id: str = SERVER_ID
    users: int = 0
    servers: tuple[str, ...] = ()
    mail: int = 0
    is_full: bool = False


@dataclass
class Brain:
    """Notes every event; `answers` says what is to be done about it."""

    answers: Callable[[Event], Sequence[Effect]] = lambda _event: ()
    heard: list[Event] = field(default_factory=list)

    def handle(self, event: Event, now: Now) -> list[Effect]:
        assert now.wall > 0
        self.heard.append(event)
        return list(self.answers(event))

    def status(self) -> Status:
        return Status()

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.heard if isinstance(event, kind)]

    def link(self) -> LinkId:
        """The newest link."""
        opened: LinkOpened = self.of(LinkOpened)[-1]
        return opened.link

    def lost(self) -> list[str]:
        """Why links ended, in order."""
        return [event.reason for event in self.of(LinkLost)]


def settle(told: Callable[[BaseException | None], object], done: Future[None]) -> None:
    """A commit that is over is told to who gave it."""
    told(done.exception())


@dataclass
class Disk:
    """Commits when the test says so, or at once."""

    at_once: bool = True
    written: list[Sequence[Record]] = field(default_factory=list)
    waiting: list[Future[None]] = field(default_factory=list)
    asked: list[Query] = field(default_factory=list)
    answers: list[Future[Answer]] = field(default_factory=list)

    def write(self, records: Sequence[Record]) -> Future[None]:
        self.written.append(records)
        commit: Future[None] = Future()
        if self.at_once:
            commit.set_result(None)
        else:
            self.waiting.append(commit)
        return commit

    def give(self, given: Sequence[Given]) -> None:
        for records, told in given:
            self.write(records).add_done_callback(partial(settle, told))

    def ask(self, query: Query) -> Future[Answer]:
        """An answer when the test gives one."""
        self.asked.append(query)
        answer: Future[Answer] = Future()
        self.answers.append(answer)
        return answer


@dataclass
class Shell:
    """A running server, and clients of it."""

    app: App
    brain: Brain
    disk: Disk
    port: int
    session: aiohttp.ClientSession
    stop: asyncio.Event
    folder: Path
    sockets: list[aiohttp.ClientWebSocketResponse] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handshake(self, **headers: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A WebSocket byte by byte."""
        before = len(self.brain.of(LinkOpened))
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        lines = {**HANDSHAKE, "Host": f"127.0.0.1:{self.port}", **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"GET / HTTP/1.1\r\n{head}\r\n".encode())
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        await until(lambda: len(self.brain.of(LinkOpened)) > before)
        return reader, writer

    async def connect(self, path: str = "/", **options: Any) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket that the brain has heard of."""
        before = len(self.brain.of(LinkOpened))
        ws: aiohttp.ClientWebSocketResponse
        ws = await self.session.ws_connect(self.url + path, max_msg_size=0, **options)
        self.sockets.append(ws)  # or it would be closed as soon as the test forgets it
        await until(lambda: len(self.brain.of(LinkOpened)) > before)
        return ws


@asynccontextmanager
async def running(
    folder: Path,
    brain: Brain | None = None,
    *,
    disk: Disk | None = None,
    key: PrivateKey = KEY,
    max_per_address: int = 64,
    sign_threads: int = 2,
    budget: Budget = BUDGET,
    hosts: Sequence[str] = ("localhost", "127.0.0.1", "::1"),
    origins: Sequence[str] = (),
    proxies: Sequence[str] = (),
    tls: ssl.SSLContext | None = None,
    session_key: Callable[[], OwnSession | None] = lambda: None,
) -> AsyncIterator[Shell]:
    """A shell on a free port; stopped at the end, which must take less than 2 s."""
    brain, disk = brain or Brain(), disk or Disk()
    bound = listeners.bind("localhost", 0)
    networks = tuple(ipaddress.ip_network(proxy) for proxy in proxies)
    parts = Parts(
        brain=brain,
        key=key,
        session=session_key,
        store=disk,
        guard=Guard(frozenset(hosts), frozenset(origins), networks),
        max_per_address=max_per_address,
        sign_threads=sign_threads,
        budget=budget,
        bound=bound,
        tls=tls,
        folder=folder,
    )
    app, stop = App(parts), asyncio.Event()
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        group.create_task(app.run(stop))
        try:
            shell = Shell(app, brain, disk, bound.port, session, stop, folder)
            yield shell
        finally:
            if not stop.is_set():
                await session.close()  # clients that do not read would make the goodbye a long one
            began = time.monotonic()
            stop.set()
    for writer in shell.writers:
        writer.close()
    bound.close()
    assert time.monotonic() - began < 2


async def until(condition: Callable[[], object], seconds: float = DEADLINE_S) -> None:
    """Wait until it holds; a failure when it does not within the deadline."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "still not so"
        await asyncio.sleep(0.005)


def frame(kind: str = "ACK", payload: str = '{"msg_ref":"x"}', **more: Any) -> Outgoing:
    return Outgoing(
        type=kind, from_=SERVER_ID, to="*", ts=1_700_000_000_000, payload=payload.encode(), **more
    )


def message(kind: str = "HEARTBEAT", **payload: Any) -> str:
    """What a peer sends."""
    members = {"type": kind, "from": SERVER_ID, "to": "*", "ts": 1_700_000_000_000}
    return json.dumps({**members, "payload": payload})


def echo(event: Event) -> Sequence[Effect]:
    """A brain that sends back each payload, signed."""
    if isinstance(event, FrameReceived):
        said = event.envelope
        return [Send((event.link,), frame(said.type, said.payload.decode()))]
    return ()


async def said(ws: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """The next frame."""
    text = await asyncio.wait_for(ws.receive_str(), DEADLINE_S)
    members: dict[str, Any] = json.loads(text)
    return members


async def ended(ws: aiohttp.ClientWebSocketResponse) -> int | None:
    """Read to the end; the close code."""
    async with asyncio.timeout(DEADLINE_S):
        async for _ in ws:
            pass
    return ws.close_code
