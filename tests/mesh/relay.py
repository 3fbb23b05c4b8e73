"""A wire between a client and its server that the test can cut, and that counts what passes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PIECE_BYTES = 65_536


@dataclass
class Relay:
    """`up`: bytes that went to the server, over all links."""

    port: int  # of the server
    url: str = ""
    up: int = 0
    cuts: int = 0
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """Both ends find the link broken."""
        self.cuts += 1
        for writer in tuple(self._open):
            writer.transport.abort()

    async def took(self, size: int) -> None:
        """Return when so many bytes went to the server."""
        while self.up < size:
            self._moved.clear()
            await self._moved.wait()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        both = {writer, back}
        self._open |= both
        try:
            await asyncio.gather(self._pass(reader, back, 1), self._pass(there, writer, 0))
        finally:
            self._open -= both
            for each in both:
                each.transport.abort()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, up: int
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(PIECE_BYTES):
                self.up += up * len(data)
                self._moved.set()
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def relaying(port: int) -> AsyncIterator[Relay]:
    relay = Relay(port)
    async with await asyncio.start_server(relay.carry, "127.0.0.1", 0) as server:
        host, own = server.sockets[0].getsockname()[:2]
        relay.url = f"ws://{host}:{own}"
        yield relay
        relay.cut()
