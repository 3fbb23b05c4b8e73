"""The public channel's keys on their way (section 7)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from socp.wire import limits
from socp.wire.part import Base64Url, Count, Id, KeyText, Part, Payload


class PublicChannelAdd(Payload, frozen=True, kw_only=True):
    """PUBLIC_CHANNEL_ADD, a server about its users (section 7)."""

    TYPE: ClassVar[str] = "PUBLIC_CHANNEL_ADD"
    ALWAYS: ClassVar[tuple[str, ...]] = ("if_version",)

    add: Annotated[tuple[Id, ...], Meta(max_length=limits.LIST_ROWS)]
    if_version: Count = 0
    turn: Count | None = None  # to one user with `presence/1`: their place among the holders


class Wrap(Part, frozen=True, kw_only=True):
    """OAEP(group key) for one member (section 7)."""

    member_id: Id
    wrapped_key: Base64Url


class PublicChannelUpdated(Payload, frozen=True, kw_only=True):
    """PUBLIC_CHANNEL_UPDATED, only the wraps that are new (section 7)."""

    TYPE: ClassVar[str] = "PUBLIC_CHANNEL_UPDATED"
    ALWAYS: ClassVar[tuple[str, ...]] = ("wraps",)

    version: Count
    wraps: Annotated[tuple[Wrap, ...], Meta(max_length=limits.LIST_ROWS)] = ()
    keys: Annotated[tuple[Base64Url, ...], Meta(max_length=limits.CHANNEL_KEYS_SAID)] = ()
    """On a new link with `gossip/1`: SHA-256 of each `channel_pub` of that version that is known
    there."""


class Share(Part, frozen=True, kw_only=True):
    """OAEP(group key) for one member, made by another (section 7)."""

    member: Id
    wrapped_public_channel_key: Base64Url


class PublicChannelKeyShare(Payload, frozen=True, kw_only=True):
    """PUBLIC_CHANNEL_KEY_SHARE, member to members (section 7)."""

    TYPE: ClassVar[str] = "PUBLIC_CHANNEL_KEY_SHARE"
    ALWAYS: ClassVar[tuple[str, ...]] = ("version",)

    shares: Annotated[tuple[Share, ...], Meta(min_length=1, max_length=limits.LIST_ROWS)]
    creator_pub: KeyText
    content_sig: Base64Url
    version: Count = 1
    channel_pub: KeyText = ""
    channel_priv_box: Base64Url = ""
