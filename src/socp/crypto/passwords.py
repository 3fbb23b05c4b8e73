"""From a password to keys, and the private key sealed under them (section 10, login).

`stretch` is what each guess costs. Both what goes into the key exchange (crypto/opaque.py) and the
key of the box are made from its result, each under a label of its own, so whoever has everything
that the server has pays it once for each guess, whatever the exchange's own library does.
"""

from __future__ import annotations

import struct
import unicodedata
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from socp.crypto.fields import digest, id_bytes
from socp.crypto.keys import PRIVATE_BYTES_MAX, Suite, Unreadable
from socp.wire import base64url
from socp.wire.errors import Misuse

PASSWORD_CHARS_MIN: Final = 10
PASSWORD_CHARS_MAX: Final = 1024
_DIFFERENT_MIN: Final = 5
KEY_BYTES: Final = 32
EXPORT_KEY_BYTES: Final = 64

_BOX: Final = b"socp-key-box/1"
_COST: Final = struct.Struct(">IBB")  # KiB of memory, passes, lanes
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_HEAD_BYTES: Final = len(_BOX) + _COST.size + _NONCE_BYTES
BOX_BYTES_MAX: Final = _HEAD_BYTES + PRIVATE_BYTES_MAX + _TAG_BYTES


class WeakPassword(Exception):
    """A password that is soon guessed; the text says what to change."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess costs (Argon2id, version 1.3)."""

    memory_kib: int
    passes: int
    lanes: int

    @property
    def is_fair(self) -> bool:
        """Neither cheaper than we make it, nor more than a machine should spend on a stranger's
        word: 1 GiB, some seconds."""
        return (
            COST.memory_kib <= self.memory_kib <= 1024 * 1024
            and COST.passes <= self.passes <= 10
            and 1 <= self.lanes <= 16
        )


COST: Final = Cost(memory_kib=64 * 1024, passes=3, lanes=4)


def check_strength(password: str) -> None:
    """WeakPassword for what is too short, or the same few characters over and over."""
    plain = unicodedata.normalize("NFC", password)
    if len(plain) < PASSWORD_CHARS_MIN:
        raise WeakPassword(
            f"too short: take {PASSWORD_CHARS_MIN} characters or more; four random words are good"
        )
    if len(plain) > PASSWORD_CHARS_MAX:
        raise WeakPassword(f"too long: take at most {PASSWORD_CHARS_MAX} characters")
    if len(set(plain)) < _DIFFERENT_MIN:
        raise WeakPassword(
            f"too simple: take {_DIFFERENT_MIN} different characters or more;"
            " four random words are good"
        )


def stretch(password: str, server_id: str, user_id: str, cost: Cost = COST) -> bytes:
    """32 bytes that cost `cost` for each guess; other ones for each user and server.

    Takes 0.15 s and 64 MiB: call it in a thread. Unreadable where there is not so much memory.
    """
    if not cost.is_fair:
        raise Misuse(f"a cost of {cost}")
    salt = digest(b"socp-stretch/1" + id_bytes(user_id) + server_id.encode())
    return argon2id(password, salt, cost)


def argon2id(text: str, salt: bytes, cost: Cost) -> bytes:
    """32 bytes from what a person types. Unreadable where there is not so much memory,
    UnicodeEncodeError for half characters."""
    derivation = Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=cost.passes,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    )
    try:
        return derivation.derive(unicodedata.normalize("NFC", text).encode())
    except (MemoryError, UnsupportedAlgorithm):
        raise Unreadable from None


def exchange_password(stretched: bytes) -> str:
    """What stands for the password in the key exchange: never the password, nor a key."""
    return base64url.encode(_derive(stretched, b"socp-login/1 exchange"))


def seal_key(
    suite: Suite, private: bytes, stretched: bytes, export_key: bytes, server_id: str, user_id: str
) -> bytes:
    """The box that the server keeps: `private` under a key that only the password gives.

    Shape: label || memory, passes, lanes (4, 1, 1 bytes) || nonce, 12 || AES-256-GCM ciphertext.
    """
    if len(private) > PRIVATE_BYTES_MAX:
        raise Misuse(f"a private key of {len(private)} bytes")
    nonce = suite.random(_NONCE_BYTES)
    head = _BOX + _COST.pack(COST.memory_kib, COST.passes, COST.lanes) + nonce
    key = _box_key(stretched, export_key)
    return head + AESGCM(key).encrypt(nonce, private, _bound(head, server_id, user_id))


def cost_of(box: bytes) -> Cost:
    """What `stretch` needs to open the box; Unreadable where it is none, or not a fair one."""
    if not _HEAD_BYTES + _TAG_BYTES <= len(box) <= BOX_BYTES_MAX or not box.startswith(_BOX):
        raise Unreadable
    cost = Cost(*_COST.unpack_from(box, len(_BOX)))
    if not cost.is_fair:
        raise Unreadable
    return cost


def open_key(
    box: bytes, stretched: bytes, export_key: bytes, server_id: str, user_id: str
) -> bytes:
    """The private key; Unreadable for another password, server or user, and for anything else."""
    cost_of(box)
    head, sealed = box[:_HEAD_BYTES], box[_HEAD_BYTES:]
    key = _box_key(stretched, export_key)
    try:
        bound = _bound(head, server_id, user_id)
        return AESGCM(key).decrypt(head[-_NONCE_BYTES:], sealed, bound)
    except InvalidTag:
        raise Unreadable from None


def _box_key(stretched: bytes, export_key: bytes) -> bytes:
    if len(stretched) != KEY_BYTES or len(export_key) != EXPORT_KEY_BYTES:
        raise Misuse("keys of another length")
    return _derive(export_key + stretched, b"socp-key-box/1 key")


def _bound(head: bytes, server_id: str, user_id: str) -> bytes:
    return head + id_bytes(user_id) + server_id.encode()


def _derive(secret: bytes, label: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length=KEY_BYTES, salt=None, info=label).derive(secret)
