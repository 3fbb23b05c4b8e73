"""`hybrid/1`: sealed texts of any length, and chunks of a file under its own key (section 11)."""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from socp.conform import preimages
from socp.conform.figures import RSA_BYTES
from socp.conform.keys import PrivateKey, PublicKey

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
OVERHEAD_BYTES: Final = RSA_BYTES + _NONCE_BYTES + _TAG_BYTES


def sealed(plaintext: bytes, author: str, reader: str, reader_key: PublicKey, ts: int) -> bytes:
    """OAEP(content key) || nonce || AES-256-GCM; `reader` is "public" for a post."""
    key = secrets.token_bytes(_KEY_BYTES)
    bound = preimages.hybrid(author, reader, ts, reader_key.der)
    return reader_key.sealed(key) + _under(key, plaintext, bound)


def opened(ciphertext: bytes, author: str, reader: str, key: PrivateKey, ts: int) -> bytes | None:
    """The plaintext, None where it is no such ciphertext for this key, author, reader and time."""
    if len(ciphertext) < OVERHEAD_BYTES:
        return None
    content_key = key.opened(ciphertext[:RSA_BYTES])
    if content_key is None or len(content_key) != _KEY_BYTES:
        return None
    bound = preimages.hybrid(author, reader, ts, key.public.der)
    return _of(content_key, ciphertext[RSA_BYTES:], bound)


def sealed_chunk(file_key: bytes, chunk: bytes, file_id: str, index: int, total: int) -> bytes:
    """nonce || AES-256-GCM under the file's own key."""
    return _under(file_key, chunk, preimages.file_chunk(file_id, index, total))


def opened_chunk(
    file_key: bytes, ciphertext: bytes, file_id: str, index: int, total: int
) -> bytes | None:
    """The chunk, None where it is none of this file at this place."""
    if not 0 <= index < total:  # the numbers stand side by side: 1 of 12 is written as 11 of 2
        return None
    return _of(file_key, ciphertext, preimages.file_chunk(file_id, index, total))


def _under(key: bytes, plaintext: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound)


def _of(key: bytes, ciphertext: bytes, bound: bytes) -> bytes | None:
    if len(ciphertext) < _NONCE_BYTES + _TAG_BYTES:
        return None
    try:
        return AESGCM(key).decrypt(ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:], bound)
    except InvalidTag:
        return None
