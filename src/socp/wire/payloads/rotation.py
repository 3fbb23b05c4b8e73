"""How a user's key is replaced and revoked by the user (section 10; docs/protocol.md)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from socp.wire import limits
from socp.wire.part import Base64Url, Count, Hex64, Id, KeyText, Part, Payload


class Rotation(Part, frozen=True, kw_only=True):
    """One step of a chain: `pubkey` is the new key, `follows` the fingerprint of the old one, `sig`
    the old one's word, `new_sig` the new one's."""

    pubkey: KeyText
    follows: Hex64
    version: Count
    ts: Count
    sig: Base64Url
    new_sig: Base64Url


Rotations = Annotated[tuple[Rotation, ...], Meta(max_length=limits.ROTATIONS_MAX)]
"""The last steps of a user's chain, oldest first."""


class Revoked(Part, frozen=True, kw_only=True):
    """The last word of a key: its id is dead."""

    pubkey: KeyText
    version: Count
    ts: Count
    sig: Base64Url


class KeyRotate(Payload, frozen=True, kw_only=True):
    """KEY_ROTATE, user to their own server: one step of the chain."""

    TYPE: ClassVar[str] = "KEY_ROTATE"

    user_id: Id
    pubkey: KeyText
    version: Count
    ts: Count
    sig: Base64Url
    new_sig: Base64Url


class KeyRevoke(Payload, frozen=True, kw_only=True):
    """KEY_REVOKE, user to their own server: by the key that this link proved."""

    TYPE: ClassVar[str] = "KEY_REVOKE"

    user_id: Id
    version: Count
    ts: Count
    sig: Base64Url


class KeyHistory(Payload, frozen=True, kw_only=True):
    """KEY_HISTORY, what a user signed about their keys, to servers and users with `rotate/1`."""

    TYPE: ClassVar[str] = "KEY_HISTORY"

    user_id: Id
    rotations: Rotations = ()
    revoked: Revoked | None = None
