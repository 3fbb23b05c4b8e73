"""What payloads are made of (section 2): typed objects that ignore members they do not know."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from socp.wire import limits
from socp.wire.ids import UUID4_PATTERN

# Python's "$" would take a newline after the end; where there is a max_length it has no room.
BASE64URL_PATTERN: Final = r"^[A-Za-z0-9_-]*=*\Z"
FEATURE_PATTERN: Final = r"^[\x21-\x7e]*\Z"  # ASCII: a list of them has few bytes in any form
HEX64_PATTERN: Final = "^[0-9a-f]{64}$"

Id = Annotated[str, Meta(pattern=UUID4_PATTERN, max_length=36)]
ServerId = Annotated[str, Meta(min_length=1, max_length=64)]  # a foreign one may be no UUID
KeyText = Annotated[str, Meta(max_length=limits.KEY_TEXT_CHARS)]
Base64Url = Annotated[str, Meta(pattern=BASE64URL_PATTERN)]
Hex64 = Annotated[str, Meta(pattern=HEX64_PATTERN, max_length=64)]
Count = Annotated[int, Meta(ge=0, le=limits.INTEGER_MAX)]
Port = Annotated[int, Meta(ge=1, le=65535)]
Host = Annotated[str, Meta(min_length=1, max_length=255)]
Feature = Annotated[str, Meta(pattern=FEATURE_PATTERN, max_length=64)]
Features = Annotated[tuple[Feature, ...], Meta(max_length=limits.FEATURES_MAX)]


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A JSON object inside a payload. Members that hold their default are not written."""


class Payload(Part, frozen=True, kw_only=True, omit_defaults=True):
    """What a frame says. Subclasses give TYPE, ALIASES (section 13) and their members.

    `MEMBER_ALIASES`: other implementations' names of a member, tried where ours is absent.
    `ALWAYS`: members that the standard lists, written even where they hold their default.
    """

    TYPE: ClassVar[str] = ""
    ALIASES: ClassVar[tuple[str, ...]] = ()
    MEMBER_ALIASES: ClassVar[dict[str, tuple[str, ...]]] = {}
    ALWAYS: ClassVar[tuple[str, ...]] = ()

    bind: Bind | None = None


class Bind(Part, frozen=True, kw_only=True):
    """`bind/1` (section 11): the envelope's members repeated where `sig` covers them."""

    type: str
    from_: str = msgspec.field(name="from")
    to: str
    ts: int
