"""Signatures of a hop by session keys, and what certifies those (`fast-sig/1`, section 11).

A session key signs what goes over one link and no further. So only the two ends of the link need
to know it, and it is theirs for a day at most.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from socp.crypto.fast_keys import FastKey, FastPublicKey
from socp.crypto.fields import ts_bytes
from socp.crypto.keys import PrivateKey, PublicKey, Suite
from socp.crypto.signing import sign, verify, verify_transport
from socp.wire import base64url, limits
from socp.wire.envelope import Envelope
from socp.wire.errors import Code, PeerFault
from socp.wire.hop import FAST_PREFIX, is_hop
from socp.wire.payloads import Session
from socp.wire.text import printable

_SIG_CHARS: Final = len(FAST_PREFIX) + 86  # 64 bytes in base64url; nobody pads these
_LABEL: Final = b"socp-frame/1"


def session_text(owner_id: str, key: bytes, from_ts: int, until_ts: int) -> bytes:
    """What the owner of a session key signs with their own. PeerFault(BAD_FRAME) where a time has
    not 13 digits."""
    return b"socp-session-key/1" + owner_id.encode() + key + ts_bytes(from_ts) + ts_bytes(until_ts)


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session key of ours, and what others need to believe it."""

    key: FastKey
    stated: Session

    def is_good(self, wall: int) -> bool:
        """Whether it may sign at this time (Unix ms). Its owner knows that it has begun, whatever
        became of the clock since."""
        return wall < self.stated.until_ts

    def has_begun(self, wall: int) -> bool:
        """Whether others with our clock (Unix ms), which may have gone back, would believe it."""
        return self.stated.from_ts <= wall + limits.TS_WINDOW_MS

    def is_fresh(self, wall: int) -> bool:
        """Whether there is no need for another: it has begun, and is less than half over."""
        return self.has_begun(wall) and self.stated.until_ts - wall > limits.SESSION_MS // 2

    def sign(self, canonical_payload: bytes) -> str:
        """`sig` of a frame with this payload, whose text is canonical."""
        return FAST_PREFIX + base64url.encode(self.key.sign(_LABEL + canonical_payload))


def made(suite: Suite, own: PrivateKey, own_id: str, wall: int) -> OwnSession:
    """A new one, from now (`wall`, Unix ms) for a day. Costs a signature by `own`."""
    key = suite.fast_key()
    raw, until = key.public.raw, wall + limits.SESSION_MS
    sig = sign(own, session_text(own_id, raw, wall, until))
    stated = Session(key=base64url.encode(raw), from_ts=wall, until_ts=until, sig=sig)
    return OwnSession(key, stated)


@dataclass(frozen=True, slots=True)
class PeerSession:
    """The session key of the other end of a link; the one before it counts until its own end, for
    what was signed before the peer had this one."""

    key: FastPublicKey
    from_ts: int  # Unix ms
    until_ts: int
    before: PeerSession | None = field(default=None, repr=False)

    def signed(self, envelope: Envelope, wall: int) -> bool:
        """Whether this, or the one before, signed the frame, and is not over (Unix ms)."""
        signature = _signature(envelope.sig)
        if signature is None or not is_hop(envelope.type):
            return False
        text = _LABEL + envelope.canonical
        return any(
            wall <= each.until_ts + limits.TS_WINDOW_MS and each.key.verify(signature, text)
            for each in (self, self.before)
            if each is not None
        )

    def followed_by(self, later: PeerSession) -> PeerSession:
        """The next one, told over the same link. PeerFault(INVALID_SIG) for one that is not
        newer: it is somebody's replay."""
        if later.from_ts <= self.from_ts:
            raise _refused("is not newer than the one of this link")
        return replace(later, before=replace(self, before=None))


def believed(
    suite: Suite, owner: PublicKey, owner_id: str, stated: Session, wall: int
) -> PeerSession:
    """The session key that `owner_id` states, at this time (Unix ms).

    PeerFault(INVALID_SIG) where it is not theirs, not for now, or for more than a day; BAD_KEY or
    BAD_FRAME where it is none at all.
    """
    key = suite.parse_fast(base64url.decode(stated.key))
    text = session_text(owner_id, key.raw, stated.from_ts, stated.until_ts)
    if not 0 < stated.until_ts - stated.from_ts <= limits.SESSION_MS:
        raise _refused("is for no time at all, or for more than 24 h")
    if wall < stated.from_ts - limits.TS_WINDOW_MS:
        raise _refused("is not valid yet")
    if wall > stated.until_ts + limits.TS_WINDOW_MS:
        raise _refused("is expired")
    if not verify(owner, stated.sig, text):
        raise _refused(f"is not signed by the key of {printable(owner_id)}")
    return PeerSession(key, stated.from_ts, stated.until_ts)


def hop_signed(
    key: PublicKey | None, session: PeerSession | None, envelope: Envelope, wall: int
) -> bool:
    """Whether the other end of a link signed this frame: with its own key, or with its session
    key, where it gave one (`session`) and the frame goes no further."""
    if envelope.sig.startswith(FAST_PREFIX):
        return session is not None and session.signed(envelope, wall)
    return key is not None and verify_transport(key, envelope)


def _signature(text: str) -> bytes | None:
    """The 64 bytes, or None for anything that cannot be them."""
    if len(text) != _SIG_CHARS or not text.startswith(FAST_PREFIX):
        return None
    try:
        signature = base64url.decode(text.removeprefix(FAST_PREFIX))
    except PeerFault:
        return None
    return signature if len(signature) == limits.FAST_SIG_BYTES else None


def _refused(why: str) -> PeerFault:
    return PeerFault(Code.INVALID_SIG, f"session: the key {why}; make a new one and certify that")
