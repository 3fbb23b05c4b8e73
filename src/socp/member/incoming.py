"""Files of others: those that arrive, and what became of those that their authors may ask about
(section 8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from socp.files.receiver import Receiver
from socp.files.transfer import (
    RECEIVING_BYTES_MAX,
    RECEIVING_MAX,
    RECEIVING_PER_AUTHOR_MAX,
    REPORTING_AUTHORS_MAX,
    SILENCE_MS,
    STORING_MAX,
)
from socp.member.effects import Trust
from socp.member.emitter import Emitter
from socp.member.file_effects import DropPart
from socp.member.file_news import About, Meter
from socp.member.history import FILE, Heard
from socp.member.records import FileStage, IncomingFile
from socp.wire import limits
from socp.wire.ids import PUBLIC

OPEN_MAX: Final = 100
OPEN_PER_AUTHOR_MAX: Final = 16
"""Files that are partly here: the longest untouched makes room, one of its own author first."""
ENDED_MAX: Final = 1_000
KEPT_MS: Final = 30 * 24 * 3_600_000
LOOK_MS: Final = 3_600_000
SLOW_BYTES_PER_S: Final = 16 * limits.KIB
SLOW_AFTER_MS: Final = SILENCE_MS
"""What came no faster than that for so long gives way to what else wants to come: else a few who
trickle keep everybody out."""


@dataclass(slots=True, eq=False)
class Incoming:
    """One that arrives. `part`: what is on the disk of it may be gone on with later, and its author
    wants to know where it stands; "" where it comes in one attempt or not at all."""

    receiver: Receiver
    trust: Trust
    ts: int  # of the manifest, Unix ms
    kept: bool  # the server may keep it, and hand it out once more
    part: str
    live: bool  # its author waits for our word, and sends no faster
    meter: Meter
    begun_ms: int  # this attempt, or since its disk was looked through; monotonic
    opened: bool  # what is on the disk of it was looked through
    ended: bool = False  # its end came before that
    held: int = 0  # bytes that were there before this attempt
    reported: int = 0  # bytes that were there when its author was told last
    remembered: bool = False  # its ciphertext's digest is in `seen`
    finishing: bool = False  # the shell checks and names it
    digests: set[bytes] = field(default_factory=set)

    @property
    def reports(self) -> bool:
        """Whether its author waits to hear how far it is."""
        return bool(self.part) and self.live and self.opened and not self.finishing

    @property
    def heard(self) -> Heard:
        """As it stands in the history once it is here."""
        receiver = self.receiver
        return Heard(
            author=receiver.author,
            text=receiver.name,
            ts=self.ts,
            trust=self.trust,
            public=receiver.public,
            kind=FILE,
            file_id=receiver.file_id,
        )

    def is_slow(self, mono: int) -> bool:
        """Whether it gives way to others."""
        lasted_ms = mono - self.begun_ms
        came = self.receiver.done - self.held
        slow = lasted_ms >= SLOW_AFTER_MS and came * 1000 < SLOW_BYTES_PER_S * lasted_ms
        return slow and self.opened and not self.finishing

    @property
    def about(self) -> About:
        """Which one it is, for the person."""
        receiver = self.receiver
        peer = PUBLIC if receiver.public else receiver.author
        return About(receiver.file_id, peer, receiver.name, receiver.size, sending=False)


def full(running: Collection[Incoming], author: str, size: int) -> bool:
    """Whether no more arrive, of this author or at all."""
    # What is whole counts no longer: its sender goes on with the next, as soon as that may.
    arriving = [one for one in running if not one.finishing]
    theirs = [one for one in arriving if one.receiver.author == author]
    total = sum(one.receiver.size for one in arriving)
    return (
        len(arriving) >= RECEIVING_MAX
        or len(running) - len(arriving) >= STORING_MAX
        or len(theirs) >= RECEIVING_PER_AUTHOR_MAX
        or total + size > RECEIVING_BYTES_MAX
    )


def crowded(running: Collection[Incoming], author: str) -> bool:
    """Whether others already send as much as our server queues for us."""
    windows = (one for one in running if one.part and one.live and not one.finishing)
    return len({one.receiver.author for one in windows} - {author}) >= REPORTING_AUTHORS_MAX


class IncomingFiles:
    """Records of those that can be gone on with, by author and file_id."""

    def __init__(self, emitter: Emitter, remembered: Iterable[IncomingFile]) -> None:
        self._emit = emitter
        oldest_first = sorted(remembered, key=lambda file: file.begun_ms)
        self._files = {(file.author, file.file_id): file for file in oldest_first}
        self._look_ms: int | None = None

    def get(self, author: str, file_id: str) -> IncomingFile | None:
        """What is known of it."""
        return self._files.get((author, file_id))

    def open_one(self, file_id: str) -> IncomingFile | None:
        """The one of that id that is partly here."""
        found = (file for file in self._files.values() if file.file_id == file_id)
        return next((file for file in found if file.stage is FileStage.OPEN), None)

    def begun(self, incoming: Incoming, running: Collection[Incoming], wall: int) -> None:
        """It arrives, for the first time or again. What is on the disk of those that are `running`
        is needed; of the others the oldest make room."""
        receiver = incoming.receiver
        file = IncomingFile(
            author=receiver.author,
            file_id=receiver.file_id,
            name=receiver.name,
            size=receiver.size,
            part=incoming.part,
            begun_ms=wall,
            stage=FileStage.OPEN,
        )
        before = self.get(file.author, file.file_id)
        if before is not None and before.stage is FileStage.OPEN and before.part != file.part:
            self._emit.add(DropPart(before.part))  # another file by the same id
        needed = {(one.receiver.author, one.receiver.file_id) for one in running}
        mine = [one for one in self._left(file, needed) if one.author == file.author]
        self._trim(mine, OPEN_PER_AUTHOR_MAX)
        self._trim(self._left(file, needed), OPEN_MAX)
        self._put(file)

    def end(self, author: str, file_id: str, stage: FileStage) -> None:
        """It is here (DONE), or not wanted (REFUSED)."""
        file = self._files.get((author, file_id))
        if file is not None:
            self._trim(self._of(stage, but=file), ENDED_MAX)
            self._put(replace(file, stage=stage))

    def due(self, wall: int, mono: int) -> None:
        """Forget what nobody went on with, or asked about, for 30 days."""
        if self._look_ms is not None and mono < self._look_ms:
            return
        self._look_ms = mono + LOOK_MS
        for file in tuple(self._files.values()):
            if wall - file.begun_ms > KEPT_MS:
                self._forget(file)

    def _of(self, stage: FileStage, *, but: IncomingFile) -> list[IncomingFile]:
        like = (file for file in self._files.values() if file.stage is stage)
        return [file for file in like if (file.author, file.file_id) != (but.author, but.file_id)]

    def _left(self, but: IncomingFile, needed: Collection[tuple[str, str]]) -> list[IncomingFile]:
        """Those that lie partly on the disk, and are not needed there just now."""
        lying = self._of(FileStage.OPEN, but=but)
        return [one for one in lying if (one.author, one.file_id) not in needed]

    def _trim(self, files: list[IncomingFile], most: int) -> None:
        """Make room for one more."""
        for file in files[: max(0, len(files) + 1 - most)]:
            self._forget(file)

    def _put(self, file: IncomingFile) -> None:
        self._files.pop((file.author, file.file_id), None)  # the newest come last
        self._files[file.author, file.file_id] = file
        self._emit.persist(file)

    def _forget(self, file: IncomingFile) -> None:
        del self._files[file.author, file.file_id]
        self._emit.persist(replace(file, stage=FileStage.OVER))
        if file.stage is FileStage.OPEN:
            self._emit.add(DropPart(file.part))
