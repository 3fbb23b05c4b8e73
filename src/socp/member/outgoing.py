"""Our files that are on their way, wait, or may be asked for once more (section 8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from socp.files.sender import Offer, Sender
from socp.files.transfer import (
    SENDING_ALL_MAX,
    SENDING_BYTES_MAX,
    SENDING_MAX,
    WINDOW_LIVE_BYTES,
)
from socp.member import latest
from socp.member.emitter import Emitter
from socp.member.events import Now
from socp.member.file_news import About, Meter
from socp.member.records import FileStage, OutgoingFile
from socp.wire.content import Body
from socp.wire.ids import PUBLIC

WAITING_MAX: Final = 100
KEPT_MAX: Final = 200
"""Files that a server has: the oldest are forgotten, and cannot be asked for once more."""
LATELY_MAX: Final = 64
PAUSE_FIRST_MS: Final = 5_000
PAUSE_MAX_MS: Final = 300_000
GIVEN_UP_MS: Final = 30 * 24 * 3_600_000


class Mouth(Protocol):
    """What transfers need of an `Outbox`."""

    def post(
        self, to: str, body: Body, now: Now, *, text: str = "", quiet: bool = False, key: str = ""
    ) -> bool:
        """Say it, once it can be said."""


@dataclass(slots=True)
class Outgoing:
    """One file. `sender` is the present attempt, None while it waits; times are monotonic ms."""

    file: OutgoingFile
    sender: Sender | None = None
    reports: bool = False  # in this attempt the reader says where it stands
    begun: bool = False  # its reader may know of it
    answer_by_ms: int | None = None  # None once it was answered, or where none is to be had
    have: int = 0  # so many of its first chunks are with the reader, as it said
    retry_ms: int = 0  # not before
    pause_ms: int = 0  # how long the last pause was
    waits_for: str = ""  # what the person was told of that
    meter: Meter = field(default_factory=lambda: Meter(0))

    @property
    def about(self) -> About:
        """Which one it is, for the person."""
        file = self.file
        return About(file.file_id, file.to, file.name, file.size, sending=True)

    @property
    def offer(self) -> Offer:
        """As the sender wants it."""
        file = self.file
        return Offer(file.file_id, file.to, file.name, file.size, file.sha256, file.chunk_hashes)

    @property
    def lasts(self) -> bool:
        """Whether it can go on after this attempt: its reader says where it stands, or has nothing
        of it yet."""
        started = self.sender is not None and self.sender.started
        return self.file.to != PUBLIC and (self.reports or not started)

    @property
    def done(self) -> int:
        """Bytes that are there, or handed over."""
        return 0 if self.sender is None else self.sender.done

    def pause(self, mono: int, at_least_ms: int = 0) -> None:
        """Not again before a while, longer each time."""
        grown_ms = min(max(2 * self.pause_ms, PAUSE_FIRST_MS), PAUSE_MAX_MS)
        self.pause_ms = max(grown_ms, at_least_ms)
        self.retry_ms = mono + self.pause_ms

    def at_once(self) -> None:
        """Things have changed: it may go."""
        self.retry_ms = self.pause_ms = 0


class OutgoingFiles:
    """By file_id. What is to a person is remembered over restarts, and what was under way."""

    def __init__(self, emitter: Emitter, remembered: Iterable[OutgoingFile]) -> None:
        self._emit = emitter
        self.running: dict[str, Outgoing] = {}  # whose turn is next comes first
        self.waiting: dict[str, Outgoing] = {}  # the oldest first
        self.kept: dict[str, Outgoing] = {}  # the oldest first
        self.cut_off: list[Outgoing] = []  # in their only attempt, when an earlier run ended
        self._lately: dict[str, None] = {}  # the latest that are over: answers to them may follow
        for file in sorted(remembered, key=lambda one: one.offered_ms):
            one = Outgoing(file, begun=True)
            if file.stage is FileStage.ONCE:
                self.cut_off.append(one)
            else:
                kept = file.stage is FileStage.KEPT
                (self.kept if kept else self.waiting)[file.file_id] = one

    def __contains__(self, file_id: str) -> bool:
        return self.get(file_id) is not None or file_id in self._lately

    def __iter__(self) -> Iterator[Outgoing]:
        yield from (*self.running.values(), *self.waiting.values(), *self.kept.values())

    def get(self, file_id: str) -> Outgoing | None:
        """Wherever it is."""
        for where in (self.running, self.waiting, self.kept):
            if (one := where.get(file_id)) is not None:
                return one
        return None

    def crowded(self, to: str, size: int) -> bool:
        """Whether a file of so many bytes has to let others go first: to the same reader, or to
        everyone."""
        alike = [
            one.file
            for one in self.running.values()
            if one.file.to == to or PUBLIC in (one.file.to, to)
        ]
        under_way = sum(file.size for file in alike)
        full = len(alike) >= SENDING_MAX or len(self.running) >= SENDING_ALL_MAX
        return full or (under_way > 0 and under_way + size > SENDING_BYTES_MAX)

    def window(self, one: Outgoing) -> int:
        """What is left of the window that all files to one reader have together, in bytes."""
        return WINDOW_LIVE_BYTES - sum(
            other.sender.on_its_way
            for other in self.running.values()
            if other is not one and other.file.to == one.file.to and other.sender is not None
        )

    def add(self, one: Outgoing) -> None:
        """The person offers it."""
        self.waiting[one.file.file_id] = one
        self._store(one)

    def run(self, one: Outgoing, file_key: bytes) -> None:
        """An attempt begins, with this key. Where its reader does not say where it stands, a later
        run cannot go on with it."""
        self._taken(one)
        self.running[one.file.file_id] = one
        stage = FileStage.OPEN if one.reports else FileStage.ONCE
        self._change(one, replace(one.file, stage=stage, file_key=file_key))

    def served(self, one: Outgoing) -> None:
        """It had its turn: the others come before it."""
        if self.running.pop(one.file.file_id, None) is not None:
            self.running[one.file.file_id] = one

    def wait(self, one: Outgoing) -> None:
        """The attempt is over, or none can begin."""
        self._taken(one)
        if one.sender is not None:
            one.have = max(one.have, one.sender.have)
        one.sender, one.answer_by_ms = None, None
        self.waiting[one.file.file_id] = one
        self._change(one, replace(one.file, stage=FileStage.OPEN))

    def keep(self, one: Outgoing) -> None:
        """A server has all of it. A reader who says where it stands may ask for it once more."""
        if not one.reports:
            return self.forget(one)
        self._taken(one)
        one.sender = None
        while len(self.kept) >= KEPT_MAX:
            self.forget(next(iter(self.kept.values())))
        self.kept[one.file.file_id] = one
        self._change(one, replace(one.file, stage=FileStage.KEPT))

    def forget(self, one: Outgoing) -> None:
        """It is over, well or not."""
        self._taken(one)
        self._change(one, replace(one.file, stage=FileStage.OVER))
        latest.keep(self._lately, one.file.file_id, None, LATELY_MAX)

    def _taken(self, one: Outgoing) -> None:
        for where in (self.running, self.waiting, self.kept):
            where.pop(one.file.file_id, None)

    def _change(self, one: Outgoing, file: OutgoingFile) -> None:
        if file != one.file:
            one.file = file
            self._store(one)

    def _store(self, one: Outgoing) -> None:
        if one.file.to != PUBLIC or one.file.stage is not FileStage.OPEN:
            self._emit.persist(one.file)
