"""Names of what was said: `msg_ref` in ACK (section 9), and the keys of `seen_ids` (section 4)."""

from __future__ import annotations

import hashlib
from typing import Final

from socp.wire import base64url, limits
from socp.wire.canonical import canonical
from socp.wire.envelope import Envelope
from socp.wire.errors import Code, PeerFault
from socp.wire.ids import PUBLIC

_ID_CHARS: Final = 36
_TS_FIRST: Final = 10 ** (limits.TS_DIGITS - 1)
_TS_LAST: Final = 10**limits.TS_DIGITS - 1
_TO_USERS: Final = frozenset(
    {"MSG_DIRECT", "USER_DELIVER"}
    | {f"{by}FILE_{part}" for by in ("", "USER_") for part in ("START", "CHUNK", "END")}
)


def msg_ref(raw_ciphertext: bytes, from_: str, to: str, ts: int) -> str:
    """43 characters: base64url of SHA-256(raw_ciphertext || from || to || ts).

    `to` is a user's id, or "public" for a post; `ts` is Unix ms. The concatenation says one thing
    only while its ends have a fixed width (threats.md M6): PeerFault(BAD_FRAME) for an id that is
    not 36 characters, or a ts that is not 13 digits.
    """
    _check_id("from", from_)
    if to != PUBLIC:
        _check_id("to", to)
    if not _TS_FIRST <= ts <= _TS_LAST:
        raise PeerFault(Code.BAD_FRAME, f"ts: expected Unix ms of {limits.TS_DIGITS} digits")
    digest = hashlib.sha256(raw_ciphertext)
    digest.update(f"{from_}{to}{ts}".encode("ascii"))
    return base64url.encode(digest.digest())


def dedup_key(envelope: Envelope) -> bytes:
    """32 bytes, equal for frames that say the same thing to the same user: for `seen_ids`.

    SHA-256 over type, from, ts, canonical(payload), and `to` where it is a user; never over `sig`,
    for PSS is random. Both halves are JSON texts, which end where they end: no two frames give one.
    """
    key: bytes | None = envelope.__dict__.get("dedup_key")
    if key is None:
        key = envelope.__dict__["dedup_key"] = _dedup_key(envelope)
    return key


def _dedup_key(envelope: Envelope) -> bytes:
    members = envelope.members
    # A file frame between servers is addressed to a server, and names the user in its payload.
    to_user = envelope.type in _TO_USERS and "user_id" not in members
    head = [envelope.type, envelope.from_, envelope.ts, envelope.to if to_user else None]
    return hashlib.sha256(canonical(head) + envelope.canonical).digest()


def _check_id(name: str, value: str) -> None:
    if len(value) != _ID_CHARS or not value.isascii():
        raise PeerFault(Code.BAD_FRAME, f"{name}: expected an id of {_ID_CHARS} characters")
