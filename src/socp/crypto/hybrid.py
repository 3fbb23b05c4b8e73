"""`hybrid/1`: a message of any length, bound to its author, recipient and time (section 11).

Shape: OAEP(content key of 32 bytes), 512 bytes || nonce, 12 || AES-256-GCM ciphertext and tag, 16.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from socp.crypto.fields import addressee_bytes, digest, id_bytes, ts_bytes
from socp.crypto.keys import PrivateKey, PublicKey, Suite, Unreadable
from socp.wire import limits
from socp.wire.errors import PeerFault

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
OVERHEAD_BYTES: Final = limits.RSA_BYTES + NONCE_BYTES + TAG_BYTES


def is_hybrid(ciphertext: bytes) -> bool:
    """Whether this is not one bare RSA block. Only `open_` tells whether it is sound."""
    return len(ciphertext) > limits.RSA_BYTES


def aad(recipient: PublicKey, *, from_: str, to: str, ts: int) -> bytes:
    """What the sealed text is bound to (threats M3, M4). `to` may be `public`."""
    names = id_bytes(from_) + addressee_bytes(to) + ts_bytes(ts)
    return b"socp-hybrid/1" + names + digest(recipient.der)


def seal(
    suite: Suite, recipient: PublicKey, plaintext: bytes, *, from_: str, to: str, ts: int
) -> bytes:
    """`plaintext` for `recipient`, from that author, at that time: OVERHEAD_BYTES longer."""
    bound = aad(recipient, from_=from_, to=to, ts=ts)
    key = suite.random(KEY_BYTES)
    nonce = suite.random(NONCE_BYTES)
    return recipient.seal(key) + nonce + AESGCM(key).encrypt(nonce, plaintext, bound)


def open_(key: PrivateKey, ciphertext: bytes, *, from_: str, to: str, ts: int) -> bytes:
    """The plaintext; Unreadable for another key, author, addressee or time, and whatever else."""
    if len(ciphertext) < OVERHEAD_BYTES:
        raise Unreadable
    content_key = key.open(ciphertext[: limits.RSA_BYTES])
    if len(content_key) != KEY_BYTES:
        raise Unreadable
    nonce = ciphertext[limits.RSA_BYTES : limits.RSA_BYTES + NONCE_BYTES]
    sealed = ciphertext[limits.RSA_BYTES + NONCE_BYTES :]
    try:
        bound = aad(key.public, from_=from_, to=to, ts=ts)
        return AESGCM(content_key).decrypt(nonce, sealed, bound)
    except (InvalidTag, PeerFault):
        raise Unreadable from None
