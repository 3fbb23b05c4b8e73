"""What users say, on each of its hops (sections 5, 6 and 7)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from socp.wire.part import Base64Url, Count, Id, KeyText, Payload


class Said(Payload, frozen=True, kw_only=True):
    """What MSG_DIRECT and MSG_PUBLIC_CHANNEL share."""

    ciphertext: Base64Url
    sender_pub: KeyText
    content_sig: Base64Url
    sender: str = ""
    late: bool = False  # `mailbox/1`: sent again from an outbox, ts may be 30 days old


class MsgDirect(Said, frozen=True, kw_only=True):
    """MSG_DIRECT, user to user by way of the user's server (section 6)."""

    TYPE: ClassVar[str] = "MSG_DIRECT"


class MsgPublicChannel(Said, frozen=True, kw_only=True):
    """MSG_PUBLIC_CHANNEL, user to "public" (section 7)."""

    TYPE: ClassVar[str] = "MSG_PUBLIC_CHANNEL"

    queued: bool = False  # `mailbox/1`: a server releases it late; added at that hop


class UserDeliver(Payload, frozen=True, kw_only=True):
    """USER_DELIVER, server to its user (section 6). The envelope's `ts` is the author's."""

    TYPE: ClassVar[str] = "USER_DELIVER"
    MEMBER_ALIASES: ClassVar[dict[str, tuple[str, ...]]] = {
        "orig_ts": ("msg_ts", "cts", "original_ts")
    }

    ciphertext: Base64Url
    sender: Id
    sender_pub: KeyText
    content_sig: Base64Url
    orig_ts: Count | None = None


class ServerDeliver(Payload, frozen=True, kw_only=True):
    """SERVER_DELIVER, server to server (section 5). `inner_type`: a foreign server's file frame."""

    TYPE: ClassVar[str] = "SERVER_DELIVER"
    MEMBER_ALIASES: ClassVar[dict[str, tuple[str, ...]]] = {
        "orig_ts": ("msg_ts", "cts", "original_ts")
    }

    user_id: Id
    sender: Id
    ciphertext: Base64Url = ""
    sender_pub: KeyText = ""
    content_sig: Base64Url = ""
    orig_ts: Count | None = None
    inner_type: Annotated[str, Meta(max_length=64)] = ""
    queued: bool = False
