"""File chunks under the file's own key, and that key for the recipient (section 8, `hybrid/1`).

Shape of a chunk: nonce, 12 bytes || AES-256-GCM ciphertext with its tag, 16.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from socp.crypto import hybrid
from socp.crypto.fields import place_bytes
from socp.crypto.hybrid import KEY_BYTES, NONCE_BYTES
from socp.crypto.keys import PrivateKey, PublicKey, Suite, Unreadable
from socp.wire.errors import Misuse, PeerFault


def new_file_key(suite: Suite) -> bytes:
    """A key for one file, 32 random bytes; never used for a second."""
    return suite.random(KEY_BYTES)


def seal_chunk(
    suite: Suite, file_key: bytes, chunk: bytes, file_id: str, index: int, total: int
) -> bytes:
    """`chunk`, 28 bytes longer, bound to its place in the file (threat M5)."""
    if len(file_key) != KEY_BYTES:
        raise Misuse(f"a file key of {len(file_key)} bytes")
    nonce = suite.random(NONCE_BYTES)
    return nonce + AESGCM(file_key).encrypt(nonce, chunk, place_bytes(file_id, index, total))


def open_chunk(file_key: bytes, ciphertext: bytes, file_id: str, index: int, total: int) -> bytes:
    """The chunk; Unreadable for another key, file, index or total, and for anything else."""
    if len(file_key) != KEY_BYTES or len(ciphertext) < NONCE_BYTES:
        raise Unreadable
    nonce, sealed = ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:]
    try:
        return AESGCM(file_key).decrypt(nonce, sealed, place_bytes(file_id, index, total))
    except (InvalidTag, PeerFault):
        raise Unreadable from None


def wrap_file_key(
    suite: Suite, recipient: PublicKey, file_key: bytes, *, from_: str, to: str, ts: int
) -> bytes:
    """The file's key for the manifest: `hybrid/1`, so that its author is bound."""
    if len(file_key) != KEY_BYTES:
        raise Misuse(f"a file key of {len(file_key)} bytes")
    return hybrid.seal(suite, recipient, file_key, from_=from_, to=to, ts=ts)


def unwrap_file_key(key: PrivateKey, wrapped: bytes, *, from_: str, to: str, ts: int) -> bytes:
    """The file's key, or Unreadable."""
    file_key = hybrid.open_(key, wrapped, from_=from_, to=to, ts=ts)
    if len(file_key) != KEY_BYTES:
        raise Unreadable
    return file_key
