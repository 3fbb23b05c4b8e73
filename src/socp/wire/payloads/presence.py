"""Who is where, and with which key (sections 5, 6 and 10)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta

from socp.wire import limits
from socp.wire.part import Base64Url, Count, Features, Id, KeyText, Part, Payload, ServerId
from socp.wire.payloads.hello import Attach, UserMeta
from socp.wire.payloads.rotation import Revoked, Rotations


class UserAdvertise(Payload, frozen=True, kw_only=True):
    """USER_ADVERTISE, a server about its user (section 5)."""

    TYPE: ClassVar[str] = "USER_ADVERTISE"

    user_id: Id
    server_id: ServerId
    meta: UserMeta | None = None
    pubkey: KeyText = ""
    features: Features = ()
    attach: Attach | None = None
    rotations: Rotations = ()


class UserRemove(Payload, frozen=True, kw_only=True):
    """USER_REMOVE (section 5). The members of an ADVERTISE are here only to be refused."""

    TYPE: ClassVar[str] = "USER_REMOVE"

    user_id: Id
    server_id: ServerId
    meta: Any = UNSET
    pubkey: Any = UNSET
    features: Any = UNSET
    attach: Any = UNSET


class PresenceSync(Payload, frozen=True, kw_only=True):
    """PRESENCE_SYNC, server to server: say again who is with you (section 11, `gossip/1`)."""

    TYPE: ClassVar[str] = "PRESENCE_SYNC"


class PresenceWatch(Payload, frozen=True, kw_only=True):
    """PRESENCE_WATCH, user to server: tell of these alone from now on (section 11,
    `presence/1`)."""

    TYPE: ClassVar[str] = "PRESENCE_WATCH"
    ALWAYS: ClassVar[tuple[str, ...]] = ("users",)

    users: Annotated[tuple[Id, ...], Meta(max_length=limits.WATCHED)] = ()


class ListRequest(Payload, frozen=True, kw_only=True):
    """LIST_REQUEST, user to server (section 6)."""

    TYPE: ClassVar[str] = "LIST_REQUEST"
    ALIASES: ClassVar[tuple[str, ...]] = (
        "USER_LIST_REQ",
        "USER_LIST_REQUEST",
        "CMD_LIST",
        "LIST",
        "CTRL_LIST",
        "WHO",
    )


class OnlineRow(Part, frozen=True, kw_only=True, omit_defaults=False):
    """A user online as USER_LIST shows them (section 6)."""

    user_id: str
    server_id: str = ""
    display_name: str = ""


class Everybody(Part, frozen=True, kw_only=True, omit_defaults=False):
    """How many are online, and of how many the server knows that they signed these features
    (section 11, `presence/1`)."""

    online: Count
    hybrid: Count = 0
    content: Count = 0
    digest: Annotated[str, Meta(max_length=64)] = ""  # another one where somebody came or left


class UserList(Payload, frozen=True, kw_only=True):
    """USER_LIST, the answer to LIST_REQUEST, in parts with `more` (section 6)."""

    TYPE: ClassVar[str] = "USER_LIST"
    ALIASES: ClassVar[tuple[str, ...]] = ("LIST_RESPONSE",)
    MEMBER_ALIASES: ClassVar[dict[str, tuple[str, ...]]] = {"users": ("online_users",)}
    ALWAYS: ClassVar[tuple[str, ...]] = ("users", "online")

    users: Annotated[tuple[str, ...], Meta(max_length=limits.LIST_ROWS)] = ()
    online: Annotated[tuple[OnlineRow, ...], Meta(max_length=limits.LIST_ROWS)] = ()
    more: bool = False
    everybody: Everybody | None = None  # of a page


class PubkeyRequest(Payload, frozen=True, kw_only=True):
    """PUBKEY_REQUEST (section 6), user to server or server to home server."""

    TYPE: ClassVar[str] = "PUBKEY_REQUEST"
    ALIASES: ClassVar[tuple[str, ...]] = ("GET_PUBKEY",)

    user_id: Id


class PubkeyResponse(Payload, frozen=True, kw_only=True):
    """PUBKEY_RESPONSE (sections 6 and 10)."""

    TYPE: ClassVar[str] = "PUBKEY_RESPONSE"
    ALWAYS: ClassVar[tuple[str, ...]] = ("version",)

    user_id: Id
    pubkey: KeyText
    version: Count = 1
    directory_sig: Base64Url = ""
    rotations: Rotations = ()
    revoked: Revoked | None = None
    # The user's own newest statement, so that what their client can is known while they are away.
    server_id: ServerId = ""
    features: Features = ()
    attach: Attach | None = None
