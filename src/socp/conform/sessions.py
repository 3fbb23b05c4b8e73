"""`fast-sig/1`: session keys, what certifies them, and what they sign (section 11)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from socp.conform import preimages
from socp.conform.canonical import b64, unb64
from socp.conform.cast import Identity
from socp.conform.figures import SESSION_KEY_BYTES, SESSION_MS, WINDOW_MS
from socp.conform.frames import Frame, now_ms
from socp.conform.keys import PublicKey

ED: Final = "ed:"
HOP_KINDS: Final = frozenset(
    {
        "USER_DELIVER",
        "SERVER_DELIVER",
        "MSG_DIRECT",
        "MSG_PUBLIC_CHANNEL",
        "FILE_START",
        "FILE_CHUNK",
        "FILE_END",
        "ACK",
        "ERROR",
        "USER_LIST",
        "PUBKEY_RESPONSE",
        "HEARTBEAT",
        "SESSION_KEY",
    }
)
"""What a session key may sign: it goes over one link and no further."""
_SIG: Final = re.compile(r"ed:([A-Za-z0-9_-]{86})\Z")
_TS: Final = re.compile(r"[0-9]{13}\Z")


class NotASession(ValueError):
    """What is wrong with a certificate."""


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session key of ours, and what goes on the wire of it; its repr shows the latter alone."""

    stated: dict[str, Any]
    _key: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"<OwnSession {self.stated['key']}>"

    @property
    def from_ts(self) -> int:
        """Unix ms."""
        return int(self.stated["from_ts"])

    def signed(self, members: dict[str, Any]) -> dict[str, Any]:
        """This frame, signed by it."""
        signature = self._key.sign(preimages.hop(members["payload"]))
        return {**members, "sig": ED + b64(signature)}


def new_session(
    owner: Identity, *, from_ts: int | None = None, lasts_ms: int = SESSION_MS, owner_id: str = ""
) -> OwnSession:
    """One that `owner` certifies, from now on where no time is given (Unix ms), for `owner_id` in
    place of their own where that is given."""
    begins = now_ms() if from_ts is None else from_ts
    key, ends = Ed25519PrivateKey.generate(), begins + lasts_ms
    raw = key.public_key().public_bytes_raw()
    sig = owner.key.sign(preimages.session_key(owner_id or owner.id, raw, begins, ends))
    return OwnSession({"key": b64(raw), "from_ts": begins, "until_ts": ends, "sig": sig}, key)


@dataclass(frozen=True, slots=True)
class Session:
    """The session key of the other end."""

    key: Ed25519PublicKey
    from_ts: int
    until_ts: int

    def signed(self, frame: Frame) -> bool:
        """Whether it signed this frame, and may."""
        found = _SIG.match(frame.sig)
        if found is None or frame.type not in HOP_KINDS:
            return False
        try:
            self.key.verify(unb64(found[1]), preimages.hop(frame.payload))
        except (InvalidSignature, ValueError):
            return False
        return True

    def check_time(self, wall: int) -> None:
        """Raises NotASession where it is not for now (`wall`, Unix ms), or for more than a day."""
        lasts_ms = self.until_ts - self.from_ts
        if not 0 < lasts_ms <= SESSION_MS:
            raise NotASession(f"it lasts {lasts_ms:,} ms, and a day has {SESSION_MS:,}")
        if not self.from_ts - WINDOW_MS <= wall <= self.until_ts + WINDOW_MS:
            raise NotASession(f"it is from {self.from_ts} to {self.until_ts}, and now is {wall}")


def read_session(stated: object, owner: PublicKey, owner_id: str) -> Session:
    """What the other end states, whose own key and id these are; its time is not looked at.
    Raises NotASession."""
    if not isinstance(stated, dict):
        raise NotASession("it is not there" if stated is None else "it is no object")
    times = [stated.get(name) for name in ("from_ts", "until_ts")]
    if not all(type(ts) is int and _TS.match(str(ts)) for ts in times):
        raise NotASession("from_ts and until_ts are not Unix ms of 13 digits")
    begins, ends = map(int, times)  # type: ignore[arg-type]  # looked at above
    try:
        raw = unb64(str(stated.get("key")))
    except ValueError as fault:
        raise NotASession("key is no base64url") from fault
    if len(raw) != SESSION_KEY_BYTES:
        raise NotASession(f"key has {len(raw)} bytes")
    said = preimages.session_key(owner_id, raw, begins, ends)
    if not owner.signed(str(stated.get("sig")), said):
        raise NotASession(f"sig is not by the own key of {owner_id} over its id, key and times")
    return Session(Ed25519PublicKey.from_public_bytes(raw), begins, ends)
