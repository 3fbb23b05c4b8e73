"""Search in all that was ever said, while one types."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rich.text import Text
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from socp.client.clock import now_ms
from socp.client.errors import ClientError
from socp.member.history_line import HistoryLine
from socp.talk.words import time_of
from socp.tui.pick_screen import PickScreen
from socp.tui.row_view import RowView
from socp.tui.rows import Block, Piece, Row, cut, spread
from socp.tui.session import Session
from socp.wire.text import printable

HITS_MAX: Final = 100
_PAUSE_S: Final = 0.08
"""Who types on does not want to know yet."""
_LED_CHARS: Final = 24
_TEXT_CHARS: Final = 400


@dataclass(frozen=True, slots=True)
class Hit:
    """A line that has the words."""

    talk: str
    number: int


class SearchScreen(PickScreen[Hit]):
    """Its result is shown in its place."""

    DOES = "search in all talks"
    ASKS = "words, or parts of them"

    DEFAULT_CSS = """
    SearchScreen {
        & > .dialog { height: 80%; max-width: 100; }
        & RowView { height: 1fr; }
    }
    """

    def __init__(self, session: Session, words: str = "") -> None:
        super().__init__(words)
        self._session = session
        self._words = words
        self._hits: list[HistoryLine] = []
        self._timer: Timer | None = None
        self._looked_for: str | None = None  # the words whose hits are shown
        self._chosen_ahead = False  # Enter was pressed before they were found

    def below(self) -> Iterable[Widget]:
        """How many were found."""
        yield Static(id="count", classes="hint")

    def typed(self, words: str) -> None:
        """Look for them when the typing rests."""
        self._words = words
        self._chosen_ahead = False
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_PAUSE_S, lambda: self.show(words))

    def enter(self) -> None:
        """Who is quicker than the search gets the first hit, not one of the words before."""
        if self._looked_for == self._words:
            super().enter()
        else:
            self._chosen_ahead = True

    def meant(self, key: str) -> Hit:
        """The line of this row."""
        line = self._hits[int(key)]
        return Hit(line.talk, line.number)

    def show(self, typed: str) -> None:
        """Search for it, and then list the hits."""
        self.run_worker(self._found(typed), exclusive=True)

    async def _found(self, words: str) -> None:
        fault = ""
        try:
            self._hits = await self._searched(words)
        except ClientError as why:  # it was closed, or sealed anew, while one typed
            self._hits, fault = [], str(why)
        self._looked_for = words
        view = self.query_one(RowView)
        made = [Block(str(at), self._rows(line, view)) for at, line in enumerate(self._hits)]
        view.put(tuple(made))
        view.mark("0")
        self.query_one("#count", Static).update(Text(fault or self._count(words)))
        if self._chosen_ahead and words == self._words:
            self._chosen_ahead = False
            view.action_choose()

    async def _searched(self, words: str) -> list[HistoryLine]:
        return await self._session.me.search(words, limit=HITS_MAX) if words.strip() else []

    def _count(self, words: str) -> str:
        if not words.strip():
            return ""
        if not self._hits:
            return "nothing has all these words; try fewer, or parts of them"
        more = " or more" if len(self._hits) == HITS_MAX else ""
        return f"{len(self._hits)}{more} found; Enter shows it in its place"

    def _rows(self, line: HistoryLine, view: RowView) -> tuple[Row, ...]:
        called, width = self._session.called, view.room
        who = Piece("name", called(line.author))
        to = self._session.me.user_id if line.talk == line.author else line.talk
        where = Piece("mark", f" to {called(to)}" if line.author else "")
        when = (Piece("time", time_of(line.ts, now_ms())),)
        return (
            spread((who, where), when, width),
            cut((Piece("plain", "  "), *_around(line.text, self._words)), width),
        )


def _around(text: str, words: str) -> Row:
    """The text from a little before the first word that was looked for, which stands out."""
    flat = " ".join(text.split())
    wanted = (re.search(re.escape(word), flat, re.IGNORECASE) for word in words.split())
    found = next((each for each in wanted if each), None)
    at, end = found.span() if found else (0, 0)
    start = max(at - _LED_CHARS, 0)
    if start:  # with a whole word
        start = flat.find(" ", start, at) + 1 or start
    lead = ("…" if start else "") + flat[start:at]
    hit, rest = flat[at:end], flat[end : at + _TEXT_CHARS]
    pieces = (Piece("mark", lead), Piece("found", hit), Piece("plain", rest))
    return tuple(piece._replace(text=printable(piece.text)) for piece in pieces)
