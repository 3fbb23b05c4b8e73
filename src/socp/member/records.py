"""What a client remembers: frozen rows that `storage` keeps (protocol.md, sections 7, 10 and 12;
threats M2, M4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import msgspec

from socp.crypto.rotation import KeyStep, Revocation
from socp.wire.content import Place


class TrustState(StrEnum):
    """What is known of a contact's key."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"  # the safety number was compared
    CHANGED = "CHANGED"  # another key is claimed for them: nothing is sent until the person decides


class Contact(msgspec.Struct, frozen=True):
    """Another user, pinned on first sight. Key: user_id."""

    user_id: str
    pubkey: str  # base64url DER, our encoding
    display_name: str  # a label, never an identity
    features: tuple[str, ...]  # as signed in the newest valid attach; () while none was seen
    attach_ts: int  # of that attach, 0 while none
    verified: bool
    from_directory: bool  # the key came with an ADVERTISE or PUBKEY_RESPONSE, not only in a message
    content_form: str  # the content_sig form that matched last
    refused_key: str  # fingerprint of the latest other key somebody claimed for them, or ""
    first_seen_ms: int
    changed_ms: int = 0  # since when another key is claimed and the person has not decided, Unix ms
    claimed_key: str = ""  # that key, base64url DER, "" while none; the first one counts
    kept_against: tuple[str, ...] = ()  # fingerprints that the person refused, the latest last

    @property
    def state(self) -> TrustState:
        """What the person may rely on."""
        if self.changed_ms:
            return TrustState.CHANGED
        return TrustState.VERIFIED if self.verified else TrustState.UNVERIFIED


@dataclass(frozen=True, slots=True)
class KnownServer:
    """A server we attached to, pinned on first use. Key: server_id."""

    server_id: str
    pubkey: str
    address: str  # the ws:// URL as given
    features: tuple[str, ...]  # security features it proved; required from then on
    pinned_ms: int


class Seen(NamedTuple):
    """One message received, for ever: no replay, no other author on the same ciphertext. Key:
    msg_ref. A tuple, because a start makes one for every message that ever came."""

    msg_ref: str
    digest: bytes  # SHA-256 of the raw ciphertext, 32 bytes
    author: str
    ts: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Whose profile this is, and what they chose. There is one; the client keeps it, no brain."""

    user_id: str
    display_name: str
    server_url: str = ""  # ws:// or wss://, where the profile was last used; "" while nowhere
    downloads: str = ""  # the folder of received files; "" for the usual one
    tell_delivered: bool = True  # whether others hear that a message is here (content/1)
    tell_read: bool = True  # and that it was read
    run: str = ""  # 16 hex digits: what numbers our messages, one for each life of the profile
    origin: str = ""  # how this life began: new | login | import; "" of before that was noted
    began_ms: int = 0  # when, Unix ms
    begun: bool = True  # False until there is a key: its first start was broken off, and goes on


class LineState(StrEnum):
    WAITING = "waiting"  # not sent yet, or to be sent again
    SENT = "sent"  # on its way, no answer yet
    DONE = "done"  # handed over (ACK)
    REFUSED = "refused"  # will not be tried again
    DELIVERED = "delivered"  # the reader's client has it
    READ = "read"  # the reader has seen it, as their client says


@dataclass(frozen=True, slots=True)
class OutboxLine:
    """One thing the person said. Key: line_id (counts up). Deleted from the store when DONE."""

    line_id: int
    to: str  # user_id or "public"
    text: str
    state: LineState
    frames: tuple[bytes, ...]  # encoded, of the last attempt: retries are byte for byte the same
    msg_refs: tuple[str, ...]  # one per frame, still unanswered
    composed_ms: int  # wall time of the last composing, 0 while none
    reason: str = ""
    late: bool = False  # the frames say `late`: with `mailbox/1` they are good for 30 days
    sealed_to: str = ""  # the form and the fingerprint of the reader's key, "" for posts
    said: int = 0  # its number in the history, 0 for what an older version kept
    kind: str = "text"  # of content/1; only a text can be said to readers without it
    body: bytes = b""  # what content/1 says, packed without its place; b"" for bare text
    place: Place | None = None  # among what we say there, once composed as content/1
    doubt: bool = False  # it was composed or sent before, and may have arrived then
    quiet: bool = False  # our client's own word (a receipt): the person is not told of it
    key: str = ""  # a newer line with the same one takes its place while it waits


@dataclass(frozen=True, slots=True)
class Numbered:
    """How far our own messages to somebody are numbered. Key: to."""

    to: str  # user_id or "public"
    run: str
    seq: int  # of the newest
    msg_ref: str  # of the newest, "" while none


@dataclass(frozen=True, slots=True)
class SentLine:
    """One of our messages as it went out, for a reader who misses it. Key: to, run, seq."""

    to: str
    run: str
    seq: int
    line: OutboxLine


@dataclass(frozen=True, slots=True)
class SentGone:
    """It is not kept any longer."""

    to: str
    run: str
    seq: int


@dataclass(frozen=True, slots=True)
class SentTakenBack:
    """We took a message back: of its words none are kept in the `SentLine`s of these numbers."""

    to: str
    run: str
    first: int
    last: int
    of: str  # msg_ref


@dataclass(frozen=True, slots=True)
class Shelf:
    """From which number on the `SentLine`s to somebody are kept, by days. Key: to."""

    to: str
    run: str
    days: tuple[tuple[int, int], ...]  # (days since 1970, first seq of that day), rising; () none
    last: int  # the highest seq when this was written; `Numbered` knows the newest


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages of somebody that did not come."""

    first: int  # seq
    last: int
    after_ts: int  # of the message before them, Unix ms, 0 where none came
    before_ts: int  # of the one after them


@dataclass(frozen=True, slots=True)
class Thread:
    """What came of somebody's messages in one run, in private or in the channel. Key: author,
    public, run."""

    author: str
    public: bool
    run: str
    seq: int  # the highest that came; 0: forget this thread
    ts: int  # of that message, Unix ms
    gaps: tuple[Gap, ...] = ()  # rising
    lately: bytes = b""  # of the latest that came: seq, 8 bytes, and 8 of the digest of its body
    heard_ms: int = 0  # when the newest came, Unix ms


@dataclass(frozen=True, slots=True)
class Arrived:
    """Something that came and that the person has not seen yet: told again at the next start. Key:
    number (counts up)."""

    number: int
    msg_ref: str  # "" for a refusal
    author: str
    text: str  # what they wrote, or why it is not shown
    ts: int  # author's, Unix ms
    trust: str  # a `Trust`, "" for a refusal
    public: bool
    refused: bool
    said: int = 0  # its number in the history, 0 for what an older version kept
    reply_to: str = ""  # msg_ref
    late: bool = False  # it was said before others of its author that came earlier


@dataclass(frozen=True, slots=True)
class ArrivedShown:
    """The person has seen it: its `Arrived` has no business in the store any more."""

    number: int


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a conversation, ours or another's, for ever. Key: number (counts up over all
    conversations, in the order in which they came or were said).

    What was changed later (`Amendment`) is laid over it when it is read.
    """

    number: int
    talk: str  # the other's user id, or "public"
    author: str  # user id, our own too
    text: str  # what they wrote; of a refusal why it is not shown; of a file its name
    ts: int  # author's, Unix ms
    at_ms: int  # when it came here or was said here, Unix ms
    trust: str  # a `Trust`, "" for our own and for refusals
    msg_refs: tuple[str, ...]  # one a frame, () while none; the last is what it is called by
    kind: str = "text"  # text | file | refused | note
    state: str = ""  # a `LineState` of our own lines, "" of others'
    reason: str = ""  # why it waits or was refused
    reply_to: str = ""  # msg_ref
    file_id: str = ""
    whole: int = 0  # so many of the last msg_refs are each all of it, and not one of its frames


@dataclass(frozen=True, slots=True)
class SaidMoved:
    """What became of a line of ours: the newest state of the `Said` of that number. What was
    delivered or read stays so."""

    number: int
    state: str
    reason: str
    msg_refs: tuple[str, ...]  # under which it went out now, beside those of before
    whole: bool = False  # each of them is all of it


@dataclass(frozen=True, slots=True)
class SaidReached:
    """The reader has, or has read, what went out under a msg_ref; of one we never sent it is
    nothing."""

    msg_ref: str
    state: str  # LineState.DELIVERED or READ
    by: str  # who says so: user_id, "" for our server


@dataclass(frozen=True, slots=True)
class Amendment:
    """Somebody changed, took back or reacted to what was said in that conversation. Key: of, author
    and kind; of several the one that was said last counts, in whichever order they came.

    It counts if `author` may: edits and deletes only where they wrote what it is `of`.
    """

    number: int  # counts up, with those of `Said`
    talk: str
    of: str  # msg_ref
    author: str
    kind: str  # edit | delete | reaction
    body: str  # the new text, the emoji ("" takes it away), "" of a delete
    ts: int  # Unix ms
    msg_ref: str  # of the message that said so, "" of our own
    run: str = ""  # in which of its author's runs it was said, "" of our own
    seq: int = 0  # and the how many-th there
    trust: str = ""  # a `Trust`, "" of our own, and of before that was noted


class FileStage(StrEnum):
    """How far a transfer is that outlives a run."""

    OPEN = "open"  # it goes on
    ONCE = "once"  # ours: on its way in the only attempt that its reader's client can follow
    KEPT = "kept"  # ours: a server has all of it; its reader may still ask for it once more
    DONE = "done"  # theirs: it is here
    REFUSED = "refused"  # theirs: it is not wanted
    OVER = "over"  # nothing more is to be known of it: not in the store


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file of ours, until its reader has it (section 8). Key: file_id. Not in the store when
    OVER."""

    file_id: str
    to: str  # user_id; "public" when ONCE
    name: str  # basename
    path: str
    size: int  # bytes
    modified_ns: int  # of the file when it was measured
    sha256: str  # hex
    chunk_hashes: bytes = field(repr=False)
    file_key: bytes = field(repr=False)  # b"" while it was never sent with `hybrid/1`
    offered_ms: int  # Unix ms
    said: int  # its number in the history
    stage: FileStage


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file by somebody who can go on with it, or ask what became of it. Key: author, file_id. Not
    in the store when OVER."""

    author: str
    file_id: str
    name: str  # safe basename
    size: int  # bytes
    part: str  # the name of what is on the disk of it
    begun_ms: int  # Unix ms
    stage: FileStage


@dataclass(frozen=True, slots=True)
class ChannelKey:
    """One key of the public channel. Key: (version, fingerprint). Without `private` it is kept no
    longer."""

    version: int
    fingerprint: str  # of the public half
    channel_pub: str  # base64url DER
    private: bytes = field(repr=False)  # PrivateKey.to_bytes()
    group_key: bytes = field(repr=False)  # 32 bytes
    box: str  # channel_priv_box, base64url, to share it on unchanged
    creator_id: str


@dataclass(frozen=True, slots=True)
class PublicChoice:
    """Who may read what the person says to everybody. There is one."""

    verified_only: bool = False  # nothing is posted while a member is not verified
    leave_out: bool = False  # members without `hybrid/1` cannot read it; else all get plain v1.3


Record = (
    Contact
    | PublicChoice
    | KnownServer
    | Seen
    | OutboxLine
    | Arrived
    | ArrivedShown
    | Said
    | SaidMoved
    | SaidReached
    | Amendment
    | ChannelKey
    | KeyStep
    | Revocation
    | Numbered
    | OutgoingFile
    | IncomingFile
    | SentLine
    | SentGone
    | SentTakenBack
    | Shelf
    | Thread
)


@dataclass(frozen=True, slots=True)
class Remembered:
    """Everything loaded at start."""

    contacts: tuple[Contact, ...] = ()
    servers: tuple[KnownServer, ...] = ()
    seen: tuple[Seen, ...] = ()
    outbox: tuple[OutboxLine, ...] = ()
    channel_keys: tuple[ChannelKey, ...] = ()
    key_steps: tuple[KeyStep, ...] = ()  # our own too
    revocations: tuple[Revocation, ...] = ()
    arrived: tuple[Arrived, ...] = ()
    numbered: tuple[Numbered, ...] = ()
    shelves: tuple[Shelf, ...] = ()
    threads: tuple[Thread, ...] = ()
    last_said: int = 0  # the highest number in the history
    public_choice: PublicChoice = PublicChoice()
    outgoing_files: tuple[OutgoingFile, ...] = ()
    incoming_files: tuple[IncomingFile, ...] = ()
