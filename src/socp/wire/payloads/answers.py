"""What says how it went, and that one is still there (sections 1, 5 and 9)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from socp.wire.part import Base64Url, Features, KeyText, Payload


class Ack(Payload, frozen=True, kw_only=True):
    """ACK (sections 5, 6 and 9). `proof`: the answerer's own, over `auth_nonce`."""

    TYPE: ClassVar[str] = "ACK"
    ALIASES: ClassVar[tuple[str, ...]] = ("USER_WELCOME",)
    MEMBER_ALIASES: ClassVar[dict[str, tuple[str, ...]]] = {"pubkey": ("server_pub",)}
    ALWAYS: ClassVar[tuple[str, ...]] = ("msg_ref",)

    msg_ref: Annotated[str, Meta(max_length=128)] = ""
    status: Annotated[str, Meta(max_length=32)] = ""
    of: Annotated[str, Meta(max_length=64)] = ""
    server_id: str = ""
    pubkey: KeyText = ""
    features: Features = ()
    proof: Base64Url = ""


class Error(Payload, frozen=True, kw_only=True):
    """ERROR (section 9). Any code is taken; `moved_to` as section 5, delivery."""

    TYPE: ClassVar[str] = "ERROR"
    ALWAYS: ClassVar[tuple[str, ...]] = ("code", "detail")

    code: Annotated[str, Meta(max_length=64)] = ""
    detail: str = ""
    msg_ref: Annotated[str, Meta(max_length=128)] = ""
    of: Annotated[str, Meta(max_length=64)] = ""
    moved_to: str = ""
    user_id: str = ""


class CtrlClose(Payload, frozen=True, kw_only=True):
    """CTRL_CLOSE, said before closing; the one frame without an envelope (section 1)."""

    TYPE: ClassVar[str] = "CTRL_CLOSE"


class Heartbeat(Payload, frozen=True, kw_only=True):
    """HEARTBEAT, server to server, every 15 s (section 5)."""

    TYPE: ClassVar[str] = "HEARTBEAT"
