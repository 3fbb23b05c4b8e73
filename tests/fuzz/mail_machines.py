"""Mailboxes as they are counted, and the numbers of our own messages, against plain models."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from socp.member.numbering import Numbering
from socp.member.records import LineState, Numbered, OutboxLine
from socp.node.boxes import OTHERS, Boxes, BoxLimits
from socp.node.records import BoxRow
from socp.wire.content import Place
from socp.wire.errors import Code, PeerFault

READERS = st.sampled_from(("bob", "carol"))
SENDERS = st.sampled_from(("alice", "dave", "erin"))
SIZES = st.sampled_from((0, 10, 30, 50, 51))
BOUNDS = BoxLimits(messages=6, size=100, total_size=120, authors=3)


class BoxesMachine(RuleBasedStateMachine):
    """A mailbox never holds more than its bounds, and no sender more than half (threat S5); where
    too many are counted, those who come share a half."""

    def __init__(self) -> None:
        super().__init__()
        self.boxes = Boxes(BOUNDS, ())
        self.mail: list[Any] = []  # what waits; `counted`: as whose
        self.seq = 0

    def waits(self, reader: str, sender: str = "") -> list[Any]:
        """The mail of a reader, of one sender or of all."""
        return [m for m in self.mail if m.user_id == reader and sender in ("", m.sender)]

    def counted(self, reader: str, sender: str) -> str:
        """As whose the mail of this sender counts."""
        pairs = {(m.user_id, m.counted) for m in self.mail}
        if (reader, sender) in pairs:
            return sender
        return OTHERS if (reader, OTHERS) in pairs or len(pairs) >= BOUNDS.authors else sender

    def fits(self, mail: Any) -> bool:
        box = self.waits(mail.user_id)
        share = [m for m in box if m.counted == mail.counted]
        size = mail.size
        return (
            len(box) < BOUNDS.messages
            and len(share) < BOUNDS.messages // 2
            and sum(m.size for m in box) + size <= BOUNDS.size
            and sum(m.size for m in share) + size <= BOUNDS.size // 2
            and sum(m.size for m in self.mail) + size <= BOUNDS.total_size
        )

    @rule(mail=st.lists(st.tuples(READERS, SENDERS, SIZES), min_size=1, max_size=6))
    def some_comes(self, mail: list[tuple[str, str, int]]) -> None:
        for reader, sender, size in mail:
            self.comes(reader, sender, size)

    def comes(self, reader: str, sender: str, size: int) -> None:
        self.seq += 1
        mail: Any = SimpleNamespace(
            user_id=reader,
            sender=sender,
            size=size,
            seq=self.seq,
            msg_ref="ref",
            counted=self.counted(reader, sender),
        )
        if self.fits(mail):
            self.boxes.check(mail)
            self.boxes.put(mail)
            self.mail.append(mail)
            assert self.boxes.last_seq(reader) == self.seq
            return
        with pytest.raises(PeerFault) as refusal:
            self.boxes.check(mail)
        assert refusal.value.code is Code.MAILBOX_FULL

    @precondition(lambda self: self.mail)
    @rule(at=st.integers(0, 20))
    def is_acknowledged(self, at: int) -> None:
        mail = self.mail.pop(at % len(self.mail))
        self.boxes.take(mail.user_id, mail.sender, 1, mail.size)

    @rule(reader=READERS, sender=SENDERS)
    def all_of_one_sender_expires(self, reader: str, sender: str) -> None:
        gone = self.waits(reader, sender)
        self.boxes.take(reader, sender, len(gone), sum(m.size for m in gone))
        self.mail = [mail for mail in self.mail if mail not in gone]

    @rule(reader=READERS)
    def is_emptied(self, reader: str) -> None:
        self.boxes.empty(reader)
        self.mail = [mail for mail in self.mail if mail.user_id != reader]

    @rule()
    def restarts(self) -> None:
        rows = []
        before, self.mail = self.mail, []
        for reader, sender in sorted({(m.user_id, m.sender) for m in before}):
            counted = self.counted(reader, sender)
            found = [m for m in before if (m.user_id, m.sender) == (reader, sender)]
            for mail in found:
                mail.counted = counted
            self.mail += found
            size, last = sum(m.size for m in found), max(m.seq for m in found)
            rows.append(BoxRow(reader, sender, len(found), size, last))
        self.boxes = Boxes(BOUNDS, rows)

    @invariant()
    def both_count_the_same(self) -> None:
        assert self.boxes.waiting == len(self.mail)
        assert set(self.boxes) == {mail.user_id for mail in self.mail}
        for reader in ("bob", "carol"):
            assert self.boxes.count(reader) == len(self.waits(reader))


class NumberingMachine(RuleBasedStateMachine):
    """No number is given twice, unless its message never went anywhere (section 11)."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Numbered] = {}
        self.lines: list[OutboxLine] = []  # not over yet
        self.went: set[tuple[str, int]] = set()  # what may be with its reader
        self.refs = 0
        self.restarts()

    @rule()
    def restarts(self) -> None:
        emitter: Any = SimpleNamespace(persist=lambda n: self.kept.update({n.to: n}))
        sent: Any = SimpleNamespace(keep=lambda _: None, again=lambda _: None)
        self.numbering = Numbering(emitter, "aa" * 8, self.kept.values(), sent)

    @rule(to=READERS)
    def a_line_is_composed(self, to: str) -> None:
        place = self.numbering.next(to)
        self.refs += 1
        ref = f"ref {self.refs}"
        self.numbering.took(to, place, ref)
        line = OutboxLine(self.refs, to, "x", LineState.SENT, (), (ref,), 1, place=place)
        self.lines.append(line)
        following = self.numbering.next(to)
        assert (following.seq, following.prev) == (place.seq + 1, ref)

    @precondition(lambda self: self.lines)
    @rule(at=st.integers(0, 9), refused=st.booleans())
    def a_line_is_over(self, at: int, refused: bool) -> None:
        line = self.lines.pop(at % len(self.lines))
        self.numbering.over(line, refused=refused)
        if not refused:
            self.went.add((line.to, place_of(line).seq))

    @precondition(lambda self: self.lines)
    @rule(at=st.integers(0, 9))
    def a_line_is_composed_anew(self, at: int) -> None:
        line = self.lines[at % len(self.lines)]
        before = self.numbering.next(line.to)
        self.numbering.took(line.to, place_of(line), "another ref")
        assert self.numbering.next(line.to).seq == before.seq

    @invariant()
    def what_went_keeps_its_number(self) -> None:
        for to in ("bob", "carol"):
            upcoming = self.numbering.next(to).seq
            waiting = {place_of(line).seq for line in self.lines if line.to == to}
            gone = {seq for reader, seq in self.went if reader == to}
            assert upcoming not in waiting | gone
            assert upcoming > max(waiting | gone, default=0)


def place_of(line: OutboxLine) -> Place:
    assert line.place is not None
    return line.place


RULES: dict[str, type[RuleBasedStateMachine]] = {
    "boxes": BoxesMachine,
    "numbering": NumberingMachine,
}
