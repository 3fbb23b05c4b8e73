"""What the member brain asks of its shell. Persist is committed before anything else of the batch
is done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from socp.member.contacts import Person
from socp.member.file_effects import FileEffect
from socp.member.own_frame import OwnFrame
from socp.member.records import LineState, Record
from socp.member.records import TrustState as TrustState  # noqa: PLC0414 - notices speak of it


class Transmit(msgspec.Struct, frozen=True):
    """Put this frame on the socket, in order."""

    frame: OwnFrame

    @property
    def data(self) -> bytes:
        """Its bytes; where it is not signed yet this costs the signature."""
        return self.frame.data


class Persist(msgspec.Struct, frozen=True):
    record: Record


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the socket; `retry` False: the person must act first, do not connect again."""

    reason: str
    retry: bool = True


@dataclass(frozen=True, slots=True)
class GenerateChannelKey:
    """Make a key pair away from the event loop (it takes a second); ChannelKeyGenerated follows."""

    version: int


@dataclass(frozen=True, slots=True)
class LoadSent:
    """Read what is kept of our messages to somebody, of these numbers; SentLoaded follows."""

    to: str
    run: str
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PromoteKey:
    """The new private key on the disk is ours now; the former one, of this version, is kept to read
    old mail."""

    former_version: int


@dataclass(frozen=True, slots=True)
class DropKey:
    """The new private key on the disk is of no use."""


# --- notices: what the person is told ----------------------------------------------------------


class Trust(StrEnum):
    """How sure we are who wrote something."""

    CHANGED = "KEY CHANGED"  # the known key, but another is claimed for them and not decided about
    VERIFIED = "verified"  # safety number compared
    FORMER_KEY = "former key"  # signed before their key was replaced, and came after
    PINNED = "pinned"  # same key as ever, author bound
    NOT_BOUND = "author not bound"  # plain v1.3: the key is right, the words could be another's
    NOT_ENCRYPTED = "not encrypted"  # a foreign public message in clear
    UNSIGNED = "not signed"  # a foreign file: whoever carried it may have made it
    FIRST_SEEN = "first seen"  # key came with this very message, unconfirmed


@dataclass(frozen=True, slots=True)
class Online:
    """Attached to a server, ready to talk. `proven`: it proved its pinned key."""

    server_id: str
    fingerprint: str
    proven: bool
    first_seen: bool


@dataclass(frozen=True, slots=True)
class MessageArrived:
    """A direct message (`public` False) or a post. It is told again at the next start unless
    `Shown(number)` says that the person saw it."""

    author: str
    text: str
    ts: int  # author's, Unix ms
    trust: Trust
    public: bool
    msg_ref: str
    number: int = 0
    said: int = 0  # its number in the history
    reply_to: str = ""  # msg_ref of what it answers
    late: bool = False  # it was written before others of its author that came earlier


@dataclass(frozen=True, slots=True)
class Amended:
    """Somebody, perhaps we, changed, took back or reacted to what was said in a conversation."""

    talk: str  # the other's user id, or "public"
    of: str  # msg_ref
    author: str
    kind: str  # edit | delete | reaction
    body: str  # the new text, the emoji ("" takes it away), "" of a delete
    ts: int  # Unix ms
    number: int  # in the history
    trust: str = ""  # how sure it is who says so, a `Trust`; "" of our own


@dataclass(frozen=True, slots=True)
class GapFound:
    """Messages of somebody did not come, though later ones did (threat M12)."""

    talk: str
    author: str
    count: int
    after_ts: int  # of the message before them, Unix ms, 0 where none is known
    before_ts: int  # of the one after them
    asked: bool  # their client was asked to send them again


@dataclass(frozen=True, slots=True)
class GapClosed:
    """What was missing of somebody's messages is all here."""

    talk: str
    author: str


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """Something came that is not shown as a message; `reason` says why and what to do. `number`:
    as in MessageArrived, 0 where nothing is to be said of it."""

    author: str  # claimed
    reason: str
    ts: int
    number: int = 0


@dataclass(frozen=True, slots=True)
class LineMoved:
    """The state of one's own line. `reason` where it waits or is refused ("alice is away").

    DONE is not always the end: one that a server keeps for somebody becomes DELIVERED, or REFUSED.
    """

    line_id: int
    to: str
    text: str
    state: LineState
    reason: str
    said: int = 0  # its number in the history
    kind: str = "text"  # text | edit | delete | reaction
    msg_ref: str = ""  # what others know it by, "" while it is not composed or in several parts


@dataclass(frozen=True, slots=True)
class PeerMoved:
    """Somebody came or went. `here_before`: they were online before we attached."""

    user_id: str
    display_name: str
    online: bool
    first_seen: bool
    here_before: bool = False


@dataclass(frozen=True, slots=True)
class KeyChanged:
    """Loud: somebody claims another key for a pinned user. The pin stays, and nothing is sent to
    them until the person decides."""

    user_id: str
    pinned: str  # fingerprint
    claimed: str  # fingerprint


@dataclass(frozen=True, slots=True)
class KeyReplaced:
    """A contact has a new key, and the former one signed it: it is followed. Whoever compared keys
    with them must do so again."""

    user_id: str
    former: str  # fingerprint
    key: str  # fingerprint
    was_verified: bool


@dataclass(frozen=True, slots=True)
class KeyRevoked:
    """A contact revoked their id: nothing is sent to them any more, nothing of theirs is shown."""

    user_id: str


@dataclass(frozen=True, slots=True)
class TrustMoved:
    """The person decided about a contact's key, or the contact's own signature did. `KeyChanged`
    says that it is CHANGED."""

    user_id: str
    state: TrustState


class OwnKeyState(StrEnum):
    """How far a change of our own key is."""

    WAITING = "waiting"  # until nothing else is on its way
    REPLACED = "replaced"
    REFUSED = "refused"  # all is as before
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class OwnKeyMoved:
    """What becomes of our own key; `reason` where it is refused."""

    state: OwnKeyState
    fingerprint: str  # of the key that is ours now
    reason: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Anything else the person should know, one sentence with the next step (downgrades, clock,
    channel)."""

    text: str


@dataclass(frozen=True, slots=True)
class MembersShown:
    """Who reads the public channel, told before the first post of a run and when somebody new
    joined.

    Those online come first; each has its label and when their key was first seen.
    """

    members: tuple[Person, ...]
    fresh: tuple[Person, ...]  # those not in the last one


@dataclass(frozen=True, slots=True)
class ListAnswered:
    users: tuple[str, ...]  # ids, sorted


@dataclass(frozen=True, slots=True)
class WhoisAnswered:
    user_id: str
    pubkey_fingerprint: str  # "" where nobody knows the user
    note: str


@dataclass(frozen=True, slots=True)
class FileOffered:
    file_id: str
    author: str
    name: str  # safe basename
    size: int
    public: bool
    trust: Trust


@dataclass(frozen=True, slots=True)
class FileProgress:
    """Both ends, at most four times a second."""

    file_id: str
    peer: str  # user_id or "public"
    name: str
    done: int  # bytes
    size: int
    sending: bool
    bytes_per_s: int = 0  # lately, 0 while not known
    remaining_s: int | None = None


@dataclass(frozen=True, slots=True)
class FileWaits:
    """A transfer goes on by itself later, from where it stands; `reason` says when."""

    file_id: str
    peer: str
    name: str
    done: int  # bytes
    size: int
    sending: bool
    reason: str


@dataclass(frozen=True, slots=True)
class FileDone:
    """Its reader has it, as far as their client says such things, or it was received, checked and
    stored at `path`. `kept`: sent to a server, which keeps it until its reader is back; when they
    have it, that is told once more."""

    file_id: str
    peer: str
    name: str
    size: int
    sending: bool
    path: str
    kept: bool = False


@dataclass(frozen=True, slots=True)
class FileFailed:
    file_id: str
    peer: str
    name: str
    sending: bool
    reason: str


Notice = (
    Online
    | MessageArrived
    | MessageRefused
    | Amended
    | GapFound
    | GapClosed
    | LineMoved
    | PeerMoved
    | KeyChanged
    | KeyReplaced
    | KeyRevoked
    | TrustMoved
    | OwnKeyMoved
    | Warned
    | MembersShown
    | ListAnswered
    | WhoisAnswered
    | FileOffered
    | FileProgress
    | FileWaits
    | FileDone
    | FileFailed
)


class Tell(msgspec.Struct, frozen=True):
    notice: Notice


Effect = (
    Transmit
    | Persist
    | Disconnect
    | FileEffect
    | GenerateChannelKey
    | LoadSent
    | PromoteKey
    | DropKey
    | Tell
)
