"""Whose messages came in which order, and which did not come (section 11; threats M2, M12).

A number that was passed over is a gap. It is told after a while, and in private the author's client
is asked to send what is missing once more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import Enum, auto
from itertools import takewhile
from typing import Final

from socp.member.emitter import Emitter
from socp.member.records import Gap, Thread

RUNS_MAX: Final = 16
"""So many runs of one author are followed, in private and in the channel each; the latest."""
THREADS_MAX: Final = 50_000
GAPS_MAX: Final = 32
FORGET_MS: Final = 31 * 24 * 3_600_000
"""After so long nobody has what is missing."""
_LATELY: Final = 64  # more than are asked for at a time: each may come twice
_SEQ_BYTES: Final = 8
_ENTRY_BYTES: Final = 16

Key = tuple[str, bool, str]


class Standing(Enum):
    """How a message stands to those of its author that came before."""

    NEXT = auto()
    LATE = auto()  # later ones came before it
    AGAIN = auto()  # it came before, composed anew
    DOUBLE = auto()  # another one has its number: two clients write in one run


def key_of(thread: Thread) -> Key:
    """The author, whether in the channel, and the run."""
    return thread.author, thread.public, thread.run


class Threads:
    """Persisted; the latest heard of stay where there are too many."""

    def __init__(self, emitter: Emitter, remembered: Iterable[Thread], *, anew: bool) -> None:
        """`anew`: this copy of the profile is not its first one, so that what was said before may
        be somewhere else."""
        self._emit = emitter
        self._anew = anew
        self._threads: dict[Key, Thread] = {}  # the one that was silent the longest first
        self._runs: dict[tuple[str, bool], dict[str, None]] = {}  # likewise
        for thread in sorted(remembered, key=lambda one: one.heard_ms):
            self._threads[key_of(thread)] = thread
            self._runs.setdefault((thread.author, thread.public), {})[thread.run] = None

    def get(self, key: Key) -> Thread | None:
        """What came of these messages."""
        return self._threads.get(key)

    def with_gaps(self) -> list[Key]:
        """Where something is missing."""
        return [key for key, thread in self._threads.items() if thread.gaps]

    def take(self, key: Key, seq: int, ts: int, digest: bytes, now_ms: int) -> Standing:
        """A message of this number came; `ts` its author's, `digest` of what it says."""
        known = self._threads.get(key)
        entry = seq.to_bytes(_SEQ_BYTES, "big") + digest[: _ENTRY_BYTES - _SEQ_BYTES]
        if known is None:
            self._begin(key, seq, ts, entry, now_ms)
            return Standing.NEXT
        thread = replace(known, lately=_added(known.lately, entry), heard_ms=now_ms)
        if seq > known.seq:
            gaps = known.gaps
            if seq > known.seq + 1:
                gaps = _bounded((*gaps, Gap(known.seq + 1, seq - 1, known.ts, ts)))
            self._keep(replace(thread, seq=seq, ts=ts, gaps=gaps))
            return Standing.NEXT
        if any(gap.first <= seq <= gap.last for gap in known.gaps):
            self._keep(replace(thread, gaps=_without(known.gaps, seq, ts)))
            return Standing.LATE
        lately = _entries(known.lately)
        if entry in lately:
            return Standing.AGAIN
        self._keep(thread)
        # Where a run does not begin for us with its first message, earlier ones may yet come.
        from_the_first = not (known.public or self._anew)
        doubled = any(each.startswith(entry[:_SEQ_BYTES]) for each in lately)
        return Standing.DOUBLE if from_the_first or doubled else Standing.LATE

    def forget_old(self, now_ms: int) -> None:
        """What can never be healed any more is no gap any more."""
        for key in self.with_gaps():
            thread = self._threads[key]
            gaps = tuple(gap for gap in thread.gaps if gap.before_ts > now_ms - FORGET_MS)
            if gaps != thread.gaps:
                self._keep(replace(thread, gaps=gaps))

    def _begin(self, key: Key, seq: int, ts: int, entry: bytes, now_ms: int) -> None:
        """The first message of a run. What was posted before we were a member is none of ours."""
        author, public, run = key
        runs = self._runs.setdefault((author, public), {})
        crowded = len(runs) >= RUNS_MAX or len(self._threads) >= THREADS_MAX
        if len(runs) >= RUNS_MAX:
            self._drop((author, public, next(iter(runs))))
        elif crowded:
            self._drop(next(iter(self._threads)))
        missing = seq > 1 and not (public or self._anew or crowded)
        gaps = (Gap(1, seq - 1, 0, ts),) if missing else ()
        self._keep(Thread(author, public, run, seq, ts, gaps, entry, now_ms))

    def _keep(self, thread: Thread) -> None:
        key = key_of(thread)
        runs = self._runs.setdefault((thread.author, thread.public), {})
        self._threads.pop(key, None)
        runs.pop(thread.run, None)
        self._threads[key] = thread
        runs[thread.run] = None
        self._emit.persist(thread)

    def _drop(self, key: Key) -> None:
        author, public, run = key
        thread = self._threads.pop(key)
        runs = self._runs[author, public]
        del runs[run]
        if not runs:
            del self._runs[author, public]
        self._emit.persist(replace(thread, seq=0))


def _entries(lately: bytes) -> list[bytes]:
    return [lately[at : at + _ENTRY_BYTES] for at in range(0, len(lately), _ENTRY_BYTES)]


def _added(lately: bytes, entry: bytes) -> bytes:
    return (lately + entry)[-_LATELY * _ENTRY_BYTES :]


def _without(gaps: tuple[Gap, ...], seq: int, ts: int) -> tuple[Gap, ...]:
    """The gaps once this number has come."""
    before = tuple(takewhile(lambda gap: gap.last < seq, gaps))
    gap, after = gaps[len(before)], gaps[len(before) + 1 :]
    left = replace(gap, last=seq - 1, before_ts=ts)
    right = replace(gap, first=seq + 1, after_ts=ts)
    halves = tuple(half for half in (left, right) if half.first <= half.last)
    return _bounded((*before, *halves, *after))


def _bounded(gaps: tuple[Gap, ...]) -> tuple[Gap, ...]:
    """Of too many the oldest two are one, with what came between: none is ever taken for whole
    that is not. What came is not shown again when it is sent once more."""
    if len(gaps) <= GAPS_MAX:
        return gaps
    first, second, *later = gaps
    return (replace(second, first=first.first, after_ts=first.after_ts), *later)
