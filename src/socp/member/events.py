"""What can happen to a client: the network, the clock, the person, the disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from socp.crypto.keys import PrivateKey
from socp.member.records import OutboxLine, PublicChoice
from socp.wire.envelope import Envelope
from socp.wire.errors import PeerFault

Change = Literal["edit", "delete", "reaction"]


class Now(NamedTuple):
    """`wall` Unix ms as this machine believes, `mono` ms that never jump."""

    wall: int
    mono: int


@dataclass(frozen=True, slots=True)
class Connected:
    """The WebSocket to our server is open."""

    nonce: bytes  # 32 random bytes, our auth_nonce
    exporter: bytes = b""


class FrameReceived(msgspec.Struct, frozen=True):
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class FrameRefused:
    fault: PeerFault


@dataclass(frozen=True, slots=True)
class Disconnected:
    reason: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Comes about ten times a second while connected, once a second otherwise."""


@dataclass(frozen=True, slots=True)
class Say:
    """The person wrote `text` to `to` (user_id, or "public")."""

    to: str
    text: str
    reply_to: str = ""  # msg_ref of what it answers


@dataclass(frozen=True, slots=True)
class Amend:
    """The person changes, takes back or reacts to what went under the msg_ref `of` in a
    conversation (user_id, or "public")."""

    to: str
    of: str
    kind: Change
    body: str  # the new text, the emoji ("" takes it away), "" of a delete


@dataclass(frozen=True, slots=True)
class ChooseReceipts:
    """Whether others hear from now on that their messages are here, and were read."""

    delivered: bool
    read: bool


@dataclass(frozen=True, slots=True)
class SentLoaded:
    """What is kept of our messages that a reader misses, the answer to LoadSent."""

    lines: tuple[OutboxLine, ...]


@dataclass(frozen=True, slots=True)
class RequestList:
    """`/list`: answered by ListAnswered."""


@dataclass(frozen=True, slots=True)
class LookUp:
    """`/whois`: answered by WhoisAnswered (asks the directory where the key is not known)."""

    user_id: str


@dataclass(frozen=True, slots=True)
class OfferFile:
    """Send this file. The shell has measured and hashed it; chunks are asked for by ReadChunk."""

    file_id: str  # fresh UUID v4
    to: str  # user_id or "public"
    name: str  # basename
    size: int  # bytes
    sha256: str  # hex
    chunk_hashes: bytes  # SHA-256 of each FILE_CHUNK_BYTES piece, concatenated
    path: str = ""  # absolute: it is opened again by it in a later run
    modified_ns: int = 0


@dataclass(frozen=True, slots=True)
class ChunkRead:
    file_id: str
    index: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ReadFailed:
    file_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class SinkOpened:
    """The temporary file of a transfer that may go on is open; its first `have` pieces are
    right."""

    file_id: str
    have: int


@dataclass(frozen=True, slots=True)
class FileStored:
    """The shell checked size and SHA-256 and gave the received file its name."""

    file_id: str
    path: str


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """Writing, checking or naming failed: nothing is presented as received. `wrong`: it is not what
    was announced, and would be no better a second time."""

    file_id: str
    reason: str
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class CancelFile:
    file_id: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The person has seen these messages, or why they were refused; `number` as in the notice."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """The person goes: nothing more comes with what waits to be said together."""


@dataclass(frozen=True, slots=True)
class ChannelKeyGenerated:
    """The answer to GenerateChannelKey."""

    version: int
    key: PrivateKey


@dataclass(frozen=True, slots=True)
class RotateKey:
    """`/rotate-key`: a new key of ours lies on the disk, to take the place of the present one."""

    key: PrivateKey


@dataclass(frozen=True, slots=True)
class RevokeKey:
    """`/revoke-key`: this id is to be dead from now on."""


@dataclass(frozen=True, slots=True)
class Verify:
    """The person compared the safety number of the key with this fingerprint: it is theirs."""

    user_id: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Unverify:
    """The person is not sure any more."""

    user_id: str


@dataclass(frozen=True, slots=True)
class AcceptKey:
    """The claimed key, which has this fingerprint, is theirs from now on. `compared`: the person
    compared its safety number."""

    user_id: str
    fingerprint: str
    compared: bool


@dataclass(frozen=True, slots=True)
class KeepKey:
    """The known key is theirs; the claimed one, which has this fingerprint, is not."""

    user_id: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class ChoosePublic:
    """Who may read what the person says to everybody, from now on."""

    choice: PublicChoice


Event = (
    Connected
    | FrameReceived
    | FrameRefused
    | Disconnected
    | Tick
    | Say
    | Amend
    | ChooseReceipts
    | SentLoaded
    | RequestList
    | LookUp
    | OfferFile
    | ChunkRead
    | ReadFailed
    | SinkOpened
    | FileStored
    | StoreFailed
    | CancelFile
    | Shown
    | Leave
    | ChannelKeyGenerated
    | RotateKey
    | RevokeKey
    | Verify
    | Unverify
    | AcceptKey
    | KeepKey
    | ChoosePublic
)
