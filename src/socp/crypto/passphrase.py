"""What a passphrase seals: the key of a vault, and whole profiles on their way elsewhere (P4).

Each guess costs Argon2id's memory and time; salt and cost stand before what is sealed.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterable, Iterator
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from socp.crypto.keys import Unreadable
from socp.crypto.passwords import COST, Cost, argon2id
from socp.wire.errors import Misuse

KEY_BYTES: Final = 32
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
CHUNK_BYTES: Final = 1 << 20
SEALED_CHUNK_BYTES: Final = CHUNK_BYTES + TAG_BYTES
_COST: Final = struct.Struct(">IBB")  # KiB of memory, passes, lanes
_KEY_LABEL: Final = b"socp-vault-lock/1"
_STREAM_LABEL: Final = b"socp-profile/1"
_HEAD_BYTES: Final = _COST.size + SALT_BYTES
STREAM_HEAD_BYTES: Final = len(_STREAM_LABEL) + _HEAD_BYTES
# What we ever made is opened, however dear it is made by then; and no file takes all the memory.
_CHEAPEST: Final = Cost(memory_kib=64 * 1024, passes=3, lanes=1)
_DEAREST: Final = Cost(memory_kib=1024 * 1024, passes=10, lanes=16)


def lock(passphrase: str, key: bytes) -> bytes:
    """`key` as only the passphrase opens it. Takes 0.15 s and 64 MiB, as every guess does.

    Shape: cost, 6 bytes || salt, 16 || nonce, 12 || AES-256-GCM ciphertext with its tag.
    """
    head = _new_head()
    nonce = secrets.token_bytes(NONCE_BYTES)
    box = AESGCM(_stretched(passphrase, head))
    return head + nonce + box.encrypt(nonce, key, _KEY_LABEL + head)


def is_locked(content: bytes) -> bool:
    """Whether it has the length of what `lock` makes of a key."""
    return len(content) == _HEAD_BYTES + NONCE_BYTES + KEY_BYTES + TAG_BYTES


def unlock(passphrase: str, locked: bytes) -> bytes:
    """The key; Unreadable for another passphrase and for anything else."""
    head, rest = locked[:_HEAD_BYTES], locked[_HEAD_BYTES:]
    return _opened(_stretched(passphrase, head), rest, _KEY_LABEL + head)


def wrap(wrapping: bytes, key: bytes) -> bytes:
    """`key` as the 32 random bytes `wrapping` open it."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(wrapping).encrypt(nonce, key, _KEY_LABEL)


def unwrap(wrapping: bytes, wrapped: bytes) -> bytes:
    """The key; Unreadable for anything else."""
    if len(wrapping) != KEY_BYTES:
        raise Unreadable
    return _opened(wrapping, wrapped, _KEY_LABEL)


# --- more than fits into memory -----------------------------------------------------------------


def seal_stream(passphrase: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What to write, piece by piece; `chunks` are of CHUNK_BYTES each, the last one is shorter.

    Shape: label || cost, 6 bytes || salt, 16 || sealed chunks. The nonce of each is its number, the
    key is used for this alone, and the last says that it is.
    """
    head = _STREAM_LABEL + _new_head()
    box = AESGCM(_stretched(passphrase, head[len(_STREAM_LABEL) :]))
    yield head
    number, last = -1, False
    for number, chunk in enumerate(chunks):
        if last or len(chunk) > CHUNK_BYTES:
            raise Misuse("a chunk after the last one, or one that is too long")
        last = len(chunk) < CHUNK_BYTES
        yield box.encrypt(_nonce(number, last=last), chunk, head)
    if not last:
        yield box.encrypt(_nonce(number + 1, last=True), b"", head)


def open_stream(passphrase: str, head: bytes, sealed: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks; Unreadable for another passphrase, and where one is missing or was changed.

    `head` is the first STREAM_HEAD_BYTES, `sealed` the rest in pieces of SEALED_CHUNK_BYTES.
    """
    if len(head) != STREAM_HEAD_BYTES or not head.startswith(_STREAM_LABEL):
        raise Unreadable
    box = AESGCM(_stretched(passphrase, head[len(_STREAM_LABEL) :]))
    last = False
    for number, piece in enumerate(sealed):
        if last:
            raise Unreadable
        last = len(piece) < SEALED_CHUNK_BYTES
        try:
            yield box.decrypt(_nonce(number, last=last), piece, head)
        except (InvalidTag, ValueError):
            raise Unreadable from None
    if not last:
        raise Unreadable


def is_stream(head: bytes) -> bool:
    """Whether this is how such a file begins."""
    return head.startswith(_STREAM_LABEL)


def _nonce(number: int, *, last: bool) -> bytes:
    return bytes([last]) + number.to_bytes(NONCE_BYTES - 1, "big")


# --- both ---------------------------------------------------------------------------------------


def _new_head() -> bytes:
    cost = _COST.pack(COST.memory_kib, COST.passes, COST.lanes)
    return cost + secrets.token_bytes(SALT_BYTES)


def _stretched(passphrase: str, head: bytes) -> bytes:
    """Unreadable where the head is none, asks for too much, or there is not so much memory."""
    if len(head) != _HEAD_BYTES:
        raise Unreadable
    cost = Cost(*_COST.unpack_from(head))
    for least, asked, most in zip(
        _members(_CHEAPEST), _members(cost), _members(_DEAREST), strict=True
    ):
        if not least <= asked <= most:
            raise Unreadable
    try:
        return argon2id(passphrase, head[_COST.size :], cost)
    except UnicodeEncodeError:
        raise Unreadable from None


def _members(cost: Cost) -> tuple[int, int, int]:
    return cost.memory_kib, cost.passes, cost.lanes


def _opened(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
    except (InvalidTag, ValueError):
        raise Unreadable from None
