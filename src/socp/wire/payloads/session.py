"""Session keys (`fast-sig/1`, section 11): what certifies one, and the frame that renews it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from socp.wire import limits
from socp.wire.part import Base64Url, Count, Part, Payload

FastKeyText = Annotated[Base64Url, Meta(max_length=limits.FAST_KEY_CHARS)]


class Session(Part, frozen=True, kw_only=True):
    """An Ed25519 key, 32 bytes, that signs for its owner from `from_ts` to `until_ts` (Unix ms);
    `sig` is the owner's own key's."""

    key: FastKeyText
    from_ts: Count
    until_ts: Count
    sig: Base64Url


class SessionKey(Payload, frozen=True, kw_only=True):
    """SESSION_KEY, over either end of a live link: the sender's next session key."""

    TYPE: ClassVar[str] = "SESSION_KEY"

    session: Session
