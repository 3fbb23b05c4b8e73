"""What an ACK or ERROR about a user's frame is to name (section 9)."""

from __future__ import annotations

from socp.wire import base64url, payloads
from socp.wire.envelope import Envelope
from socp.wire.errors import PeerFault
from socp.wire.msg_ref import msg_ref

SAID = {payloads.MsgDirect, payloads.MsgPublicChannel}
BY_TYPE = {payloads.KeyRotate, payloads.KeyRevoke, payloads.SessionKey, payloads.PresenceWatch}
FILES = {payloads.FileStart, payloads.FileChunk, payloads.FileEnd}


def reference(envelope: Envelope) -> tuple[str, str]:
    """`msg_ref` and `of` of a MSG_* or FILE_*, and of what is said one at a time, as far as the
    frame tells; ("", "") else."""
    kind = payloads.TYPES.get(envelope.type)
    if kind in FILES:
        file_id = envelope.members.get("file_id")
        return (file_id if isinstance(file_id, str) else "", kind.TYPE)
    if kind in BY_TYPE:
        return (kind.TYPE, "")
    text = envelope.members.get("ciphertext")
    if kind not in SAID or not isinstance(text, str):
        return ("", "")
    try:
        return (msg_ref(base64url.decode(text), envelope.from_, envelope.to, envelope.ts), "")
    except PeerFault:
        return ("", "")
