"""One WebSocket from open to close: bytes in, bytes out, bounded both ways."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import aiohttp
from aiohttp import WSMsgType

from socp.client.bound import Bound
from socp.client.dialling import Socket
from socp.member.events import FrameReceived, FrameRefused
from socp.wire import envelope, limits
from socp.wire.errors import Code, PeerFault
from socp.wire.text import printable

OUTGOING_BYTES_MAX: Final = 16 * limits.MIB  # what a person says while a server does not read
_TURNS: Final = 12
"""Turns of the loop after each frame, which costs milliseconds of arithmetic: who types beside us
does not wait for all of a heap that came at once."""
_GOODBYE: Final = b'{"type":"CTRL_CLOSE"}'
_CLOSE_S: Final = 2
_SHOWN_COLUMNS: Final = 200

Arrive = Callable[[FrameReceived | FrameRefused], Awaitable[None]]


class Connection:
    """Made of an open socket; `run` until it is over, whoever ends it."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()  # bounded by `outgoing`
        self._over = asyncio.Event()
        self._reason = ""
        self.outgoing = Bound(limits.MIB)

    def send(self, data: bytes) -> None:
        """Put a frame on its way. A server that takes nothing for so long is given up."""
        if self.outgoing.used + len(data) > OUTGOING_BYTES_MAX:
            self.end("the server takes nothing more")
            return
        self.outgoing.take(len(data))
        self._queue.put_nowait(data)

    def end(self, reason: str) -> None:
        """Hang up; `run` returns `reason`."""
        self._reason = self._reason or reason
        self._over.set()

    async def run(self, arrive: Arrive) -> str:
        """Read and write until the socket is closed or `end` was called; why it is over."""
        reading = asyncio.create_task(self._read(arrive))
        writing = asyncio.create_task(self._write())
        ending = asyncio.create_task(self._over.wait())
        tasks = {reading, writing, ending}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            writing.cancel()
            ending.cancel()
            await self._hang_up()
            reading.cancel()
            faults = await asyncio.gather(*tasks, return_exceptions=True)
            self.outgoing.give(self.outgoing.used)
        for fault in faults:
            if isinstance(fault, Exception):  # ours: a bug must be seen
                raise fault
        return self._reason or self._closed_because()

    async def _read(self, arrive: Arrive) -> None:
        async for message in self._socket:
            if message.type is WSMsgType.TEXT:
                await arrive(_frame(message.data))
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
            elif message.type is WSMsgType.BINARY:
                fault = PeerFault(Code.BAD_FRAME, "a binary frame; send JSON as text")
                await arrive(FrameRefused(fault))

    async def _write(self) -> None:
        with contextlib.suppress(aiohttp.ClientConnectionError, ConnectionError):
            while True:
                data = await self._queue.get()
                await self._socket.send_frame(data, WSMsgType.TEXT)
                self.outgoing.give(len(data))

    async def _hang_up(self) -> None:
        """Close with 1000 and a word (section 1), unless the other side did."""
        if self._socket.closed:
            return
        with contextlib.suppress(aiohttp.ClientConnectionError, ConnectionError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                while not self._queue.empty():
                    await self._socket.send_frame(self._queue.get_nowait(), WSMsgType.TEXT)
                await self._socket.send_frame(_GOODBYE, WSMsgType.TEXT)
        await self._socket.close()

    def _closed_because(self) -> str:
        fault = self._socket.exception()
        if isinstance(fault, aiohttp.ServerTimeoutError | TimeoutError):
            return "it does not answer"
        if isinstance(fault, aiohttp.ClientConnectionError | ConnectionError):
            return _CLOSED[1006]  # their texts are about our transport, and tell a person nothing
        if fault is not None:
            return printable(str(fault), width=_SHOWN_COLUMNS) or type(fault).__name__
        code = self._socket.close_code
        return _CLOSED.get(code or 0, f"it closed the link (code {code})")


_CLOSED: Final = {
    1000: "it closed the link",
    1001: "it is going down",
    1006: "the link broke",
    1008: "it closed the link for a breach of its rules",
    1009: "a frame was too large",
    1013: "it is overloaded",
}


def _frame(data: bytes) -> FrameReceived | FrameRefused:
    try:
        return FrameReceived(envelope.decode(data))
    except PeerFault as fault:
        return FrameRefused(fault)
