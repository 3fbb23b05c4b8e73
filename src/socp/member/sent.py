"""Our messages as they went out, for readers who miss some of them (section 11, `resend`).

They lie in the store, for 29 days, and are read from there when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from socp.member import latest
from socp.member.allowance import Allowance
from socp.member.effects import LoadSent
from socp.member.emitter import Emitter
from socp.member.events import Now
from socp.member.records import (
    LineState,
    Numbered,
    OutboxLine,
    SentGone,
    SentLine,
    SentTakenBack,
    Shelf,
)
from socp.member.taken_back import wordless, words_of
from socp.wire import content
from socp.wire.content import Delete, FileState, Receipt, Resend

KEPT_DAYS: Final = 29
PER_READER_MAX: Final = 2_000
BRIEF: Final = frozenset({Receipt.KIND, FileState.KIND, Resend.KIND})
"""Of what our client says by itself, and nothing refers to, the words are enough."""
DROPPED_AT_ONCE: Final = 100
ASKED_MAX: Final = 50
ASKED_PER_READER_MAX: Final = 200
"""Messages that one reader may ask for in ASKED_MS."""
ASKED_MS: Final = 600_000
TAKEN_BACK_MAX: Final = 1_000
DAY_MS: Final = 24 * 3_600_000


class Sent:
    """Which numbers are kept is known here, by days; only one run has any."""

    def __init__(
        self,
        emitter: Emitter,
        run: str,
        remembered: Iterable[Shelf],
        numbered: Iterable[Numbered],
        outbox: Iterable[OutboxLine],
    ) -> None:
        self._emit = emitter
        self._run = run
        newest = {(one.to, one.run): one.seq for one in numbered}
        self._shelves = {
            shelf.to: replace(shelf, last=newest.get((shelf.to, shelf.run), shelf.last))
            for shelf in remembered
        }
        self._asking = Allowance(ASKED_PER_READER_MAX, ASKED_MS)
        self._given: dict[tuple[str, int], None] = {}  # what was sent once more, in this run
        self._taken_back: dict[tuple[str, str], None] = {}  # reader, msg_ref: the latest ones
        for line in outbox:
            if line.kind == Delete.KIND and isinstance(said := content.unpack(line.body), Delete):
                self._taken_back[line.to, said.of] = None

    def attached(self, now: Now) -> None:
        """Let go of what is too old, and of what an earlier run left."""
        for shelf in tuple(self._shelves.values()):
            if shelf.run != self._run:
                self._drop(shelf, shelf.last + 1)
            else:
                self._age(shelf, now.wall // DAY_MS)

    def keep(self, line: OutboxLine) -> None:
        """It went out, or may have: its reader may ask for it."""
        place = line.place
        if place is None or place.run != self._run:
            return None
        for of in words_of(line):
            if (line.to, of) in self._taken_back:
                line = wordless(line, of)
        if line.kind in BRIEF:
            line = replace(line, frames=(), msg_refs=(), reason="")
        elif line.reason:
            line = replace(line, reason="")
        self._emit.persist(SentLine(line.to, place.run, place.seq, line))
        shelf = self._shelves.get(line.to)
        day = line.composed_ms // DAY_MS
        if shelf is None or not shelf.days:
            return self._put(Shelf(line.to, self._run, ((day, place.seq),), place.seq))
        if place.seq <= shelf.last:
            return self._fill(shelf, place.seq)
        if day > shelf.days[-1][0]:
            shelf = replace(shelf, days=(*shelf.days, (day, place.seq)), last=place.seq)
            return self._age(shelf, day, put=True)
        shelf = self._shelves[line.to] = replace(shelf, last=place.seq)
        if place.seq - shelf.days[0][1] >= PER_READER_MAX + DROPPED_AT_ONCE:
            self._drop(shelf, shelf.days[0][1] + DROPPED_AT_ONCE)

    def take_back(self, to: str, of: str) -> None:
        """The person takes a message of theirs back: whoever asks for it gets no word of it."""
        latest.keep(self._taken_back, (to, of), None, TAKEN_BACK_MAX)
        shelf = self._shelves.get(to)
        if shelf is not None and shelf.run == self._run and shelf.days:
            first = shelf.days[0][1]
            self._emit.persist(SentTakenBack(to, shelf.run, first, shelf.last, of))

    def _fill(self, shelf: Shelf, seq: int) -> None:
        """One that was over later than those after it."""
        (day, first), *later = shelf.days
        if seq < first:
            self._put(replace(shelf, days=((day, seq), *later)))

    def asked(self, reader: str, said: Resend, now: Now) -> None:
        """A reader misses some of ours: have them read from the store, within reason."""
        shelf = self._shelves.get(reader)
        if shelf is None or said.of_run != self._run or not shelf.days:
            return
        first = max(said.from_seq, shelf.days[0][1])
        last = min(said.to_seq, shelf.last, first + ASKED_MAX - 1)
        count = last - first + 1
        if count > 0 and self._asking.takes(reader, count, now.mono):
            self._emit.add(LoadSent(reader, self._run, tuple(range(first, last + 1))))

    def again(self, line: OutboxLine) -> OutboxLine:
        """A line of the store to be sent once more: the same bytes, and if that did not help,
        composed anew, for a server may know the bytes and keep them back."""
        assert line.place is not None
        given = (line.to, line.place.seq)
        line = replace(line, state=LineState.WAITING, quiet=True, said=0, key="", doubt=True)
        if given in self._given:
            return replace(line, frames=(), msg_refs=())
        latest.keep(self._given, given, None, PER_READER_MAX)
        return line

    def _age(self, shelf: Shelf, today: int, *, put: bool = False) -> None:
        kept = [(day, first) for day, first in shelf.days if day >= today - KEPT_DAYS]
        if len(kept) < len(shelf.days):
            self._drop(shelf, kept[0][1] if kept else shelf.last + 1)
        elif put:
            self._put(shelf)

    def _drop(self, shelf: Shelf, until: int) -> None:
        """Forget those before this number."""
        if shelf.days:
            for seq in range(shelf.days[0][1], min(until, shelf.last + 1)):
                self._emit.persist(SentGone(shelf.to, shelf.run, seq))
        later = tuple(mark for mark in shelf.days if mark[1] > until)
        there = [day for day, first in shelf.days if first <= until]
        days = ((there[-1], until), *later) if there and until <= shelf.last else later
        self._put(replace(shelf, days=days))

    def _put(self, shelf: Shelf) -> None:
        self._shelves[shelf.to] = shelf
        self._emit.persist(shelf)
