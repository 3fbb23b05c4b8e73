"""What the brain asks of its shell. The shell commits every Persist of a batch before it sends
anything of it.

What is made for each frame is a msgspec.Struct: that is made in a fifth of the time that a frozen
dataclass takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from socp.crypto.fast_sig import OwnSession
from socp.node.calls import Outcome
from socp.node.events import KeyTaken, LinkId
from socp.node.queries import Query
from socp.node.records import Record
from socp.wire.addresses import HostPort


class Outgoing(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """One frame of ours, to be signed once and encoded once however many links take it.

    Compared by identity: the shell keeps signed bytes for as long as the brain keeps the object.
    """

    type: str
    from_: str
    to: str
    ts: int
    payload: bytes  # JSON text of the payload object
    verbatim: bool = False  # payload is somebody else's text, not canonical: goes out unchanged
    in_turn: bool = False  # like presence it must not overtake a snapshot under way
    signed: bool = True  # False: `sig` stays "" (AUTH_CHALLENGE)
    promise: bool = False  # it says that we keep something: never said while that is in doubt
    fast: OwnSession | None = None  # signed with this session key, not with the server's own
    lasting: bool = False  # the same payload is said again and again: its signature is kept
    proofs: tuple[
        tuple[str, bytes], ...
    ] = ()  # payload members to fill with our signature over these bytes


class Send(msgspec.Struct, frozen=True):
    """Put this frame on each of these links, in order."""

    links: tuple[LinkId, ...]
    frame: Outgoing


class Relay(msgspec.Struct, frozen=True):
    """Put these encoded bytes, somebody else's frame, on each of these links, unchanged."""

    links: tuple[LinkId, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """Put these frames on each of these links, in order: the same bytes for all, in one write."""

    links: tuple[LinkId, ...]
    frames: tuple[Outgoing | bytes, ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Piece:
    """Part of what many are told, each in a Snapshot of their own. Compared by identity: the shell
    joins its frames once, and keeps them so for as long as the brain keeps the object."""

    frames: tuple[Outgoing | bytes, ...]
    size: int  # bytes, about


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A long list for one link: paced by what the socket takes, outside the output bound.

    `page` not 0: SnapshotDone(link, page) follows once the socket took all of it.
    """

    link: LinkId
    frames: tuple[Outgoing | bytes | Piece, ...]
    page: int = 0

    def each(self) -> Iterator[Outgoing | bytes]:
        """Frame by frame."""
        for frame in self.frames:
            if isinstance(frame, Piece):
                yield from frame.frames
            else:
                yield frame


class Kind(StrEnum):
    USER = "user"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Identified:
    """The link belongs to `peer` from now on: the frame limit rises to 1 MiB."""

    link: LinkId
    kind: Kind
    peer: str


@dataclass(frozen=True, slots=True)
class Close:
    """Flush what was sent before, say CTRL_CLOSE, close with `code` (section 1).

    `reason` <= 120 bytes.
    """

    link: LinkId
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Probe:
    """Ping this link; Alive when it answers, ProbeFailed after 5 s."""

    link: LinkId


@dataclass(frozen=True, slots=True)
class Ping:
    """Ping this link; Alive when it answers, nothing else."""

    link: LinkId


@dataclass(frozen=True, slots=True)
class Throttle:
    """Read nothing from this link for so long: its peer is made to wait, nothing is refused."""

    link: LinkId
    pause_ms: int


@dataclass(frozen=True, slots=True)
class Shed:
    """Cut those links that make us hold most, until about so many bytes are free; nobody who makes
    us hold little."""

    size: int


@dataclass(frozen=True, slots=True)
class Dial:
    """Open a WebSocket to this server; LinkOpened(dialled=address) or DialFailed follows within 10
    s."""

    address: HostPort
    tls: bool


@dataclass(frozen=True, slots=True)
class RenewSession:
    """Make a new session key and certify it; SessionMade follows."""


class Persist(msgspec.Struct, frozen=True):
    record: Record


@dataclass(frozen=True, slots=True)
class Ask:
    """Read from the store, after all that was given to it before; Answered follows."""

    query: Query


@dataclass(frozen=True, slots=True)
class Afterwards:
    """Tell the brain this once all before it is done: never where its batch was not stored."""

    event: KeyTaken


class Level(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Note:
    """A log line. `logger` names the part that speaks, e.g. "server.links"."""

    level: Level
    logger: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to an operator's command: lines for the terminal, and whether it was done."""

    request: int
    ok: bool
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to a Called. `proofs`: members of it to fill with our signature over these
    bytes."""

    request: int
    outcome: Outcome
    proofs: tuple[tuple[str, bytes], ...] = ()


Effect = (
    Send
    | Relay
    | Bundle
    | Snapshot
    | Identified
    | Close
    | Probe
    | Ping
    | Throttle
    | Shed
    | Dial
    | RenewSession
    | Persist
    | Ask
    | Afterwards
    | Note
    | Answer
    | Told
)


def is_promise(effect: Effect) -> bool:
    """Whether it says to somebody that something of theirs is kept."""
    return isinstance(effect, Send) and effect.frame.promise
