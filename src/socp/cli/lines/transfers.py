"""Files on their way, both ways: for the toolbar, for /cancel, and for a script that waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from socp.cli.lines.commands import Unclear
from socp.cli.lines.entries import Entry, Kind
from socp.cli.lines.phrases import Phrases
from socp.cli.lines.words import SHOWN_COLUMNS, shown_name, size_text
from socp.member.effects import FileDone, FileFailed, FileOffered, FileProgress
from socp.wire.text import printable

_RATE_AFTER_S: Final = 1.0
_SHARE_SHOWN: Final = 0.25
ROWS_MAX: Final = 4
OVER_MAX: Final = 1_000


News = FileProgress | FileDone | FileFailed


@dataclass(slots=True)
class Transfer:
    """One file. `begun_s` is monotonic; `shown` the share of it that was told last, 0 to 1."""

    progress: FileProgress
    begun_s: float
    begun_bytes: int
    shown: float = 0.0


class Transfers:
    """What FileProgress, FileDone and FileFailed say, by file_id."""

    def __init__(
        self, phrases: Phrases, show: Callable[[Entry], None], *, has_toolbar: bool
    ) -> None:
        """`has_toolbar`: progress is seen there, and need not be told in lines."""
        self._phrases = phrases
        self._show = show
        self._has_toolbar = has_toolbar
        self._running: dict[str, Transfer] = {}
        self._mine: dict[str, str] = {}  # file_id -> name: offered in this run, not over
        self._authors: dict[str, str] = {}  # file_id -> user id: being received
        self._over: set[str] = set()  # over before `offered` could say whose they are
        self.failed = False

    def received(self, notice: FileOffered) -> None:
        """Somebody sends this."""
        self._authors[notice.file_id] = notice.author

    def by_author(self, notice: News) -> News:
        """A file to everyone comes from somebody, whom its later news do not name."""
        over = isinstance(notice, FileDone | FileFailed)
        known = self._authors.pop if over else self._authors.get
        author = known(notice.file_id, None)
        return replace(notice, peer=author) if author else notice

    def offered(self, file_id: str, name: str) -> None:
        """The person sends this."""
        if file_id in self._over:
            self._over.discard(file_id)
        else:
            self._mine[file_id] = name

    def moved(self, notice: News) -> None:
        """News of a transfer."""
        if isinstance(notice, FileProgress):
            self._progressed(notice)
            return
        self._running.pop(notice.file_id, None)
        if notice.sending:
            known = self._mine.pop(notice.file_id, None) is not None
            if not known and len(self._over) < OVER_MAX:  # one that a server kept is told of twice
                self._over.add(notice.file_id)
            self.failed |= isinstance(notice, FileFailed)

    def named(self, name: str) -> str:
        """The file_id of the transfer of that name, or of the only one. Unclear."""
        found = [
            file_id
            for file_id, known in self._names().items()
            if not name or known == name or printable(known) == name
        ]
        if len(found) == 1:
            return found[0]
        shown = ", ".join(sorted(shown_name(printable(known)) for known in self._names().values()))
        if not shown:
            raise Unclear("no file is on its way")
        raise Unclear(f"which one? /cancel with one of {shown}")

    @property
    def sending(self) -> int:
        """How many files of this run are on their way to others."""
        return len(self._mine)

    def running(self) -> list[str]:
        """One phrase for each file on its way, for the toolbar, which must leave room to type."""
        shown = [self._phrase(transfer) for transfer in islice(self._running.values(), ROWS_MAX)]
        more = len(self._running) - len(shown)
        return [*shown, f"and {more} more"] if more else shown

    def outstanding(self) -> list[str]:
        """Files sent or being received that are not over."""
        return [shown_name(printable(name, width=SHOWN_COLUMNS)) for name in self._names().values()]

    def _names(self) -> dict[str, str]:
        return self._mine | {
            file_id: transfer.progress.name for file_id, transfer in self._running.items()
        }

    def _progressed(self, notice: FileProgress) -> None:
        transfer = self._running.get(notice.file_id)
        if transfer is None:
            transfer = Transfer(notice, time.monotonic(), notice.done)
            self._running[notice.file_id] = transfer
        transfer.progress = notice
        share = notice.done / max(notice.size, 1)
        if not self._has_toolbar and share - transfer.shown >= _SHARE_SHOWN and share < 1:
            transfer.shown = share
            self._show(Entry((("class:mark", self._phrase(transfer)),), kind=Kind.ASIDE))

    def _phrase(self, transfer: Transfer) -> str:
        at = transfer.progress
        name = shown_name(printable(at.name, width=SHOWN_COLUMNS // 2))
        way = "to" if at.sending else "from"
        share = 100 * at.done // max(at.size, 1)
        head = f"{name} {way} {self._phrases.name(at.peer)}: {share}% of {size_text(at.size)}"
        passed_s = time.monotonic() - transfer.begun_s
        if passed_s < _RATE_AFTER_S or at.done <= transfer.begun_bytes:
            return head
        rate = (at.done - transfer.begun_bytes) / passed_s
        left_s = int((at.size - at.done) / rate)
        return f"{head}, {size_text(int(rate))}/s, {left_s // 60}:{left_s % 60:02} left"
