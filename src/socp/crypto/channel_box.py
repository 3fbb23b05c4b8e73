"""The public channel's private key, sealed under its group key for all members (section 7).

Shape: nonce, 12 bytes || AES-256-GCM of `PrivateKey.to_bytes()` (PKCS8 DER) with its tag, 16.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from socp.crypto.fields import digest
from socp.crypto.hybrid import KEY_BYTES, NONCE_BYTES
from socp.crypto.keys import KeyRefused, PrivateKey, PublicKey, Suite, Unreadable
from socp.wire.errors import Misuse


def new_group_key(suite: Suite) -> bytes:
    """A group key of 256 random bits; it travels as `PublicKey.seal(group_key)` to each member."""
    return suite.random(KEY_BYTES)


def seal_private(
    suite: Suite, group_key: bytes, channel_private: PrivateKey, version: int
) -> bytes:
    """The box that `channel_priv_box` carries as base64url."""
    if len(group_key) != KEY_BYTES:
        raise Misuse(f"a group key of {len(group_key)} bytes")
    nonce = suite.random(NONCE_BYTES)
    bound = _aad(version, channel_private.public)
    return nonce + AESGCM(group_key).encrypt(nonce, channel_private.to_bytes(), bound)


def open_private(
    suite: Suite, group_key: bytes, box: bytes, version: int, channel_pub: PublicKey
) -> PrivateKey:
    """The key in the box; Unreadable unless its public half is `channel_pub` (threat M10)."""
    if len(group_key) != KEY_BYTES or len(box) < NONCE_BYTES:
        raise Unreadable
    try:
        opened = AESGCM(group_key).decrypt(
            box[:NONCE_BYTES], box[NONCE_BYTES:], _aad(version, channel_pub)
        )
        private = suite.load_private(opened)
    except (InvalidTag, KeyRefused):
        raise Unreadable from None
    if private.public.der != channel_pub.der:
        raise Unreadable
    return private


def _aad(version: int, channel_pub: PublicKey) -> bytes:
    return b"socp-channel/1" + b"%d" % version + digest(channel_pub.der)
