"""What a client remembers: frozen rows that `storage` keeps (protocol.md, sections 7, 10 and 12;
threats M2, M4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from socp.crypto.rotation import KeyStep, Revocation


@dataclass(frozen=True, slots=True)
class Contact:
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


@dataclass(frozen=True, slots=True)
class KnownServer:
    """A server we attached to, pinned on first use. Key: server_id."""

    server_id: str
    pubkey: str
    address: str  # the ws:// URL as given
    features: tuple[str, ...]  # security features it proved; required from then on
    pinned_ms: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One message received, for ever: no replay, no other author on the same ciphertext. Key:
    msg_ref."""

    msg_ref: str
    digest: bytes  # SHA-256 of the raw ciphertext, 32 bytes
    author: str
    ts: int


class LineState(StrEnum):
    WAITING = "waiting"  # not sent yet, or to be sent again
    SENT = "sent"  # on its way, no answer yet
    DONE = "done"  # handed over (ACK)
    REFUSED = "refused"  # will not be tried again
    DELIVERED = "delivered"  # the reader's client has it: told after DONE, never stored


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


@dataclass(frozen=True, slots=True)
class ArrivedShown:
    """The person has seen it: its `Arrived` has no business in the store any more."""

    number: int


@dataclass(frozen=True, slots=True)
class ChannelKey:
    """One key of the public channel. Key: (version, fingerprint)."""

    version: int
    fingerprint: str  # of the public half
    channel_pub: str  # base64url DER
    private: bytes  # PrivateKey.to_bytes()
    group_key: bytes  # 32 bytes
    box: str  # channel_priv_box, base64url, to share it on unchanged
    creator_id: str


Record = (
    Contact
    | KnownServer
    | Seen
    | OutboxLine
    | Arrived
    | ArrivedShown
    | ChannelKey
    | KeyStep
    | Revocation
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
