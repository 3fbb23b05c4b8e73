"""One event's way: brain, then disk, then the sockets (S8); event after event.

Where the disk fails, what was promised to nobody is told to whoever brought it, and what is only
good to know is kept here and written once the disk takes it again.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from socp.node.budget import PAGES
from socp.node.calls import Refused, Why
from socp.node.effects import (
    Afterwards,
    Answer,
    Ask,
    Close,
    Effect,
    Identified,
    Level,
    Note,
    Persist,
    Told,
    is_promise,
)
from socp.node.events import Answered, CommitFailed, Event, Now
from socp.node.parked import Parked, row_of
from socp.node.queries import Answer as Found
from socp.node.queries import LoadMail, LoadPosts, Query
from socp.node.records import PROMISES, ChannelShare, Cursor, Mail, Post, Record
from socp.node.trouble import kind_of
from socp.server.gate import Gate

log = logging.getLogger("server.storage")

GIVEN_MAX: Final = 64  # writes: in a long turn the disk begins before its end
BATCHES_MAX: Final = 1000  # waiting for the disk; beyond, nobody is read from


class Brain(Protocol):
    """What we need of socp.node.node.Node."""

    def handle(self, event: Event, now: Now) -> list[Effect]: ...


PROBE: Final = (Cursor("", 0),)  # something to write, to see whether that works


@dataclass(slots=True, eq=False)
class Batch:
    """What one event asked for, and what of it goes to the disk."""

    effects: Sequence[Effect]
    records: Sequence[Record]
    size: int  # bytes of what is long in its records
    waits: bool  # for the disk
    fault: BaseException | None = None  # why they could not be stored
    doubtful: bool = False  # the brain took for kept what was not, when it said this


def size_of(record: Record) -> int:
    """What it holds beyond its fields, in bytes."""
    match record:
        case Mail() | Post():
            return record.size
        case ChannelShare():
            return len(record.frame)
    return 0


Given = tuple[Sequence[Record], Callable[[BaseException | None], object]]
"""Records of one event, and who is told what became of them."""


class Store(Protocol):
    """What we need of a NodeStore."""

    def write(self, records: Sequence[Record]) -> Future[None]: ...

    def give(self, given: Sequence[Given]) -> None: ...

    def ask(self, query: Query) -> Future[Found]: ...


class Walk:
    """Tells the brain what happened and has done what it says, commit first."""

    def __init__(
        self,
        brain: Brain,
        store: Store,
        carry: Callable[[Effect], None],
        clock: Callable[[], Now],
        gate: Gate,
        wake: Callable[[Callable[[], None]], object],
        committing: int,
        parked: Parked,
    ) -> None:
        """`carry` does one effect, at once; `wake` runs a function on the loop, from any thread;
        while more than `committing` bytes wait for the disk, nobody is read from; what may wait
        until it works again is `parked`."""
        self._brain = brain
        self._store = store
        self._carry = carry
        self._clock = clock
        self._gate = gate
        self._wake = wake
        self._committing = committing
        self._batches: deque[Batch] = deque()
        self._given: list[Given] = []  # to the store when the turn of the loop is over
        self._waiting_bytes = 0
        self._pages: deque[Query] = deque()  # each somebody's who reads: as many as links
        self._pages_asked = 0
        self._woken = False
        self._parked = parked
        self._retrying: Future[None] | None = None
        self.trouble = ""
        """What is wrong with the disk, one line for people; "" while all is well."""

    @property
    def busy(self) -> bool:
        """True while something waits for the disk."""
        return bool(self._batches)

    def tell(self, event: Event) -> None:
        """Take one event all the way, or as far as the disk allows now."""
        effects = self._brain.handle(event, self._clock())
        records = [effect.record for effect in effects if isinstance(effect, Persist)]
        if not records and not self._batches:
            for effect in effects:
                self._do(effect)
            return
        for effect in effects:
            if isinstance(effect, Identified):  # no promise: the next frame may be a long one
                self._carry(effect)
        batch = Batch(effects, records, sum(map(size_of, records)), waits=bool(records))
        self._batches.append(batch)
        self._waiting_bytes += batch.size
        if len(self._batches) >= BATCHES_MAX or self._waiting_bytes > self._committing:
            self._gate.hold(self)
        if records:
            if not self._given:
                self._wake(self._give)
            self._given.append((records, partial(self._committed, batch)))
            if len(self._given) >= GIVEN_MAX:
                self._give()

    def _give(self) -> None:
        """What was to be stored within a turn of the loop is one commit, not one and the rest."""
        given, self._given = self._given, []
        if given:
            self._store.give(given)

    def retry(self) -> None:
        """Now and then: see whether a disk that failed takes writes again."""
        if not self.trouble or self._retrying is not None:
            return
        under_way = {row_of(record) for batch in self._batches for record in batch.records}
        records = self._parked.waiting(under_way)
        self._retrying = self._store.write(records or PROBE)
        self._retrying.add_done_callback(lambda _: self._wake(lambda: self._retried(records)))

    def _retried(self, records: Sequence[Record]) -> None:
        commit, self._retrying = self._retrying, None
        assert commit is not None
        if commit.exception() is None:
            self._parked.stored(records)
            self._well()

    def _committed(self, batch: Batch, fault: BaseException | None) -> None:
        """On the writer's thread."""
        batch.fault = fault
        batch.waits = False
        if not self._woken:
            self._woken = True
            self._wake(self._advance)

    def _advance(self) -> None:
        self._woken = False  # before looking, so that no commit is overlooked
        while self._batches:
            batch = self._batches[0]
            if batch.waits:
                break
            self._batches.popleft()
            self._waiting_bytes -= batch.size
            try:
                self._carry_out(batch)
            except Exception:  # the top of a turn: the batches behind it are others' events
                log.exception("what was stored was not told for a fault of this server")
        few = len(self._batches) < BATCHES_MAX // 2
        if few and self._waiting_bytes <= self._committing // 2:
            self._gate.release(self)

    def _carry_out(self, batch: Batch) -> None:
        for effect in self._allowed(batch):
            if not (batch.doubtful and is_promise(effect)):
                self._do(effect)

    def _do(self, effect: Effect) -> None:
        if isinstance(effect, Ask):
            self._ask(effect.query)
        elif isinstance(effect, Afterwards):
            self._wake(lambda: self.tell(effect.event))
        else:
            self._carry(effect)

    def _ask(self, query: Query) -> None:
        if isinstance(query, LoadMail | LoadPosts):
            if self._pages_asked >= PAGES:
                return self._pages.append(query)
            self._pages_asked += 1
        self._give()  # it sees all that was written before
        future = self._store.ask(query)
        future.add_done_callback(lambda done: self._wake(lambda: self._answered(query, done)))

    def _answered(self, query: Query, done: Future[Found]) -> None:
        if isinstance(query, LoadMail | LoadPosts):
            self._pages_asked -= 1
            if self._pages:
                self._ask(self._pages.popleft())
        fault = done.exception()
        if fault is not None:
            self._troubled(fault)
        self.tell(Answered(query, None if fault is not None else done.result()))

    # --- when the disk fails --------------------------------------------------------------------

    def _allowed(self, batch: Batch) -> Sequence[Effect]:
        """What may be done once the commit is over: after a failed one, nothing that promises."""
        fault, records = batch.fault, batch.records
        if fault is None:
            if records:
                self._parked.written(records)
                self._well()
            return batch.effects
        self._troubled(fault)
        promised = tuple(record for record in records if isinstance(record, PROMISES))
        self._parked.failed(records)
        if not promised:
            return batch.effects
        for later in self._batches:
            later.doubtful = True
        self.tell(CommitFailed(promised, str(fault)))  # at once: what follows it is in no doubt
        return _harmless(batch.effects, fault)

    def _troubled(self, fault: BaseException) -> None:
        line = str(fault)
        if line != self.trouble:
            log.error("cannot store: %s", line)
        self.trouble = line

    def _well(self) -> None:
        if not self.trouble or self._parked:
            return
        log.info("Storing works again")
        self.trouble = ""


def _harmless(effects: Sequence[Effect], fault: BaseException) -> Sequence[Effect]:
    """What is done all the same where what was promised could not be stored."""
    kept: list[Effect] = []
    for effect in effects:
        if isinstance(effect, Close | Ask):
            kept.append(effect)
        elif isinstance(effect, Note):  # what is informed of is what was not done
            kept.extend(() if effect.level is Level.INFO else (effect,))
        elif isinstance(effect, Answer):
            kept.append(Answer(effect.request, False, (f"not done: {fault}",)))
        elif isinstance(effect, Told):
            why = f"not stored: {kind_of(str(fault))}"
            kept.append(Told(effect.request, Refused(Why.NOT_STORED, why)))
    return kept
