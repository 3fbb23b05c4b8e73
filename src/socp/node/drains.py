"""One mailbox on its way out over one link: how far it was handed out, what is not acknowledged."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from socp.node.events import LinkId
from socp.node.records import MAIL_PART_LAST, Mail
from socp.wire.payloads import MsgDirect

HANDED_MAX = 3
"""So many hellos are handed mail that their client cannot acknowledge (section 11)."""


class Phase(Enum):
    LOADING = auto()  # a page was asked for
    PACING = auto()  # a page goes out at the speed of the link
    LEVEL = auto()  # all was handed out: what comes now goes at once


@dataclass(slots=True)
class Handed:
    """All parts of one msg_ref that were handed out on this link."""

    sender: str
    via: str
    is_file: bool
    count: int = 0
    size: int = 0  # bytes
    ended: bool = False  # the last part is among them
    at_ms: int = 0  # monotonic, of the latest part

    def is_half_since(self, mono: int) -> bool:
        """A file that does not end, of which nothing came since then."""
        return self.is_file and not self.ended and self.at_ms <= mono


@dataclass(slots=True)
class Drain:
    """At most one a mailbox."""

    user_id: str
    link: LinkId
    acks: bool  # the other end acknowledges
    to_server: bool
    since_ms: int  # monotonic, of the last progress
    phase: Phase = Phase.LEVEL
    cursor: int = 0  # seq: all up to here was handed out
    upto: int = 0  # seq: the newest that the page asked for can hold
    page: int = 0
    skipped: bool = False  # some may not go over this link
    out: dict[str, Handed] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)  # files that the reader wants no more of

    @property
    def owed(self) -> bool:
        """True where the other end has a whole message or file to acknowledge. Of a file that
        does not end, its author may be gone."""
        return any(handed.ended or not handed.is_file for handed in self.out.values())

    @property
    def handed_below(self) -> int | None:
        return None if self.acks else HANDED_MAX

    def note(self, mail: Mail, mono: int) -> Handed:
        """It is handed out, or would be."""
        handed = self.out.get(mail.msg_ref)
        if handed is None:
            handed = Handed(mail.sender, mail.via, mail.kind != MsgDirect.TYPE)
            if self.acks:
                self.out[mail.msg_ref] = handed
        handed.count += 1
        handed.size += mail.size
        handed.ended = handed.ended or mail.part == MAIL_PART_LAST
        handed.at_ms = mono
        self.cursor = max(self.cursor, mail.seq)
        self.since_ms = mono
        return handed
