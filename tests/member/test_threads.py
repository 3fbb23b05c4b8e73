"""Whatever comes in whatever order: each message counts once, and what is missing is known (section
11; threats M2, M12)."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socp.crypto.symbolic import SymbolicSuite
from socp.member.effects import Persist
from socp.member.emitter import Emitter
from socp.member.records import Gap, Thread
from socp.member.threads import GAPS_MAX, Standing, Threads, key_of
from tests.member.desk import an_id

pytestmark = [pytest.mark.spec("11"), pytest.mark.threat("M12")]

ALICE = an_id("alice")
KEY = (ALICE, False, "0" * 16)
MANY = 24  # numbers: the digests of so many are remembered


def digest(seq: int, version: int = 0) -> bytes:
    return hashlib.sha256(f"{seq} {version}".encode()).digest()


class Reader:
    """Threads that may be started anew at any time from what they persisted."""

    def __init__(self) -> None:
        self.emit = Emitter(an_id("me"), SymbolicSuite(1).generate())
        self.kept: dict[tuple[str, bool, str], Thread] = {}
        self.threads = Threads(self.emit, (), anew=False)

    def restarts(self) -> None:
        self.threads = Threads(self.emit, self.kept.values(), anew=False)

    def takes(self, seq: int, version: int = 0) -> Standing:
        standing = self.threads.take(KEY, seq, 1_000 + seq, digest(seq, version), 5_000)
        for effect in self.emit.take():
            assert isinstance(effect, Persist)
            assert isinstance(effect.record, Thread)
            self.kept[key_of(effect.record)] = effect.record
        return standing

    @property
    def gaps(self) -> tuple[Gap, ...]:
        thread = self.threads.get(KEY)
        return () if thread is None else thread.gaps


arrivals = st.lists(st.integers(1, MANY), max_size=60)


@given(arrivals, st.sets(st.integers(0, 60)))
def test_each_counts_once_and_the_gaps_are_what_did_not_come(
    seqs: list[int], restarts: set[int]
) -> None:
    reader = Reader()
    came: set[int] = set()
    for index, seq in enumerate(seqs):
        if index in restarts:
            reader.restarts()
        standing = reader.takes(seq)
        if seq in came:
            assert standing is Standing.AGAIN
        else:
            late = bool(came) and seq < max(came)
            assert standing is (Standing.LATE if late else Standing.NEXT)
        came.add(seq)
        missing = {n for gap in reader.gaps for n in range(gap.first, gap.last + 1)}
        assert missing == set(range(1, max(came))) - came
        assert all(gap.after_ts < gap.before_ts for gap in reader.gaps)
        firsts = [gap.first for gap in reader.gaps]
        assert firsts == sorted(firsts)
        # Neighbours are one gap, or something came between them.
        ends = zip(reader.gaps, reader.gaps[1:], strict=False)
        assert all(one.last + 1 < other.first for one, other in ends)


@given(arrivals, arrivals)
def test_another_message_of_a_known_number_is_never_taken_for_the_same(
    seqs: list[int], others: list[int]
) -> None:
    reader = Reader()
    for seq in seqs:
        reader.takes(seq)
    counted = set()
    for seq in others:
        standing = reader.takes(seq, version=1)
        assert (standing is Standing.AGAIN) == (seq in counted)
        counted.add(seq)


@given(st.lists(st.integers(1, 2**53 - 1), max_size=200))
def test_whatever_an_author_numbers_what_is_kept_of_it_is_bounded(seqs: list[int]) -> None:
    reader = Reader()
    for seq in seqs:
        reader.takes(seq)
    assert len(reader.gaps) <= GAPS_MAX
    assert all(1 <= gap.first <= gap.last for gap in reader.gaps)
