"""What a profile's folder keeps is sealed under one key of 32 random bytes (threat P4).

A sealed row is nonce, 12 bytes || AES-256-GCM ciphertext with its tag, 16; the table it belongs to
and the row's own name are bound to it, so that no row can be put in another's place. Names that
must be looked up become tokens: whoever has not the key cannot tell what they stand for.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from socp.crypto.keys import Unreadable
from socp.wire.errors import Misuse

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TOKEN_BYTES: Final = 16


def new_master() -> bytes:
    """The key of a new vault."""
    return secrets.token_bytes(KEY_BYTES)


class Vault:
    """Seals and opens with keys that are derived from the master key, one for each purpose."""

    def __init__(self, master: bytes, former: Vault | None = None) -> None:
        """`former`: its place is being taken, and some things may still be sealed by it."""
        if len(master) != KEY_BYTES:
            raise Misuse(f"a vault key of {len(master)} bytes")
        self.master = master  # for who locks it in another way; everything else has no use for it
        self.former = former
        self._box = AESGCM(_derived(master, b"socp-vault/1 rows"))
        self._names = _derived(master, b"socp-vault/1 names")

    def seal(self, table: str, name: bytes, plaintext: bytes) -> bytes:
        """`plaintext` as the row `name` of `table`, 28 bytes longer; another each time."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._box.encrypt(nonce, plaintext, _bound(table, name))

    def open(self, table: str, name: bytes, sealed: bytes) -> bytes:
        """The plaintext; Unreadable for another row, table or key, and for anything else."""
        try:
            return self._box.decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(table, name)
            )
        except (InvalidTag, ValueError):
            raise Unreadable from None

    def token(self, table: str, text: str) -> bytes:
        """What stands for `text` in `table`: 16 bytes, always the same."""
        data = _bound(table, text.encode())
        return hmac.digest(self._names, data, hashlib.sha256)[:TOKEN_BYTES]


def _derived(master: bytes, label: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=label).derive(master)


def _bound(table: str, name: bytes) -> bytes:
    return table.encode() + b"\0" + name
