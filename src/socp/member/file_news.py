"""What the person is told of transfers, whichever way they go (section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from socp.files.receiver import Receiver
from socp.files.speed import Speed
from socp.member import latest
from socp.member.effects import FileDone, FileFailed, FileOffered, FileProgress, FileWaits, Trust
from socp.member.emitter import Emitter
from socp.wire.text import printable

PROGRESS_MS: Final = 250
OFFERED_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class About:
    """Which transfer it is."""

    file_id: str
    peer: str  # user id, or "public"
    name: str
    size: int  # bytes
    sending: bool


class Meter:
    """Of one transfer: how far and how fast, told at most four times a second."""

    def __init__(self, mono: int) -> None:
        self._told_ms = mono
        self._speed = Speed()

    def moved(self, done: int, mono: int) -> bool:
        """So many bytes are done; whether that is to be told now."""
        self._speed.moved(done, mono)
        if mono - self._told_ms < PROGRESS_MS:
            return False
        self._told_ms = mono
        return True

    def notice(self, about: About, done: int) -> FileProgress:
        """How far and how fast it is."""
        return FileProgress(
            about.file_id,
            about.peer,
            printable(about.name),
            done,
            about.size,
            about.sending,
            bytes_per_s=self._speed.bytes_per_s(),
            remaining_s=self._speed.remaining_s(about.size),
        )


class FileNews:
    """Says it."""

    def __init__(self, emitter: Emitter) -> None:
        self._emit = emitter
        self._offered: dict[str, None] = {}

    def offered(self, receiver: Receiver, trust: Trust, *, goes_on: bool) -> None:
        """It begins to come; of one that may go on this is told once in a run."""
        if goes_on and receiver.file_id in self._offered:
            return
        latest.keep(self._offered, receiver.file_id, None, OFFERED_MAX)
        self._emit.tell(
            FileOffered(
                file_id=receiver.file_id,
                author=receiver.author,
                name=receiver.name,
                size=receiver.size,
                public=receiver.public,
                trust=trust,
            )
        )

    def moved(self, about: About, meter: Meter, done: int, mono: int) -> None:
        """So many bytes are done."""
        if meter.moved(done, mono):
            self._emit.tell(meter.notice(about, done))

    def waits(self, about: About, done: int, reason: str) -> None:
        """It goes on by itself."""
        self._emit.tell(
            FileWaits(
                about.file_id,
                about.peer,
                printable(about.name),
                done,
                about.size,
                about.sending,
                reason,
            )
        )

    def done(self, about: About, *, path: str = "", kept: bool = False) -> None:
        """It is there."""
        self._emit.tell(
            FileDone(
                about.file_id,
                about.peer,
                about.name,
                about.size,
                about.sending,
                path=path,
                kept=kept,
            )
        )

    def failed(self, about: About, reason: str) -> None:
        """It is over without success."""
        self._emit.tell(
            FileFailed(about.file_id, about.peer, printable(about.name), about.sending, reason)
        )
