"""What the server remembers: frozen rows that `storage` keeps and the brain loads at start
(sections 4, 5, 7, 10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from socp.crypto.rotation import KeyStep, Revocation

MAIL_PART_LAST = 2**31 - 1
MAIL_OVERHEAD_BYTES = 256  # ids, signature and row around a payload
RECENT_MS = 15 * 60_000  # longer than a frame that came may come again inside the time window


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
class AccountGone:
    """Deletes a user who never proved a key, with their home and their place among the posts: they
    gave way to somebody new."""

    user_id: str


@dataclass(frozen=True, slots=True)
class Login:
    """What lets a user of ours fetch their key by password (section 10). Key: user_id.

    Stored with the user's account, which must be there.
    """

    user_id: str
    record: str = field(repr=False)  # base64url: no password, and slow to test guesses against
    box: str = field(repr=False)  # base64url: the private key, sealed by the user


@dataclass(frozen=True, slots=True)
class LoginRemoved:
    """Deletes a user's Login."""

    user_id: str


@dataclass(frozen=True, slots=True)
class LoginSetup:
    """The server's secret half of all passwords. One row."""

    setup: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Invitation:
    """A code that lets one person in, once. Key: code_hash."""

    code_hash: str  # 64 hex, of the code
    expires_ms: int


@dataclass(frozen=True, slots=True)
class InvitationGone:
    """Deletes an invitation: used, or expired."""

    code_hash: str
    expires_ms: int = 0  # what it had left, for the case that it was not used after all


@dataclass(frozen=True, slots=True)
class Home:
    """The server that last advertised a user. Key: user_id."""

    user_id: str
    server_id: str
    attach_ts: int  # newest valid attach, 0 where there was none
    attach_sig: str = ""  # of that attach
    features: tuple[str, ...] = ()  # as signed in it: what those who write to the user may use


@dataclass(frozen=True, slots=True)
class ChannelShare:
    """The newest PUBLIC_CHANNEL_KEY_SHARE of one version for a member who lives here, or whose
    home has not got it yet.

    Key: (member_id, version).
    """

    member_id: str
    version: int
    wrapped_key: str  # base64url, OAEP(group key)
    creator_id: str
    frame: bytes  # the whole frame as received, for the member's next hello


@dataclass(frozen=True, slots=True)
class ChannelShareGone:
    """That share made room, or is at its member's home."""

    member_id: str
    version: int


@dataclass(frozen=True, slots=True)
class ChannelVersion:
    """The highest version of the public channel heard of. One row."""

    version: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Deletes the pin of a server and the ruling on its key (`socp admin forget`)."""

    server_id: str  # "" where only the ruling goes
    fingerprint: str  # 64 hex


@dataclass(frozen=True, slots=True)
class Barred:
    """The operator takes this user no more (`socp admin revoke`). Key: user_id."""

    user_id: str
    barred_ms: int


class MailState(StrEnum):
    """What became of a piece of mail. Only WAITING mail has a payload; the others are remembered
    for as long as mail is kept, so that what comes again is known (section 11, `mailbox/1`)."""

    WAITING = "waiting"
    FORWARDED = "forwarded"  # another server has it: the reader's home
    DELIVERED = "delivered"  # the reader's client acknowledged it


class Mail(msgspec.Struct, frozen=True):
    """One frame for a user that nobody acknowledged yet. Key: (user_id, msg_ref, part).

    One that comes again under its key takes the place of what was remembered of it.
    """

    seq: int  # counts up over all mail and posts: the order in which they came
    user_id: str  # whom it is for
    msg_ref: str  # section 9: 43 characters, or the file's id
    part: int  # 0: a message, FILE_START; 1 + index: FILE_CHUNK; MAIL_PART_LAST: FILE_END
    sender: str
    kind: str  # MSG_DIRECT, FILE_START, FILE_CHUNK, FILE_END
    ts: int  # the author's
    payload: bytes  # JSON text, the author's members
    via: str  # the server it came from, "" where its author is ours
    attach_ts: int  # of the reader's home, as known when it came
    stored_ms: int

    @property
    def size(self) -> int:
        """What it counts for in its mailbox, in bytes."""
        return len(self.payload) + MAIL_OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class MailSettled:
    """All parts of this mail are in other hands: the payloads go, the key stays, with `state`."""

    user_id: str
    msg_ref: str
    state: MailState


@dataclass(frozen=True, slots=True)
class MailDropped:
    """Deletes all parts of this mail, as if it had never come: refused for good, or no room."""

    user_id: str
    msg_ref: str


@dataclass(frozen=True, slots=True)
class MailHanded:
    """The user's WAITING mail up to `seq` was handed out once more to a client that cannot ACK."""

    user_id: str
    seq: int


class Post(msgspec.Struct, frozen=True):
    """One post to the public channel, kept once for all who were away. Key: msg_ref."""

    seq: int
    msg_ref: str
    author: str
    ts: int
    payload: bytes  # JSON text, the author's members
    via: str  # the server it came from, "" where its author is ours
    stored_ms: int

    @property
    def size(self) -> int:
        """What it counts for, in bytes."""
        return len(self.payload) + MAIL_OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class PostsDropped:
    """Deletes the posts up to `seq`: there is no room for them any more."""

    seq: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """The posts up to `seq` are in the hands of a member who lives here, or of a linked server.

    Key: owner.
    """

    owner: str  # user_id or server_id
    seq: int


Record = (
    ServerPin
    | Ruling
    | Account
    | AccountGone
    | Login
    | LoginRemoved
    | LoginSetup
    | Invitation
    | InvitationGone
    | Home
    | ChannelShare
    | ChannelShareGone
    | ChannelVersion
    | Forgotten
    | KeyStep
    | Revocation
    | Barred
    | Mail
    | MailSettled
    | MailDropped
    | MailHanded
    | Post
    | PostsDropped
    | Cursor
)

PROMISES = (
    Mail,
    Post,
    Account,
    AccountGone,
    Ruling,
    Forgotten,
    Login,
    LoginRemoved,
    LoginSetup,
    Invitation,
    InvitationGone,
    KeyStep,
    Revocation,
    Barred,
)
"""What somebody is told of once it is stored, and of what else where it is not. The others may be
stored a little later: a crash before that costs work, and nobody's message."""


@dataclass(frozen=True, slots=True)
class BoxRow:
    """How much WAITING mail of one sender lies in one user's mailbox, counted at start."""

    user_id: str
    sender: str
    count: int
    size: int  # bytes, as Mail.size
    last_seq: int


@dataclass(frozen=True, slots=True)
class PostsHeld:
    """The kept posts, counted at start; all 0 where there are none."""

    count: int = 0
    size: int = 0  # bytes, as Post.size
    first_seq: int = 0
    last_seq: int = 0
    last_own_seq: int = 0  # of those whose author is ours
    rows: tuple[tuple[int, int], ...] = ()  # (seq, size) of each, by seq


@dataclass(frozen=True, slots=True)
class Remembered:
    """Everything loaded at start."""

    pins: tuple[ServerPin, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    accounts: tuple[Account, ...] = ()
    homes: tuple[Home, ...] = ()
    shares: tuple[ChannelShare, ...] = field(default=())
    channel_version: int = 0
    logins: tuple[Login, ...] = ()
    login_setup: bytes = field(default=b"", repr=False)
    invitations: tuple[Invitation, ...] = ()
    key_steps: tuple[KeyStep, ...] = ()  # the last of each user
    revocations: tuple[Revocation, ...] = ()
    barred: tuple[Barred, ...] = ()
    boxes: tuple[BoxRow, ...] = ()
    posts: PostsHeld = PostsHeld()
    cursors: tuple[Cursor, ...] = ()
    recent_refs: tuple[tuple[str, str], ...] = ()
    """(user_id or "public", msg_ref) of mail and posts stored in the last RECENT_MS."""
    mail_seq: int = 0  # the highest ever used
