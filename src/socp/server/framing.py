"""WebSocket frames as bytes (RFC 6455), made by hand so that one frame is written to many links."""

from __future__ import annotations

import secrets
import struct
from typing import Final

TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

_FINAL: Final = 0x80
_MASKED: Final = 0x80
_CONTROL_BYTES: Final = 125
_SHORT, _MIDDLE, _LONG = struct.Struct("!BB"), struct.Struct("!BBH"), struct.Struct("!BBQ")


def from_server(opcode: int, data: bytes) -> bytes:
    """One whole frame, unmasked: the same bytes serve every link that was accepted."""
    return _head(opcode, len(data), masked=False) + data


def from_dialler(opcode: int, data: bytes) -> bytes:
    """One whole frame under a fresh mask: what RFC 6455 asks of the side that dialled."""
    mask = secrets.token_bytes(4)
    return _head(opcode, len(data), masked=True) + mask + _masked(data, mask)


def close_data(code: int, reason: str) -> bytes:
    """What a close frame carries: the code, and as many characters of `reason` as fit."""
    text = reason.encode()[: _CONTROL_BYTES - 2]
    return struct.pack("!H", code) + text.decode(errors="ignore").encode()


def _head(opcode: int, length: int, *, masked: bool) -> bytes:
    bit = _MASKED if masked else 0
    if length <= _CONTROL_BYTES:
        return _SHORT.pack(_FINAL | opcode, bit | length)
    if length < 2**16:
        return _MIDDLE.pack(_FINAL | opcode, bit | 126, length)
    return _LONG.pack(_FINAL | opcode, bit | 127, length)


def _masked(data: bytes, mask: bytes) -> bytes:
    # As one long number: the exclusive-or of a megabyte takes a millisecond this way.
    size = len(data)
    pattern = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")
