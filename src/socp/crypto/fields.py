"""The fixed widths that make concatenated texts mean one thing only (section 3, threat M6)."""

from __future__ import annotations

import hashlib
from typing import Final

from socp.wire import limits
from socp.wire.errors import Code, PeerFault
from socp.wire.ids import PUBLIC

ID_CHARS: Final = 36
NONCE_BYTES: Final = 32
_TS_MIN: Final = 10 ** (limits.TS_DIGITS - 1)
_TS_MAX: Final = 10**limits.TS_DIGITS - 1


def id_bytes(user_id: str) -> bytes:
    """An id as it is signed. PeerFault(BAD_FRAME) where it is not 36 ASCII characters."""
    if len(user_id) != ID_CHARS or not user_id.isascii():
        raise _unfit(f"an id of {len(user_id)} characters; signed ids have {ID_CHARS}")
    return user_id.encode()


def addressee_bytes(to: str) -> bytes:
    """An addressee as it is signed: an id, or `public`, in which no id can end."""
    return to.encode() if to == PUBLIC else id_bytes(to)


def ts_bytes(ts: int) -> bytes:
    """Unix ms as it is signed. PeerFault(BAD_FRAME) where it has not 13 digits."""
    if not _TS_MIN <= ts <= _TS_MAX:
        raise _unfit(f"ts {ts}; Unix milliseconds have {limits.TS_DIGITS} digits")
    return b"%d" % ts


def place_bytes(file_id: str, index: int, total: int) -> bytes:
    """Where a chunk stands in its file. PeerFault(BAD_FRAME) unless 0 <= index < total."""
    if not 0 <= index < total <= limits.INTEGER_MAX:
        raise _unfit(f"chunk {index} of {total}; index counts from 0 to total - 1")
    return id_bytes(file_id) + b"%d%d" % (index, total)


def nonce_bytes(nonce: bytes) -> bytes:
    """A nonce as it is signed. PeerFault(BAD_FRAME) where it has not 32 bytes."""
    if len(nonce) != NONCE_BYTES:
        raise _unfit(f"a nonce of {len(nonce)} bytes; send {NONCE_BYTES} as base64url")
    return nonce


def digest(data: bytes) -> bytes:
    """SHA-256, 32 raw bytes."""
    return hashlib.sha256(data).digest()


def _unfit(what: str) -> PeerFault:
    return PeerFault(Code.BAD_FRAME, what)
