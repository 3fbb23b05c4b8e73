"""Files on their way, both ways: for the toolbar, for /cancel, and for a script that waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Final

from socp.member.effects import FileDone, FileFailed, FileOffered, FileProgress, FileWaits
from socp.talk.commands import Unclear
from socp.talk.entries import Entry, Kind
from socp.talk.file_phrases import progress_text, waiting_text
from socp.talk.phrases import Phrases
from socp.talk.words import SHOWN_COLUMNS, shown_name
from socp.wire.text import printable

_SHARE_SHOWN: Final = 0.25
ROWS_MAX: Final = 4
OVER_MAX: Final = 1_000

Moving = FileProgress | FileWaits
News = Moving | FileDone | FileFailed


class Transfers:
    """What FileProgress, FileWaits, FileDone and FileFailed say, by file_id."""

    def __init__(
        self, phrases: Phrases, show: Callable[[Entry], None], *, has_toolbar: bool
    ) -> None:
        """`has_toolbar`: progress is seen there, and need not be told in lines."""
        self._phrases = phrases
        self._show = show
        self._has_toolbar = has_toolbar
        self._running: dict[str, Moving] = {}
        self._told: dict[str, float] = {}  # file_id -> the share that was told last, 0 to 1
        self._mine: dict[str, str] = {}  # file_id -> name: offered in this run, not over
        self._authors: dict[str, str] = {}  # file_id -> user id: being received
        self._over: set[str] = set()  # over before `offered` could say whose they are
        self.failed = False

    def received(self, notice: FileOffered) -> None:
        """Somebody sends this."""
        self._authors[notice.file_id] = notice.author

    def by_author(self, notice: News) -> News:
        """A file to everyone comes from somebody, whom its later news do not name. Of one that is
        sent they name the reader, whoever offers another one under its id."""
        if notice.sending:
            return notice
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
        if isinstance(notice, FileProgress | FileWaits):
            self._running[notice.file_id] = notice
            if isinstance(notice, FileProgress):
                self._progressed(notice)
            return
        self._running.pop(notice.file_id, None)
        self._told.pop(notice.file_id, None)
        if notice.sending:
            known = self._mine.pop(notice.file_id, None) is not None
            if not known and len(self._over) < OVER_MAX:  # one that a server kept is told of twice
                self._over.add(notice.file_id)
            self.failed |= isinstance(notice, FileFailed)

    def named(self, name: str) -> str:
        """The file_id of the transfer of that name, or of the only one. Unclear."""
        names = self._mine | {file_id: at.name for file_id, at in self._running.items()}
        found = [
            file_id
            for file_id, known in names.items()
            if not name or known == name or printable(known) == name
        ]
        if len(found) == 1:
            return found[0]
        shown = ", ".join(sorted(shown_name(printable(known)) for known in names.values()))
        if not shown:
            raise Unclear("no file is on its way")
        raise Unclear(f"which one? /cancel with one of {shown}")

    @property
    def sending(self) -> int:
        """How many files of this run are on their way to others."""
        return len(self._mine)

    def at(self, file_id: str) -> Moving | None:
        """How far a file on its way is; None for one that is not."""
        return self._running.get(file_id)

    def running(self) -> list[str]:
        """One phrase for each file on its way, for the toolbar, which must leave room to type."""
        shown = [self._phrase(at) for at in islice(self._running.values(), ROWS_MAX)]
        more = len(self._running) - len(shown)
        return [*shown, f"and {more} more"] if more else shown

    def outstanding(self) -> list[str]:
        """Files of this run, or that move, which are not over. What an earlier run left, and what
        comes later by itself, nobody waits for."""
        moving = {
            file_id: at.name
            for file_id, at in self._running.items()
            if isinstance(at, FileProgress)
        }
        names = (self._mine | moving).values()
        return [shown_name(printable(name, width=SHOWN_COLUMNS)) for name in names]

    def _progressed(self, at: FileProgress) -> None:
        share = at.done / max(at.size, 1)
        told = self._told.get(at.file_id, 0.0)
        if not self._has_toolbar and share - told >= _SHARE_SHOWN and share < 1:
            self._told[at.file_id] = share
            self._show(Entry((("class:mark", self._phrase(at)),), kind=Kind.ASIDE))

    def _phrase(self, at: Moving) -> str:
        peer = self._phrases.name(at.peer)
        return waiting_text(at, peer) if isinstance(at, FileWaits) else progress_text(at, peer)
