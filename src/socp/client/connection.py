"""One WebSocket from open to close: bytes in, bytes out, bounded both ways."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Final, TypeVar

import aiohttp
from aiohttp import WSMsgType

from socp.client.bound import Bound
from socp.client.dialling import Socket
from socp.member.ahead import Work
from socp.member.events import FrameReceived, FrameRefused
from socp.member.own_frame import OwnFrame, Ready
from socp.wire import envelope, limits
from socp.wire.errors import Code, PeerFault
from socp.wire.text import printable

OUTGOING_BYTES_MAX: Final = 16 * limits.MIB  # what a person says while a server does not read
T = TypeVar("T")
AHEAD_MAX: Final = 8  # frames that are worked on in threads while those before them are handled
_TURNS: Final = 4
"""Turns of the loop after each frame: who types beside us does not wait for all of a heap that came
at once."""
_GOODBYE: Final = b'{"type":"CTRL_CLOSE"}'
_CLOSE_S: Final = 2
_LAST_S: Final = 0.5
_SHOWN_COLUMNS: Final = 200

Came = FrameReceived | FrameRefused
Arrive = Callable[[Came], Awaitable[None]]


class Connection:
    """Made of an open socket; `run` until it is over, whoever ends it."""

    def __init__(
        self,
        socket: Socket,
        ahead: Callable[[FrameReceived], Work | None],
        threads: Executor,
    ) -> None:
        """`threads` do the arithmetic of keys: `ahead` says what of it a frame that came needs, and
        what goes is signed there."""
        self._socket = socket
        self._ahead = ahead
        self._threads = threads
        self._outgoing: deque[OwnFrame] = deque()  # bounded by `outgoing`
        self._more = asyncio.Event()  # something is in it
        self._came: asyncio.Queue[tuple[Came, asyncio.Future[None] | None] | None]
        self._came = asyncio.Queue(AHEAD_MAX)  # None: that was all
        self._over = asyncio.Event()
        self._reason = ""
        self.outgoing = Bound(limits.MIB)

    def send(self, frame: OwnFrame) -> None:
        """Put a frame on its way. A server that takes nothing for so long is given up."""
        if self.outgoing.used + frame.size > OUTGOING_BYTES_MAX:
            self.end("the server takes nothing more")
            return
        self.outgoing.take(frame.size)
        self._outgoing.append(frame)
        self._more.set()

    def end(self, reason: str) -> None:
        """Hang up; `run` returns `reason`."""
        self._reason = self._reason or reason
        self._over.set()

    async def run(self, arrive: Arrive) -> str:
        """Read and write until the socket is closed or `end` was called; why it is over."""
        reading = asyncio.create_task(self._read())
        reading.add_done_callback(self._was_read)
        handing_on = asyncio.create_task(self._hand_on(arrive))
        writing = asyncio.create_task(self._write())
        ending = asyncio.create_task(self._over.wait())
        tasks = {reading, handing_on, writing, ending}
        try:
            await asyncio.wait(tasks - {reading}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            writing.cancel()
            ending.cancel()
            await self._hang_up()
            await asyncio.wait({handing_on}, timeout=_LAST_S)  # what came before the goodbye
            reading.cancel()
            handing_on.cancel()
            faults = await asyncio.gather(*tasks, return_exceptions=True)
            self.outgoing.give(self.outgoing.used)
        for fault in faults:
            if isinstance(fault, Exception):  # ours: a bug must be seen
                raise fault
        return self._reason or self._closed_because()

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is WSMsgType.TEXT:
                await self._begin(_frame(message.data))
            elif message.type is WSMsgType.BINARY:
                fault = PeerFault(Code.BAD_FRAME, "a binary frame; send JSON as text")
                await self._begin(FrameRefused(fault))
        await self._came.put(None)

    def _was_read(self, reading: asyncio.Task[None]) -> None:
        """All of it, which is then handed on; where reading broke it is over at once."""
        if not reading.cancelled() and reading.exception() is not None:
            self._over.set()

    async def _begin(self, event: Came) -> None:
        """Have its arithmetic done, while those before it are handled."""
        work = self._ahead(event) if isinstance(event, FrameReceived) else None
        await self._came.put((event, None if work is None else self._in_thread(work)))

    async def _hand_on(self, arrive: Arrive) -> None:
        """In the order in which they came."""
        while (came := await self._came.get()) is not None:
            event, working = came
            if working is not None:
                await working
            await arrive(event)
            for _ in range(_TURNS):
                await asyncio.sleep(0)

    def _in_thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _write(self) -> None:
        with contextlib.suppress(aiohttp.ClientConnectionError, ConnectionError):
            while True:
                await self._more.wait()
                await self._write_first()

    async def _write_first(self) -> None:
        """It is the first until it is signed: who is cancelled meanwhile loses nothing."""
        frame = self._outgoing[0]
        data = frame.data if isinstance(frame, Ready) else await self._in_thread(lambda: frame.data)
        self._outgoing.popleft()
        if not self._outgoing:
            self._more.clear()
        await self._socket.send_frame(data, WSMsgType.TEXT)
        self.outgoing.give(frame.size)

    async def _hang_up(self) -> None:
        """Close with 1000 and a word (section 1), unless the other side did."""
        if self._socket.closed:
            return
        with contextlib.suppress(aiohttp.ClientConnectionError, ConnectionError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                while self._outgoing:
                    await self._write_first()
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
