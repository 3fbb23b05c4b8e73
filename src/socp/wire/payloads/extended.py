"""Members that an extension adds to frames of the standard (section 11).

They are read only where both ends announced the extension: to everybody else they are unknown
members, and ignored whatever they are. So these classes are not among KINDS.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from socp.wire import limits
from socp.wire.part import Base64Url, Count, Part, Payload, ServerId
from socp.wire.payloads.answers import Ack
from socp.wire.payloads.hello import ServerWelcome
from socp.wire.payloads.session import Session


class UsersTold(Part, frozen=True, kw_only=True, omit_defaults=False):
    """How many users are with the sender, and the digest of its roll of them (`gossip/1`)."""

    count: Count
    digest: Annotated[Base64Url, Meta(max_length=44)]


class GossipBeat(Payload, frozen=True, kw_only=True):
    """HEARTBEAT on a link with `gossip/1`. `links` is there when it changed, even if empty."""

    TYPE: ClassVar[str] = "HEARTBEAT"

    links: Annotated[tuple[ServerId, ...], Meta(max_length=limits.LINKS_TOLD)] | None = None
    users: UsersTold | None = None


class ListPage(Payload, frozen=True, kw_only=True):
    """LIST_REQUEST of a client with `presence/1`: the `limit` users whose ids follow `after`, but
    nobody while `everybody.digest` is still `unless`; all of them in parts, as ever, where no
    `limit` is given."""

    TYPE: ClassVar[str] = "LIST_REQUEST"

    after: Annotated[str, Meta(max_length=36)] = ""
    unless: Annotated[str, Meta(max_length=64)] = ""
    limit: Annotated[int, Meta(ge=1, le=limits.LIST_PAGE)] | None = None


class FastAck(Ack, frozen=True, kw_only=True):
    """ACK of a hello where both ends announce `fast-sig/1`: with the answerer's session key."""

    session: Session | None = None


class FastWelcome(ServerWelcome, frozen=True, kw_only=True):
    """SERVER_WELCOME where both ends announce `fast-sig/1`: with the introducer's session key."""

    session: Session | None = None
