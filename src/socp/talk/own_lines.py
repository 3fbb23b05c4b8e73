"""What became of the lines one said: shown once where all goes well, and more where it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from socp.client.clock import now_ms
from socp.client.line import Line
from socp.member.effects import LineMoved
from socp.member.records import LineState
from socp.talk.entries import Entry
from socp.talk.phrases import Phrases
from socp.talk.words import STATE_WORDS
from socp.wire.text import printable

_SHOWN_COLUMNS: Final = 40
_HANDED_MAX: Final = 1_000
_THERE: Final = (LineState.DELIVERED, LineState.READ)
_SAYING_S: Final = 0.2  # by then a line that is being said is known as one's own


class OwnLines:
    """Lines of this run, and those that an earlier one left waiting."""

    def __init__(self, phrases: Phrases, show: Callable[[Entry], None], hold_s: float) -> None:
        self._phrases = phrases
        self._show = show
        self._hold_s = hold_s
        self._mine: dict[int, Line] = {}  # said in this run, not settled
        self._shown: dict[int, str] = {}  # line_id -> the reason it was last shown with
        self._handed: dict[int, bool] = {}  # the latest done; whether they are kept for somebody
        self._latest: dict[str, LineMoved] = {}  # to -> the last line; bounded
        self._first_said: int | None = None  # line ids count up: lower ones are an earlier run's
        self.refused = False

    def said(self, line: Line) -> None:
        """The person said this now. A moment's delay is not worth a word."""
        moved = line.last
        if self._first_said is None:
            self._first_said = line.line_id
        self._note_latest(moved)
        if line.state in _THERE:
            moved = replace(moved, state=LineState.DONE)
        if moved.state in (LineState.DONE, LineState.REFUSED):
            self._settle(moved)
            return
        self._mine[line.line_id] = line
        if line.reason:
            self._waits(moved)
        else:
            asyncio.get_running_loop().call_later(self._hold_s, self._held, line)

    def moved(self, moved: LineMoved) -> None:
        """The state of a line, in the order the brain tells it."""
        self._note_latest(moved)
        if moved.state in _THERE and moved.line_id in self._mine:  # before, or without, an answer
            self._settle(replace(moved, state=LineState.DONE, reason=""))
        elif moved.state in _THERE or moved.line_id in self._handed:
            self._heard_later(moved)
        elif moved.state in (LineState.DONE, LineState.REFUSED):
            if moved.line_id in self._mine or moved.line_id in self._shown:
                self._settle(moved)
            else:  # just being said, or an earlier run's
                asyncio.get_running_loop().call_later(_SAYING_S, self._older, moved)
        elif moved.reason:
            self._waits(moved)

    def latest(self, to: str) -> str:
        """How far the last line to a user id or "public" came, "" where none was said."""
        found = self._latest.get(to)
        return "" if found is None else STATE_WORDS[found.state]

    @property
    def open(self) -> int:
        """How many lines of this run are not handed over."""
        return len(self._mine)

    def outstanding(self) -> list[str]:
        """Lines of this run that are not handed over."""
        return [
            f"to {self._phrases.name(line.to)}: "
            f"{printable(line.text, width=_SHOWN_COLUMNS)}"
            + (f" ({printable(line.reason)})" if line.reason else "")
            for line in self._mine.values()
        ]

    def _held(self, line: Line) -> None:
        if line.line_id in self._mine and line.line_id not in self._shown:
            self._waits(line.last)

    def _heard_later(self, moved: LineMoved) -> None:
        """What became of one that was handed over; that it arrived is news where they were away."""
        kept = self._handed.pop(moved.line_id, False)
        self.refused |= moved.state is LineState.REFUSED
        if kept or moved.state is LineState.REFUSED:
            self._show(self._phrases.own_moved(moved, now_ms()))

    def _older(self, moved: LineMoved) -> None:
        if self._first_said is None or moved.line_id < self._first_said:
            self._note_handed(moved)
            self._show(self._phrases.own_moved(moved, now_ms()))

    def _note_latest(self, moved: LineMoved) -> None:
        found = self._latest.get(moved.to)
        if moved.kind == "text" and (found is None or found.line_id <= moved.line_id):
            if found is None and len(self._latest) >= _HANDED_MAX:
                del self._latest[next(iter(self._latest))]
            self._latest[moved.to] = moved

    def _note_handed(self, moved: LineMoved) -> None:
        if moved.state is LineState.DONE:
            if len(self._handed) >= _HANDED_MAX:
                del self._handed[next(iter(self._handed))]
            self._handed[moved.line_id] = bool(moved.reason)

    def _waits(self, moved: LineMoved) -> None:
        if self._shown.get(moved.line_id) == moved.reason:
            return
        again = moved.line_id in self._shown
        self._shown[moved.line_id] = moved.reason
        phrase = self._phrases.own_still_waits if again else self._phrases.own_waits
        self._show(phrase(moved, now_ms()))

    def _settle(self, moved: LineMoved) -> None:
        self._mine.pop(moved.line_id, None)
        shown = self._shown.pop(moved.line_id, None) is not None
        self.refused |= moved.state is LineState.REFUSED
        self._note_handed(moved)
        if moved.state is LineState.DONE and not shown:
            if moved.kind == "text":  # a change of ours was told as `Amended` already
                self._show(self._phrases.own(moved, now_ms()))
        else:
            self._show(self._phrases.own_moved(moved, now_ms()))
