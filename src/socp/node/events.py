"""What can happen to a server. Each event is complete: ids, nonces and addresses arrive in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

import msgspec

from socp.crypto.fast_sig import OwnSession
from socp.node.calls import Call
from socp.node.queries import Answer, Query
from socp.node.records import Record
from socp.wire.addresses import HostPort
from socp.wire.envelope import Envelope
from socp.wire.errors import PeerFault

LinkId = int


class Now(NamedTuple):
    """The time of an event: `wall` Unix ms for the wire, `mono` ms that never jump for timers."""

    wall: int
    mono: int


class LinkOpened(msgspec.Struct, frozen=True):
    """A WebSocket is open: a peer came to us, or our own dial to `dialled` went through."""

    link: LinkId
    address: str  # source address in text (a trusted proxy's forwarded one where there is one)
    loopback: bool
    browser: bool  # the request carried an Origin (accepted by the shell): users only
    nonce: bytes  # 32 random bytes: our challenge, or our auth_nonce where we dialled
    spare_id: str  # a fresh UUID v4, used if this peer asks for an id
    dialled: HostPort | None = None
    exporter: bytes = b""  # TLS exporter value, 32 bytes, or empty


class FrameReceived(msgspec.Struct, frozen=True):
    """A frame came, and `decode` took it."""

    link: LinkId
    envelope: Envelope


class FrameRefused(msgspec.Struct, frozen=True):
    """Bytes that are no frame: `decode` said why."""

    link: LinkId
    fault: PeerFault


class LinkLost(msgspec.Struct, frozen=True):
    """The socket is gone, whoever closed it. `reason` is for the log."""

    link: LinkId
    reason: str


class DialFailed(msgspec.Struct, frozen=True):
    """`reason` as the system says it, e.g. "[Errno 111] Connection refused"."""

    address: HostPort
    reason: str


class Alive(msgspec.Struct, frozen=True):
    """A WebSocket pong came (any pong; the answer to a Probe too)."""

    link: LinkId


class ProbeFailed(msgspec.Struct, frozen=True):
    """A Probe had no pong within 5 s."""

    link: LinkId


class Tick(msgspec.Struct, frozen=True):
    """Comes about four times a second."""


class Stopping(msgspec.Struct, frozen=True):
    """The process ends: say goodbye. The shell flushes and closes all links with 1001
    afterwards."""


class Admit(msgspec.Struct, frozen=True):
    """`socp admin admit FINGERPRINT` (64 hex, or a unique prefix of a server refused lately)."""

    request: int
    fingerprint: str


class Ban(msgspec.Struct, frozen=True):
    """`socp admin ban FINGERPRINT|SERVER_ID`: refused from now on, link cut."""

    request: int
    who: str


class Forget(msgspec.Struct, frozen=True):
    """`socp admin forget SERVER_ID|FINGERPRINT`: pin and ruling are removed, link cut."""

    request: int
    who: str


class ListServers(msgspec.Struct, frozen=True):
    """`socp admin servers`."""

    request: int


class ListUsers(msgspec.Struct, frozen=True):
    """`socp admin users`: those whose id or name begins with `prefix`."""

    request: int
    prefix: str


@dataclass(frozen=True, slots=True)
class Invite:
    """`socp admin invite`: these new codes, 16 random bytes each, are good for `days`."""

    request: int
    codes: tuple[bytes, ...] = field(repr=False)
    days: int


@dataclass(frozen=True, slots=True)
class Called:
    """Somebody asks over HTTP; Told with this `request` follows, at once or after a commit."""

    request: int
    call: Call
    address: str  # as in LinkOpened
    loopback: bool
    nonce: bytes = field(repr=False)  # 32 random bytes


class RevokeUser(msgspec.Struct, frozen=True):
    """`socp admin revoke USER_ID`: that user is not taken here any more."""

    request: int
    who: str


class Answered(msgspec.Struct, frozen=True):
    """The store's answer to Ask(query); None where it could not be read."""

    query: Query
    answer: Answer | None


class CommitFailed(msgspec.Struct, frozen=True):
    """These records of one event could not be stored, and nothing of its effects was sent.

    `reason` is one line about the disk, for people.
    """

    records: tuple[Record, ...]
    reason: str


class SnapshotDone(msgspec.Struct, frozen=True):
    """The link's socket took all frames of the Snapshot with this `page`."""

    link: LinkId
    page: int


class KeyTaken(msgspec.Struct, frozen=True):
    """What the user of this link said last about their key is stored, and acknowledged."""

    link: LinkId


class SessionMade(msgspec.Struct, frozen=True):
    """A session key of ours, certified (section 11, `fast-sig/1`); the first one before anything
    else happens. Without, the server does without."""

    session: OwnSession


class Strain(IntEnum):
    """How much waits for a signature by our own key."""

    NONE = 0  # what is asked for is soon done
    SOME = 1  # who asks for more than their share makes others wait
    FULL = 2  # whatever is asked for now waits too long


class SigningStrained(msgspec.Struct, frozen=True):
    """There is more, or less, to sign than before: said when that changes."""

    strain: Strain


class Measured(msgspec.Struct, frozen=True):
    """The whole process holds so many bytes of memory, by the system's word."""

    resident: int


Event = (
    LinkOpened
    | FrameReceived
    | FrameRefused
    | LinkLost
    | DialFailed
    | Alive
    | ProbeFailed
    | Tick
    | Stopping
    | Admit
    | Ban
    | Forget
    | ListServers
    | ListUsers
    | Invite
    | Called
    | RevokeUser
    | Answered
    | CommitFailed
    | SnapshotDone
    | KeyTaken
    | SessionMade
    | SigningStrained
    | Measured
)
