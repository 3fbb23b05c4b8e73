"""`content/1`: what is inside the seal, in place of bare text (section 11).

A JSON object `{v: 1, kind, run, seq, prev, ...}`. `seq` counts from 1 for each author, addressee
and `run`; `prev` is the msg_ref of the author's previous message there, "" before the first. One
that is composed anew has another msg_ref, and keeps in `first` the one by which others name it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal, TypeVar

import msgspec
from msgspec import Meta

from socp.wire import strict
from socp.wire.canonical import canonical, to_members
from socp.wire.complaints import complaint
from socp.wire.errors import Code, Misuse, PeerFault
from socp.wire.part import Count, Id, Part

VERSION: Final = 1
RUN_BYTES: Final = 8
REFS_MAX: Final = 500
"""So many messages one receipt speaks of."""

P = TypeVar("P", bound=Part)

Run = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z", max_length=16)]
Seq = Annotated[int, Meta(ge=1, le=2**53 - 1)]
MsgRef = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{43}\Z", max_length=43)]
RefOrNone = Annotated[str, Meta(pattern=r"^(?:[A-Za-z0-9_-]{43})?\Z", max_length=43)]
Emoji = Annotated[str, Meta(max_length=64)]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands among those of its author: in which run, the how many-th, after
    which."""

    run: str  # 16 lower-case hex digits
    seq: int  # from 1
    prev: str  # msg_ref, "" for the first
    first: str = ""  # msg_ref that it went out under at first and is called by, "" for its own

    def is_at(self, other: Place | None) -> bool:
        """Whether both are the same message's, perhaps composed anew."""
        return other is not None and (self.run, self.seq) == (other.run, other.seq)


class Body(Part, frozen=True, kw_only=True):
    """What a message says. Subclasses give KIND and their members."""

    KIND: ClassVar[str] = ""


class Text(Body, frozen=True, kw_only=True):
    """Words; `reply_to` is the msg_ref of what they answer, "" for nothing."""

    KIND: ClassVar[str] = "text"

    body: str
    reply_to: RefOrNone = ""


class Edit(Body, frozen=True, kw_only=True):
    """Other words for an earlier text of the same author."""

    KIND: ClassVar[str] = "edit"

    of: MsgRef
    body: str


class Delete(Body, frozen=True, kw_only=True):
    """An earlier text of the same author is taken back."""

    KIND: ClassVar[str] = "delete"

    of: MsgRef


class Reaction(Body, frozen=True, kw_only=True):
    """An emoji beside somebody's message; "" takes one's own away."""

    KIND: ClassVar[str] = "reaction"

    of: MsgRef
    emoji: Emoji


class Receipt(Body, frozen=True, kw_only=True):
    """Their messages are here, or were read."""

    KIND: ClassVar[str] = "receipt"

    of: Annotated[tuple[MsgRef, ...], Meta(min_length=1, max_length=REFS_MAX)]
    state: Literal["delivered", "read"]


class File(Body, frozen=True, kw_only=True):
    """A file that its author sends here: the words beside it, and where it stands in the talk."""

    KIND: ClassVar[str] = "file"

    file_id: Id
    name: Annotated[str, Meta(max_length=1024)] = ""
    size: Count = 0
    body: str = ""


class FileState(Body, frozen=True, kw_only=True):
    """How far a file is at its reader: the first `have` chunks are there (section 8)."""

    KIND: ClassVar[str] = "file_state"

    file_id: Id
    have: Count = 0
    state: Literal["wanted", "paused", "done", "refused"]


class Resend(Body, frozen=True, kw_only=True):
    """Please send these once more: `from_seq` to `to_seq` of your run `of_run` did not come.

    Section 11 calls it `run`, which is already the name of the asker's own.
    """

    KIND: ClassVar[str] = "resend"

    of_run: Run
    from_seq: Seq
    to_seq: Seq


class Unknown(Body, frozen=True, kw_only=True):
    """A kind of a later version, or more than this one knows of a kind: shown as something that it
    cannot show."""


KINDS: Final[dict[str, type[Body]]] = {
    kind.KIND: kind for kind in (Text, Edit, Delete, Reaction, Receipt, File, FileState, Resend)
}


class _Head(Part, frozen=True, kw_only=True):
    v: Literal[1]
    kind: Annotated[str, Meta(max_length=64)]
    run: Run
    seq: Seq
    prev: RefOrNone = ""
    first: RefOrNone = ""


class _Kind(Part, frozen=True, kw_only=True):
    kind: Annotated[str, Meta(max_length=64)]


_PLACE: Final = ("v", "run", "seq", "prev", "first")


def pack(body: Body) -> bytes:
    """What is said, before it has its place: canonical JSON."""
    if not body.KIND:
        raise Misuse("content of no kind")
    return canonical({**to_members(body), "kind": body.KIND})


def unpack(data: bytes) -> Body:
    """A body that `pack` wrote. PeerFault(BAD_FRAME) for what none could be."""
    value = strict.loads(data, what="content")
    return _typed(KINDS.get(_typed(_Kind, value).kind, Unknown), value)


def flaw(body: Body) -> str:
    """Why no reader would take this, "" where they do."""
    try:
        unpack(pack(body))
    except PeerFault as fault:
        return fault.detail
    return ""


def digest(plaintext: bytes) -> bytes:
    """SHA-256 of what is said, wherever it stands: the same for a message composed anew.

    PeerFault(BAD_FRAME) for what is no JSON object.
    """
    value = strict.loads(plaintext, what="content")
    if not isinstance(value, dict):
        raise PeerFault(Code.BAD_FRAME, "content: not an object")
    said = {name: member for name, member in value.items() if name not in _PLACE}
    return hashlib.sha256(canonical(said)).digest()


def encode(body: Body, place: Place) -> bytes:
    """The plaintext to be sealed, canonical JSON."""
    if not body.KIND:
        raise Misuse("content of no kind")
    head = _Head(
        v=VERSION,
        kind=body.KIND,
        run=place.run,
        seq=place.seq,
        first=place.first,
    )
    return canonical({**to_members(body), **to_members(head), "prev": place.prev})


def decode(plaintext: bytes) -> tuple[Body, Place]:
    """What was sealed, and where it stands. PeerFault(BAD_FRAME) for what is not `content/1`: what
    has a place counts there, whatever it says."""
    value = strict.loads(plaintext, what="content")
    head = _typed(_Head, value)
    place = Place(head.run, head.seq, head.prev, head.first)
    try:
        return _typed(KINDS.get(head.kind, Unknown), value), place
    except PeerFault:
        return Unknown(), place


def _typed(kind: type[P], value: object) -> P:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise PeerFault(Code.BAD_FRAME, f"content: {complaint(error)}") from None
