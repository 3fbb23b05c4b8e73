"""Signatures of frames, and the labelled texts that prove who is there (sections 2, 3, 10, 11).

Every labelled text starts with its own name, so that no signature can serve another purpose, and
its parts have fixed widths where two of them touch.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from socp.crypto.fields import NONCE_BYTES, digest, id_bytes, nonce_bytes, ts_bytes
from socp.crypto.keys import PrivateKey, PublicKey
from socp.wire import base64url, limits, payloads
from socp.wire.canonical import canonical, canonical_utf8
from socp.wire.envelope import Envelope
from socp.wire.errors import Misuse, PeerFault

LISTS_KEPT: Final = 64  # of features: nearly all who are online have one of a few
_SIG_CHARS = 683  # 512 bytes in base64url without padding; others pad it with one "="


def sign(key: PrivateKey, preimage: bytes) -> str:
    """A signature as it goes on the wire: base64url, 683 characters."""
    return base64url.encode(key.sign(preimage))


def signature_bytes(text: str) -> bytes | None:
    """The 512 bytes of a signature text, or None for anything that cannot be one: costs no RSA."""
    if not _SIG_CHARS <= len(text) <= _SIG_CHARS + 1:
        return None
    try:
        signature = base64url.decode(text)
    except PeerFault:
        return None
    return signature if len(signature) == limits.RSA_BYTES else None


def verify(key: PublicKey, signature_text: str, preimage: bytes) -> bool:
    """Whether `key` signed `preimage`. Garbage is False."""
    signature = signature_bytes(signature_text)
    return signature is not None and key.verify(signature, preimage)


def sign_transport(key: PrivateKey, payload: object) -> str:
    """`sig` of a frame: over canonical(payload), section 3."""
    return sign(key, canonical(payload))


def verify_transport(key: PublicKey, envelope: Envelope) -> bool:
    """Whether `sig` covers the payload as received, canonical or as raw UTF-8 (section 3).

    It is kept with the envelope: where one comes to many, as in `sim/`, it is verified once.
    """
    known: tuple[PublicKey, bool] | None = envelope.__dict__.get("verified")
    if known is None or known[0] is not key:
        known = envelope.__dict__["verified"] = (key, _covers(key, envelope))
    return known[1]


def _covers(key: PublicKey, envelope: Envelope) -> bool:
    signature = signature_bytes(envelope.sig)
    if signature is None:
        return False
    ours = envelope.canonical
    if key.verify(signature, ours):
        return True
    raw = canonical_utf8(envelope.members)  # COMPAT(section 13): six others sign non-ASCII as it is
    return raw != ours and key.verify(signature, raw)


def link_auth(own_id: str, peer_id: str, nonce: bytes, exporter: bytes = b"") -> bytes:
    """What a proof of `link-auth/1` signs; ids as sent in `from`, the nonce is the other side's.

    `exporter`: the 32 bytes of the TLS exporter where both ends have it, else nothing.
    """
    if exporter and len(exporter) != NONCE_BYTES:
        raise Misuse(f"an exporter value of {len(exporter)} bytes")
    ids = own_id.encode() + peer_id.encode()
    return b"socp-link-auth/1" + ids + nonce_bytes(nonce) + exporter


def attach(user_id: str, server_id: str, ts: int, features: Sequence[str]) -> bytes:
    """A user's statement of where they are since `ts` (Unix ms) and what their client can."""
    stated = _features_digest(tuple(features))
    return b"socp-attach/1" + id_bytes(user_id) + server_id.encode() + ts_bytes(ts) + stated


@lru_cache(LISTS_KEPT)
def _features_digest(features: tuple[str, ...]) -> bytes:
    return digest(canonical({"features": list(features)}))


def attach_holds(
    key: PublicKey,
    user_id: str,
    server_id: str,
    stated: payloads.Attach,
    features: Sequence[str],
) -> bool:
    """Whether `stated` is the holder's word for this server and these features. Never raises."""
    try:
        preimage = attach(user_id, server_id, stated.ts, features)
    except PeerFault:
        return False
    return verify(key, stated.sig, preimage)


def directory(user_id: str, fingerprint: str, version: int) -> bytes:
    """A directory's word for a user's key (section 10); the fingerprint as 64 hex digits."""
    return b"socp-directory/1" + id_bytes(user_id) + fingerprint.encode() + b"%d" % version


def login(user_id: str, server_id: str, client_nonce: bytes, server_nonce: bytes) -> bytes:
    """Proof of possession at login (section 10): both sides chose 32 bytes of it (threat M11)."""
    nonces = nonce_bytes(client_nonce) + nonce_bytes(server_nonce)
    return b"socp-login/1" + id_bytes(user_id) + server_id.encode() + nonces


def password_answer(user_id: str, server_id: str, request: bytes, response: bytes) -> bytes:
    """The server's word for its message in the setting of a password, or anybody on the way could
    give one that lets them test guesses."""
    ids = id_bytes(user_id) + server_id.encode()
    return b"socp-password/1" + ids + digest(request) + digest(response)


def request_nonce(method: str, path: str, salt: bytes, body: bytes) -> bytes:
    """The client's nonce of a proof over one HTTP request: it cannot serve for another one.

    Upper-case method, path without a query, the body's bytes; `salt`: 32 random ones.
    """
    head = f"{method} {path}\n".encode("ascii")
    return digest(b"socp-request/1" + nonce_bytes(salt) + digest(head) + digest(body))
