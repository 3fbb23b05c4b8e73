"""`gossip/1`: what a HEARTBEAT tells of its sender's users, and what it should (section 11)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from socp.conform.canonical import b64, unb64
from socp.conform.figures import LINKS_TOLD
from socp.conform.frames import Frame
from socp.conform.keys import NotAKey, read_key

DIGEST_BYTES: Final = 32


class NotABeat(ValueError):
    """What is wrong with a HEARTBEAT."""


def entry(user_id: str, fingerprint: str, attach_ts: int | None) -> bytes:
    """One user's part of a digest; the fingerprint as 64 hex digits."""
    said = f"{user_id}{fingerprint}{'' if attach_ts is None else attach_ts}"
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).digest()


def digest_of(entries: Iterable[bytes]) -> bytes:
    """The XOR of them."""
    digest = bytes(DIGEST_BYTES)
    for each in entries:
        digest = bytes(a ^ b for a, b in zip(digest, each, strict=True))
    return digest


@dataclass(frozen=True, slots=True)
class Beat:
    """What a HEARTBEAT says on a link with `gossip/1`; None is what it does not say."""

    links: tuple[str, ...] | None = None
    count: int | None = None
    digest: bytes | None = None


def read_beat(payload: dict[str, Any]) -> Beat:
    """Raises NotABeat."""
    links, users = payload.get("links"), payload.get("users")
    if links is not None:
        links = _read_links(links)
    if users is None:
        return Beat(links)
    if not isinstance(users, dict):
        raise NotABeat("users is no object")
    count, text = users.get("count"), users.get("digest")
    if type(count) is not int or count < 0:
        raise NotABeat(f"users.count is {count!r:.40}")
    if not isinstance(text, str):
        raise NotABeat(f"users.digest is {text!r:.40}")
    try:
        digest = unb64(text)
    except ValueError as fault:
        raise NotABeat(f"users.digest is {fault}") from fault
    if len(digest) != DIGEST_BYTES:
        raise NotABeat(f"users.digest has {len(digest)} bytes")
    return Beat(links, count, digest)


def _read_links(links: object) -> tuple[str, ...]:
    if not isinstance(links, list) or len(links) > LINKS_TOLD:
        raise NotABeat(f"links is no list of at most {LINKS_TOLD:,} ids")
    for each in links:
        if not isinstance(each, str) or not each:
            raise NotABeat(f"links names {each!r:.40}")
    return tuple(links)


@dataclass(slots=True)
class Roll:
    """Who is with a server, by what it says of its own users on one link, in its order."""

    server_id: str
    entries: dict[str, bytes] = field(default_factory=dict)

    def hear(self, frames: Iterable[Frame]) -> None:
        """Presence counts, all else does not."""
        for frame in frames:
            if frame.members.get("from") != self.server_id:
                continue
            user_id = str(frame.get("user_id"))
            if frame.type == "USER_ADVERTISE":
                self.entries[user_id] = _entry_of(frame, user_id)
            elif frame.type == "USER_REMOVE":
                self.entries.pop(user_id, None)

    @property
    def digest(self) -> bytes:
        return digest_of(self.entries.values())

    def told(self) -> dict[str, Any]:
        """`users` of a HEARTBEAT that says just this."""
        return {"count": len(self.entries), "digest": b64(self.digest)}


def _entry_of(advert: Frame, user_id: str) -> bytes:
    meta, attach = advert.get("meta"), advert.get("attach")
    text = advert.get("pubkey") or (meta.get("pubkey") if isinstance(meta, dict) else None)
    try:
        fingerprint = read_key(text).fingerprint
    except NotAKey:
        fingerprint = ""
    ts = attach.get("ts") if isinstance(attach, dict) else None
    return entry(user_id, fingerprint, ts if type(ts) is int else None)
