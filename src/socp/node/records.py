"""What the server remembers: frozen rows that `storage` keeps and the brain loads at start
(sections 4, 5, 7, 10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class PinOrigin(StrEnum):
    """How a server's key came to be trusted (section 5, admission)."""

    BOOTSTRAP = "bootstrap"  # its key stands in the configuration
    OPERATOR = "operator"  # `socp admin admit`
    LOOPBACK = "loopback"  # first use, by our own dial to a loopback address
    OPEN = "open"  # first use, federation = "open"


@dataclass(frozen=True, slots=True)
class ServerPin:
    """One server's id tied to its key. Key: server_id."""

    server_id: str
    pubkey: str  # base64url DER, our encoding
    host: str
    port: int
    origin: PinOrigin
    features: tuple[str, ...]  # security features it proved to have; () while it never proved
    pinned_ms: int


class Verdict(StrEnum):
    ADMITTED = "admitted"
    BANNED = "banned"


@dataclass(frozen=True, slots=True)
class Ruling:
    """The operator's word about a server key. Key: fingerprint (64 hex)."""

    fingerprint: str
    verdict: Verdict
    ruled_ms: int


@dataclass(frozen=True, slots=True)
class Account:
    """A user's id tied to its key, whether it lives here or elsewhere. Key: user_id."""

    user_id: str
    pubkey: str  # base64url DER, our encoding
    version: int  # of the key, from 1
    local: bool  # said hello here at least once
    proven: bool  # once proved possession (`link-auth/1`), must prove again
    features: tuple[str, ...]  # as proved
    display_name: str  # a label, never an identity
    pinned_ms: int


@dataclass(frozen=True, slots=True)
class Home:
    """The server that last advertised a user. Key: user_id."""

    user_id: str
    server_id: str
    attach_ts: int  # newest valid attach, 0 where there was none


@dataclass(frozen=True, slots=True)
class ChannelShare:
    """The newest PUBLIC_CHANNEL_KEY_SHARE for a member who lives here.

    Key: (member_id, version).
    """

    member_id: str
    version: int
    wrapped_key: str  # base64url, OAEP(group key)
    creator_id: str
    frame: bytes  # the whole frame as received, for the member's next hello


@dataclass(frozen=True, slots=True)
class ChannelVersion:
    """The highest version of the public channel heard of. One row."""

    version: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Deletes the pin of a server and the ruling on its key (`socp admin forget`)."""

    server_id: str  # "" where only the ruling goes
    fingerprint: str  # 64 hex


Record = ServerPin | Ruling | Account | Home | ChannelShare | ChannelVersion | Forgotten


@dataclass(frozen=True, slots=True)
class Remembered:
    """Everything loaded at start."""

    pins: tuple[ServerPin, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    accounts: tuple[Account, ...] = ()
    homes: tuple[Home, ...] = ()
    shares: tuple[ChannelShare, ...] = field(default=())
    channel_version: int = 0
