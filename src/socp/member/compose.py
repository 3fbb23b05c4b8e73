"""A line becomes frames: sealed for who reads it, signed by who wrote it (sections 3, 6, 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from socp.crypto import content_sig, hybrid
from socp.crypto.keys import PrivateKey, PublicKey, Suite
from socp.wire import base64url, limits
from socp.wire.content import Place
from socp.wire.ids import PUBLIC
from socp.wire.msg_ref import msg_ref
from socp.wire.payloads import MsgDirect, MsgPublicChannel

TEXT_BYTES_MAX: Final = 64 * limits.KIB
PARTS_MAX: Final = 40
"""Blocks of plain RSA for one line: a server takes 30 frames a second."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One frame of a line, before it is put into its envelope."""

    text: str
    payload: MsgDirect | MsgPublicChannel
    msg_ref: str
    place: Place | None = None  # of content/1


def split(text: str, max_bytes: int = limits.OAEP_PLAINTEXT_BYTES) -> list[str]:
    """`text` cut between characters into parts of at most `max_bytes` of UTF-8, at a space where
    one is near."""
    parts: list[str] = []
    data = text.encode()
    while len(data) > max_bytes:
        end = max_bytes
        while data[end] & 0xC0 == 0x80:  # inside a character
            end -= 1
        space = data.rfind(b" ", max_bytes * 3 // 4, end)
        end = space + 1 if space >= 0 else end
        parts.append(data[:end].decode())
        data = data[end:]
    return [*parts, data.decode()]


def parts_of(text: str, *, bound: bool) -> list[str]:
    """What goes into one message each: all of it where `bound` (`hybrid/1`), else one RSA block's
    worth."""
    return [text] if bound else split(text)


def too_long(text: str, *, bound: bool) -> str | None:
    """Why the line is not sent, or None."""
    size = len(text.encode())
    if size > TEXT_BYTES_MAX:
        return f"the line has {size} bytes and {TEXT_BYTES_MAX} can be sent; send it as a file"
    if not bound and len(split(text)) > PARTS_MAX:
        return (
            f"the line would need more than {PARTS_MAX} plain v1.3 messages, and somebody who reads"
            " it has no hybrid/1; send it as a file"
        )
    return None


@dataclass(frozen=True, slots=True)
class Pen:
    """Who writes."""

    suite: Suite
    key: PrivateKey
    user_id: str

    def direct(
        self, part: bytes, to: str, reader: PublicKey, ts: int, *, bound: bool, late: bool
    ) -> tuple[MsgDirect, str]:
        """One MSG_DIRECT to the pinned key of a user and its msg_ref; `ts` Unix ms, as the
        envelope's. `late`: for a server with `mailbox/1`, which takes it for 30 days."""
        raw = self._sealed(part, to, reader, ts, bound)
        payload = MsgDirect(
            ciphertext=base64url.encode(raw),
            sender=self.user_id,
            sender_pub=self.key.public.text,
            content_sig=content_sig.sign_direct(self.key, raw, self.user_id, to, ts),
            late=late,
        )
        return payload, msg_ref(raw, self.user_id, to, ts)

    def post(
        self, part: bytes, channel: PublicKey, ts: int, *, bound: bool, late: bool
    ) -> tuple[MsgPublicChannel, str]:
        """One MSG_PUBLIC_CHANNEL to the channel's public half and its msg_ref."""
        raw = self._sealed(part, PUBLIC, channel, ts, bound)
        payload = MsgPublicChannel(
            ciphertext=base64url.encode(raw),
            sender_pub=self.key.public.text,
            content_sig=content_sig.sign_public(self.key, raw, self.user_id, ts),
            late=late,
        )
        return payload, msg_ref(raw, self.user_id, PUBLIC, ts)

    def _sealed(self, part: bytes, to: str, reader: PublicKey, ts: int, bound: bool) -> bytes:
        if bound:
            return hybrid.seal(self.suite, reader, part, from_=self.user_id, to=to, ts=ts)
        return reader.seal(part)
