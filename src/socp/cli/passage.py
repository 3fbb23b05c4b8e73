"""One file on its way, shown until it is over."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Final

from socp.cli import exits
from socp.cli.errand import Errand
from socp.client.clock import now_ms
from socp.client.notices import Notice
from socp.member.effects import FileDone, FileFailed, FileProgress, FileWaits
from socp.talk.file_phrases import progress_text

News = FileProgress | FileWaits | FileDone | FileFailed
_OTHERS_MAX: Final = 100
_SHARE_SHOWN: Final = 0.25


class Passage:
    """`heard` may be told of the file before `over` is asked for it: it can be that quick."""

    def __init__(self, errand: Errand, wait_s: float) -> None:
        """`wait_s`: how long it may stand still."""
        self._errand = errand
        self._wait_s = wait_s
        self._news: dict[str, News] = {}  # file_id -> the latest; bounded
        self._file_id = ""
        self._moved_s = time.monotonic()
        self._shown = 0.0  # the share of it that was told last, 0 to 1
        self._drawn = False  # a row of progress stands on the terminal

    def heard(self, notice: Notice) -> None:
        """Any notice."""
        if not isinstance(notice, News) or not notice.sending:
            return
        if len(self._news) < _OTHERS_MAX or notice.file_id in self._news:
            self._news[notice.file_id] = notice
        if notice.file_id == self._file_id:
            if isinstance(notice, FileProgress):
                self._moved_s = time.monotonic()
            self._show(notice)

    async def over(self, file_id: str) -> int:
        """Return when it is sent, has failed, or stands still for too long; the exit code."""
        self._file_id = file_id
        self._moved_s = time.monotonic()
        if early := self._news.get(file_id):
            self._show(early)
        try:
            while (left_s := self._moved_s + self._wait_s - time.monotonic()) > 0:
                if await self._errand.patience.until(self._is_over, left_s):
                    break
        except asyncio.CancelledError:
            if not self._is_over():
                self._goes_on("this program was ended", ", if their client can follow")
            raise
        last = self._news.get(file_id)
        if isinstance(last, FileDone):
            return exits.OK
        if not isinstance(last, FileFailed):
            reason = last.reason if isinstance(last, FileWaits) else "it does not move"
            self._goes_on(reason.removesuffix("; it goes on by itself"))
        return exits.FAILED

    def _goes_on(self, reason: str, condition: str = "") -> None:
        self._clear()
        self._errand.printer.complain(
            f"not sent yet: {reason}; it goes on when this profile is used again{condition}"
        )

    def _is_over(self) -> bool:
        return isinstance(self._news.get(self._file_id), FileDone | FileFailed)

    def _show(self, notice: News) -> None:
        if self._errand.json:
            self._errand.say_notice(notice)
        elif isinstance(notice, FileProgress):
            self._progressed(notice)
        elif entry := self._errand.phrases.entry(notice, now_ms()):
            self._clear()
            self._errand.say(entry)

    def _progressed(self, at: FileProgress) -> None:
        text = progress_text(at, self._errand.phrases.name(at.peer))
        share = at.done / max(at.size, 1)
        if sys.stderr.isatty():
            self._clear()
            sys.stderr.write(text)
            sys.stderr.flush()
            self._drawn = True
        elif share - self._shown >= _SHARE_SHOWN and share < 1:
            self._shown = share
            sys.stderr.write(text + "\n")

    def _clear(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            self._drawn = False
