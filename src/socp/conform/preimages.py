"""The texts that are signed (sections 3, 9, 10 and 11), put together from the page alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from socp.conform.canonical import b64, canonical, raw_utf8

PUBLIC: Final = "public"
_ADDED: Final = frozenset(
    {"content_sig", "bind", "inner_type", "late", "queued", "sender", "user_id"}
)


def _text(text: str) -> bytes:
    """Ids as they were said, whatever they are: whether they are ids is judged elsewhere."""
    return text.encode("utf-8", "surrogatepass")


def direct(raw_ciphertext: bytes, author: str, reader: str, ts: int) -> bytes:
    """content_sig of a direct message."""
    return raw_ciphertext + _text(f"{author}{reader}{ts}")


def post(raw_ciphertext: bytes, author: str, ts: int) -> bytes:
    """content_sig of a post to the public channel."""
    return raw_ciphertext + _text(f"{author}{ts}")


def content_forms(raw_ciphertext: bytes, author: str, reader: str, ts: int) -> dict[str, bytes]:
    """content_sig in each form that section 3 has others accept; `reader` "public" is a post."""
    tail = _text(f"{author}{'' if reader == PUBLIC else reader}{ts}")
    text = b64(raw_ciphertext).encode()
    members = {"ciphertext": b64(raw_ciphertext), "from": author, "to": reader, "ts": ts}
    return {
        "raw": raw_ciphertext + tail,
        "text": text + tail,
        "raw-digested": hashlib.sha256(raw_ciphertext + tail).digest(),
        "text-digested": hashlib.sha256(text + tail).digest(),
        "json": canonical(members),
    }


def manifests(members: dict[str, Any], author: str, reader: str, ts: int) -> tuple[bytes, ...]:
    """content_sig of FILE_START, over what its author says (hops add members): the page's form
    first, then those that others are asked to accept."""
    own = {name: value for name, value in members.items() if name not in _ADDED}
    said = [own, {**own, "sender": members["sender"]}] if "sender" in members else [own]
    tail = _text(f"{author}{reader}{ts}")
    return tuple(write(each) + tail for each in said for write in (canonical, raw_utf8))


def shares(members: Sequence[Any], creator_der: bytes) -> bytes:
    """content_sig of a key share."""
    return canonical(members) + creator_der


def msg_ref(raw_ciphertext: bytes, author: str, reader: str, ts: int) -> str:
    """What ACK and ERROR call a message; `reader` is "public" for a post."""
    return b64(hashlib.sha256(direct(raw_ciphertext, author, reader, ts)).digest())


def link_auth(own_id: str, peer_id: str, nonce: bytes) -> bytes:
    """A proof of `link-auth/1` over the other side's nonce."""
    return b"socp-link-auth/1" + _text(own_id + peer_id) + nonce


def attach(user_id: str, server_id: str, ts: int, features: Sequence[str]) -> bytes:
    """A user's own statement of where they are and what they can."""
    stated = hashlib.sha256(canonical({"features": list(features)})).digest()
    return b"socp-attach/1" + _text(f"{user_id}{server_id}{ts}") + stated


def directory(user_id: str, fingerprint: str, version: int) -> bytes:
    """A directory's word for a user's key."""
    return b"socp-directory/1" + _text(f"{user_id}{fingerprint}{version}")


def rotation(user_id: str, old: str, new: str, version: int, ts: int) -> bytes:
    """What the old key signs; `old` and `new` are fingerprints."""
    return b"socp-rotate/1" + _text(f"{user_id}{old}{new}{version}{ts}")


def rotation_new(user_id: str, old: str, new: str, version: int, ts: int, sig: bytes) -> bytes:
    """What the new key signs, the old one's signature with it."""
    return b"socp-rotate-new/1" + _text(f"{user_id}{old}{new}{version}{ts}") + sig


def revocation(user_id: str, fingerprint: str, version: int, ts: int) -> bytes:
    """What any key of a user signs to end the id."""
    return b"socp-revoke/1" + _text(f"{user_id}{fingerprint}{version}{ts}")


def hybrid(author: str, reader: str, ts: int, reader_der: bytes) -> bytes:
    """What a `hybrid/1` ciphertext is bound to, its AAD; `reader` is "public" for a post."""
    bound = hashlib.sha256(reader_der).digest()
    return b"socp-hybrid/1" + _text(f"{author}{reader}{ts}") + bound


def file_chunk(file_id: str, index: int, total: int) -> bytes:
    """What a chunk under a file's own key is bound to, its AAD."""
    return _text(f"{file_id}{index}{total}")


def session_key(owner_id: str, key: bytes, from_ts: int, until_ts: int) -> bytes:
    """What the owner of a session key of `fast-sig/1` signs; the times are Unix ms."""
    return b"socp-session-key/1" + _text(owner_id) + key + _text(f"{from_ts}{until_ts}")


def hop(payload: dict[str, Any]) -> bytes:
    """What a session key signs of a frame."""
    return b"socp-frame/1" + canonical(payload)
