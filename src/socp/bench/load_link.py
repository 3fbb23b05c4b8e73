"""One WebSocket of the load: as little work a frame as Python allows, for the processor it takes
is missing where the server runs.

It frames and reads by hand, on a bare transport. Its masks are zeros, which every server takes for
masks like others (RFC 6455, 5.3, where it is there against pages in browsers), and which leave a
frame that was made beforehand as it is.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import ssl
import struct
from collections.abc import Callable
from typing import Final, cast
from urllib.parse import urlsplit

CONTINUED, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
PATIENCE_S: Final = 60
_OURS: Final = b'{"type":"'
_TYPE: Final = re.compile(rb'"type"\s*:\s*"(\w+)"')
_MASK: Final = b"\0\0\0\0"
_HEAD_BYTES: Final = {126: 4, 127: 10}

Heard = Callable[["LoadLink", bytes, bytes], None]
"""heard(link, type, frame)"""
GONE: Final = b""
"""Heard in place of a type when the link is no more."""


class LoadLink(asyncio.Protocol):
    """What came is told to `heard`, which may be changed at any time."""

    def __init__(self, heard: Heard) -> None:
        self.heard = heard
        self.lost = False
        self.close_code = 0
        self._transport: asyncio.Transport | None = None
        self._upgraded = asyncio.get_running_loop().create_future()
        self._rest = bytearray()
        self._is_web_socket = False
        self._pieces: list[bytes] = []

    @property
    def transport(self) -> asyncio.Transport:
        """There from the beginning to the end."""
        assert self._transport is not None
        return self._transport

    def send(self, framed: bytes) -> None:
        """One frame, or several, as `framed` makes them."""
        self.transport.write(framed)

    # --- asyncio.Protocol -----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by its manners

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if not self._upgraded.done():
            self._upgraded.set_exception(ConnectionError(f"no WebSocket there ({exc})"))
        self.heard(self, GONE, b"")

    def data_received(self, data: bytes) -> None:
        if not self._is_web_socket:
            self._rest += data
            self._upgrade()
            return
        if self._rest:
            self._rest += data
            if not self._is_whole():
                return
            data = bytes(self._rest)
            self._rest.clear()
        at = self._read(data)
        if at < len(data):
            self._rest += data[at:]

    def _is_whole(self) -> bool:
        """Whether what was left and what came since make a frame: else a long one would be looked
        at again with each piece of it."""
        size = _size(self._rest, 0)
        return size is not None and len(self._rest) >= size

    # --- the two ends of a WebSocket ------------------------------------------------------------

    async def begin(self, host: str, path: str) -> None:
        """Ask for a WebSocket. Raises ConnectionError."""
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        async with asyncio.timeout(PATIENCE_S):
            await self._upgraded

    def _upgrade(self) -> None:
        head, mark, rest = bytes(self._rest).partition(b"\r\n\r\n")
        if not mark:
            return
        self._is_web_socket = True
        self._rest.clear()
        status = head.split(b" ", 2)[1:2]
        if status != [b"101"]:
            line = head.partition(b"\r\n")[0].decode(errors="replace")
            self._upgraded.set_exception(ConnectionError(f"no WebSocket there: {line!r}"))
            return
        self._upgraded.set_result(None)
        if rest:
            self.data_received(rest)

    def _read(self, data: bytes) -> int:
        """Every whole frame; where the first begins that is not."""
        at, end = 0, len(data)
        while at < end:
            size = _size(data, at)
            if size is None or at + size > end:
                break
            first, length = data[at], data[at + 1] & 0x7F
            begins = at + _HEAD_BYTES.get(length, 2)
            at += size
            if first == 0x80 | TEXT:
                self._hear(data[begins:at])
            else:
                self._rare(first, data[begins:at])
        return at

    def _hear(self, frame: bytes) -> None:
        if frame.startswith(_OURS):
            kind = frame[len(_OURS) : frame.index(b'"', len(_OURS))]
        else:
            found = _TYPE.search(frame)
            kind = found[1] if found else b""
        self.heard(self, kind, frame)

    def _rare(self, first: int, data: bytes) -> None:
        match first & 0xF:
            case 0x9:
                self.send(framed(data, PONG))
            case 0x8:
                self.close_code = int.from_bytes(data[:2], "big")
                self.transport.close()
            case 0x0 | 0x1:
                self._pieces.append(data)
                if first & 0x80:
                    self._hear(b"".join(self._pieces))
                    self._pieces.clear()


def _size(data: bytes | bytearray, at: int) -> int | None:
    """Bytes of the frame that begins there, with its head; None where that is not whole."""
    if len(data) < at + 2:
        return None
    length = data[at + 1] & 0x7F
    if length < 126:
        return 2 + length
    head = _HEAD_BYTES[length]
    if len(data) < at + head:
        return None
    return head + int.from_bytes(data[at + 2 : at + head], "big")


def framed(text: bytes, opcode: int = TEXT) -> bytes:
    """One masked frame."""
    size = len(text)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 2**16:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + _MASK + text


async def connect(url: str, heard: Heard) -> LoadLink:
    """A link to a server at ws://host:port, or wss://. Raises OSError."""
    parts = urlsplit(url)
    tls = ssl.create_default_context() if parts.scheme == "wss" else None
    port = parts.port or (443 if tls else 80)
    loop = asyncio.get_running_loop()
    _, link = await loop.create_connection(
        lambda: LoadLink(heard), parts.hostname or "", port, ssl=tls
    )
    await link.begin(parts.netloc, parts.path or "/")
    return link


def ignored(_link: LoadLink, _kind: bytes, _frame: bytes) -> None:
    """What came is only read."""
