"""Help, made from the keys and commands there really are."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from socp.talk import commands
from socp.talk.words import STATE_WORDS
from socp.tui import keys
from socp.tui.dialog import Dialog
from socp.tui.keys import Keymap
from socp.tui.row_view import RowView
from socp.tui.rows import Block, Piece, Row, wrapped
from socp.tui.speech import STATE_SIGNS, TRUST_SIGNS

_HEADS = {
    "everywhere": "Everywhere",
    "composer": "While you write",
    "messages": "On a message (Esc goes there, and back)",
    "list": "In a list",
}


class HelpView(RowView):
    """Made anew for its width."""

    def __init__(self, mine: Keymap) -> None:
        super().__init__()
        self._mine = mine

    def remade(self) -> None:
        """Keys, commands, signs."""
        self.put(tuple(Block("", tuple(rows)) for rows in self._made()))

    def _made(self) -> Iterator[list[Row]]:
        for where, head in _HEADS.items():
            yield [(Piece("name", head),)]
            for key in keys.TABLE[where]:
                yield list(self._row(keys.shown(key, self._mine), key.purpose, 22))
            yield [()]
        yield [(Piece("name", "Commands, typed like a message; Tab completes"),)]
        for word, arguments, purpose in commands.TABLE:
            yield list(self._row(f"/{word} {arguments}".rstrip(), purpose, 34))
        yield [()]
        yield [(Piece("name", "Signs"),)]
        for state, (style, sign) in STATE_SIGNS.items():
            yield [(Piece(style, f"  {sign:<20}"), Piece("plain", STATE_WORDS[state]))]
        for trust, (style, sign) in TRUST_SIGNS.items():
            if sign:
                yield [(Piece(style, f"  {sign.strip():<20}"), Piece("plain", str(trust)))]

    def _row(self, left: str, right: str, column: int) -> Iterator[Row]:
        room = self.room
        if room < column * 2:  # too narrow for two columns
            yield (Piece("own", f"  {left}"),)
            for row in wrapped(right, room - 6):
                yield (Piece("plain", "      "), *row)
            return
        blank = Piece("plain", " " * (column + 3))
        first = Piece("own", f"  {left:<{column}} ")
        if len(left) > column:
            yield (first,)
            first = blank
        for row in wrapped(right, room - column - 4):
            yield (first, *row)
            first = blank


class HelpScreen(Dialog[None]):
    """Scrolls."""

    DEFAULT_CSS = """
    HelpScreen { & > .dialog { height: 90%; max-width: 100; } & HelpView { height: 1fr; } }
    """

    def __init__(self, mine: Keymap) -> None:
        super().__init__()
        self._mine = mine

    def compose(self) -> ComposeResult:
        """One long page."""
        with Vertical(classes="dialog"):
            yield HelpView(self._mine)

    def on_mount(self) -> None:
        """It can be scrolled at once."""
        self.query_one(".dialog").border_title = Text("help, Esc closes it")
        self.query_one(HelpView).focus()
