"""One link's frames: worked on in threads beside each other, handed on in their order."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import pytest
from aiohttp import WSMsgType, web

from socp.client import dialling, server_url
from socp.client.connection import Connection
from socp.client.dialling import Socket
from socp.crypto.symbolic import SymbolicSuite
from socp.member.events import FrameReceived, FrameRefused
from socp.member.own_frame import Ready, Unsigned
from socp.wire import limits
from socp.wire.envelope import decode, encode
from socp.wire.payloads import Ack

PATIENCE_S = 60


class Message(NamedTuple):
    """As aiohttp has them."""

    type: WSMsgType
    data: bytes


@dataclass
class Wire:
    """A socket: `comes` is read, `went` was written."""

    comes: asyncio.Queue[Message | None] = field(default_factory=asyncio.Queue)
    went: list[bytes] = field(default_factory=list)
    closed: bool = False
    close_code: int = 1000

    async def __aiter__(self) -> AsyncIterator[Message]:
        while (message := await self.comes.get()) is not None:
            yield message

    def says(self, number: int) -> None:
        data = encode("ACK", "server", "me", number, b"{}", "")
        self.comes.put_nowait(Message(WSMsgType.TEXT, data))

    async def send_frame(self, data: bytes, _kind: WSMsgType) -> None:
        self.went.append(data)

    async def close(self) -> None:
        self.closed = True
        self.comes.put_nowait(None)

    def exception(self) -> None:
        return None


@pytest.fixture
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def connected(
    wire: Wire, threads: Executor, ahead: Callable[[FrameReceived], Callable[[], None] | None]
) -> Connection:
    return Connection(cast("Socket", wire), ahead, threads)


async def test_frames_are_handed_on_in_their_order_whichever_is_ready_first(
    threads: Executor,
) -> None:
    wire, second_done, came = Wire(), threading.Event(), list[int]()

    def waits() -> None:
        assert second_done.wait(PATIENCE_S)

    def ahead(event: FrameReceived) -> Callable[[], None] | None:
        if event.envelope.ts == 1:
            return waits
        return second_done.set if event.envelope.ts == 2 else None

    async def arrive(event: FrameReceived | FrameRefused) -> None:
        assert isinstance(event, FrameReceived)
        came.append(event.envelope.ts)

    for number in (1, 2, 3):
        wire.says(number)
    wire.comes.put_nowait(None)
    async with asyncio.timeout(PATIENCE_S):
        reason = await connected(wire, threads, ahead).run(arrive)
    assert came == [1, 2, 3]
    assert second_done.is_set()  # it was begun before the first was done
    assert reason == "it closed the link"


async def test_a_fault_of_ours_in_a_thread_ends_the_link_loudly(threads: Executor) -> None:
    wire = Wire()

    def broken() -> None:
        raise ZeroDivisionError

    async def arrive(_: object) -> None:
        raise AssertionError("it was handed on")

    wire.says(1)
    with pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(PATIENCE_S):
            await connected(wire, threads, lambda _: broken).run(arrive)
    assert wire.closed


async def test_what_goes_is_signed_in_a_thread_and_goes_in_its_order(threads: Executor) -> None:
    wire = Wire()
    key = SymbolicSuite(1).generate()
    connection = connected(wire, threads, lambda _: None)
    signed = Unsigned(key, Ack(msg_ref="m" * 43), from_="me", to="server", ts=1)
    connection.send(signed)
    connection.send(Ready(b"second"))

    async def arrive(_: object) -> None:
        raise AssertionError("nothing came")

    connection.end("we left")  # what was said before goes out all the same
    async with asyncio.timeout(PATIENCE_S):
        assert await connection.run(arrive) == "we left"
    assert decode(wire.went[0]).type == "ACK"
    assert wire.went[1] == b"second"
    assert b"CTRL_CLOSE" in wire.went[2]
    assert connection.outgoing.used == 0


async def test_what_came_before_the_goodbye_is_handed_on(threads: Executor) -> None:
    wire, came = Wire(), list[object]()
    connection = connected(wire, threads, lambda _: None)
    wire.says(1)
    wire.says(2)
    connection.end("we left")

    async def arrive(event: object) -> None:
        came.append(event)

    async with asyncio.timeout(PATIENCE_S):
        await connection.run(arrive)
    assert len(came) == 2


async def test_a_frame_of_as_many_bytes_as_a_frame_may_have_comes_in() -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_bytes(bytes(limits.FRAME_BYTES))
        await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with dialling.session() as session:
            url = server_url.parse(f"ws://127.0.0.1:{runner.addresses[0][1]}")
            socket = await dialling.dial(session, url)
            assert len((await socket.receive()).data) == limits.FRAME_BYTES
            await socket.close()
    finally:
        await runner.cleanup()
