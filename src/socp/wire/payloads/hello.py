"""First frames and what proves who sent them (sections 5, 6 and 11)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from socp.wire import limits
from socp.wire.part import (
    Base64Url,
    Count,
    Features,
    Host,
    Id,
    KeyText,
    Part,
    Payload,
    Port,
    ServerId,
)
from socp.wire.payloads.rotation import Rotations
from socp.wire.payloads.session import Session


class Attach(Part, frozen=True, kw_only=True):
    """A user's own signed statement of where they are (section 11, `link-auth/1`)."""

    ts: Count
    sig: Base64Url


class ServerRow(Part, frozen=True, kw_only=True):
    """A server as SERVER_WELCOME lists it (section 5)."""

    server_id: ServerId
    host: Host
    port: Port
    pubkey: KeyText


class ClientRow(Part, frozen=True, kw_only=True, omit_defaults=False):
    """A user as SERVER_WELCOME lists it (section 5): who, at which server, with which key."""

    user_id: Id
    host: str = ""
    port: int = 0
    pubkey: KeyText = ""
    server_id: ServerId = ""


class UserMeta(Part, frozen=True, kw_only=True):
    """Optional labels (section 10). Never an identity; `pubkey` repeats the key in ADVERTISE."""

    display_name: Annotated[str, Meta(max_length=256)] = ""
    pronouns: Annotated[str, Meta(max_length=256)] = ""
    avatar_url: Annotated[str, Meta(max_length=1024)] = ""
    pubkey: KeyText = ""


class ServerHello(Payload, frozen=True, kw_only=True):
    """What JOIN, LINK and ANNOUNCE share (section 5)."""

    host: Host
    port: Port
    pubkey: KeyText
    features: Features = ()
    auth_nonce: Base64Url = ""


class ServerHelloJoin(ServerHello, frozen=True, kw_only=True):
    """SERVER_HELLO_JOIN, newcomer to introducer, `to` is "host:port" (section 5)."""

    TYPE: ClassVar[str] = "SERVER_HELLO_JOIN"


class ServerHelloLink(ServerHello, frozen=True, kw_only=True):
    """SERVER_HELLO_LINK, server to server (section 5)."""

    TYPE: ClassVar[str] = "SERVER_HELLO_LINK"
    ALIASES: ClassVar[tuple[str, ...]] = ("PEER_HELLO_LINK",)


class ServerAnnounce(ServerHello, frozen=True, kw_only=True):
    """SERVER_ANNOUNCE, newcomer to all (section 5)."""

    TYPE: ClassVar[str] = "SERVER_ANNOUNCE"


class UserHello(Payload, frozen=True, kw_only=True):
    """USER_HELLO, user to server (section 6)."""

    TYPE: ClassVar[str] = "USER_HELLO"
    ALWAYS: ClassVar[tuple[str, ...]] = ("client",)

    client: Annotated[str, Meta(max_length=200)] = ""
    pubkey: KeyText
    enc_pubkey: KeyText = ""
    features: Features = ()
    meta: UserMeta | None = None
    auth_nonce: Base64Url = ""
    invitation: Annotated[str, Meta(max_length=limits.INVITATION_CHARS)] = ""
    rotations: Rotations = ()


class AuthChallenge(Payload, frozen=True, kw_only=True):
    """AUTH_CHALLENGE, the answer to a first frame with `auth_nonce`; unsigned (section 11)."""

    TYPE: ClassVar[str] = "AUTH_CHALLENGE"

    nonce: Base64Url
    server_id: ServerId
    pubkey: KeyText
    features: Features = ()


class AuthProof(Payload, frozen=True, kw_only=True):
    """AUTH_PROOF, the dialler's proof of possession, and its session key; a user's carries
    `attach` (section 11)."""

    TYPE: ClassVar[str] = "AUTH_PROOF"

    proof: Base64Url = ""
    attach: Attach | None = None
    session: Session | None = None


class ServerWelcome(Payload, frozen=True, kw_only=True):
    """SERVER_WELCOME, introducer to newcomer (section 5)."""

    TYPE: ClassVar[str] = "SERVER_WELCOME"
    MEMBER_ALIASES: ClassVar[dict[str, tuple[str, ...]]] = {"pubkey": ("server_pub",)}
    ALWAYS: ClassVar[tuple[str, ...]] = ("clients", "servers")

    assigned_id: ServerId
    clients: Annotated[tuple[ClientRow, ...], Meta(max_length=limits.LIST_ROWS)] = ()
    servers: Annotated[tuple[ServerRow, ...], Meta(max_length=limits.LIST_ROWS)] = ()
    server_id: ServerId = ""
    host: str = ""
    port: int = 0
    pubkey: KeyText = ""
    features: Features = ()
    proof: Base64Url = ""
