"""A message that came, before anybody believed it: who is said to have written it, and the proof
(section 3)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from socp.crypto import content_sig
from socp.crypto.content_sig import Form
from socp.crypto.keys import PublicKey
from socp.wire import base64url, limits
from socp.wire.envelope import Envelope
from socp.wire.errors import PeerFault
from socp.wire.ids import PUBLIC
from socp.wire.msg_ref import msg_ref
from socp.wire.payloads import MsgPublicChannel, UserDeliver


@dataclass(frozen=True, slots=True)
class Letter:
    """`to` is our id, or "public"; `times` are the ts that content_sig may cover, the envelope's
    first."""

    author: str
    to: str
    ciphertext: str
    raw: bytes
    sender_pub: str
    content_sig: str
    times: tuple[int, ...]  # Unix ms

    @property
    def public(self) -> bool:
        """A post to the public channel."""
        return self.to == PUBLIC

    @property
    def digest(self) -> bytes:
        """SHA-256 of the raw ciphertext."""
        return hashlib.sha256(self.raw).digest()

    @property
    def ref(self) -> str:
        """Its msg_ref as the server that keeps it has it, "" where there is none (threat M6)."""
        try:
            return msg_ref(self.raw, self.author, self.to, self.times[0])
        except PeerFault:
            return ""

    @property
    def sealed(self) -> bool:
        """False for what is too short to be a ciphertext: a foreign post in clear (section 7)."""
        return len(self.raw) >= limits.RSA_BYTES

    def signed_by(self, key: PublicKey, first: Form) -> tuple[int, Form] | None:
        """The ts and the form in which `key` signed this; None: in none."""
        for ts in self.times:
            form = self._form(key, ts, first)
            if form is not None:
                return ts, form
        return None

    def _form(self, key: PublicKey, ts: int, first: Form) -> Form | None:
        text, author, sig = self.ciphertext, self.author, self.content_sig
        try:
            if self.public:
                return content_sig.verify_public(key, text, author, ts, sig, first=first)
            return content_sig.verify_direct(key, text, author, self.to, ts, sig, first=first)
        except PeerFault:
            return None  # ids or ts of other widths mean more than one thing (threat M6)


def delivered(envelope: Envelope, payload: UserDeliver) -> Letter:
    """A USER_DELIVER. COMPAT(section 13): some servers put their own ts into the envelope."""
    times: tuple[int, ...] = (envelope.ts,)
    if payload.orig_ts is not None and payload.orig_ts != envelope.ts:
        times = (envelope.ts, payload.orig_ts)
    return Letter(
        author=payload.sender,
        to=envelope.to,
        ciphertext=payload.ciphertext,
        raw=base64url.decode(payload.ciphertext),
        sender_pub=payload.sender_pub,
        content_sig=payload.content_sig,
        times=times,
    )


def posted(envelope: Envelope, payload: MsgPublicChannel) -> Letter:
    """A MSG_PUBLIC_CHANNEL."""
    return Letter(
        author=envelope.from_,
        to=PUBLIC,
        ciphertext=payload.ciphertext,
        raw=base64url.decode(payload.ciphertext),
        sender_pub=payload.sender_pub,
        content_sig=payload.content_sig,
        times=(envelope.ts,),
    )


_CLEAR_MEMBERS = ("plaintext", "text", "message", "content", "body", "msg")


def clear_text(envelope: Envelope) -> str | None:
    """COMPAT(section 7): the text of a foreign post that no one encrypted, or None."""
    members = envelope.members
    for value in _texts(members):
        return value
    ciphertext = members.get("ciphertext")
    if not isinstance(ciphertext, str) or not ciphertext:
        return None
    try:
        return clear_bytes(base64url.decode(ciphertext))
    except PeerFault:
        return ciphertext


def _texts(members: dict[str, object]) -> Iterator[str]:
    for name in _CLEAR_MEMBERS:
        value = members.get(name)
        if isinstance(value, str) and value:
            yield value


def clear_bytes(raw: bytes) -> str | None:
    """What was put where a ciphertext belongs, if it is text."""
    if not raw or len(raw) >= limits.RSA_BYTES:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
