"""Pick an emoji: one of the usual ones, or by its name."""

from __future__ import annotations

from typing import Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.widgets import Input

from socp.tui.dialog import Dialog
from socp.tui.emoji import EMOJI, QUICK
from socp.tui.field import Field
from socp.tui.row_view import RowView
from socp.tui.rows import Block, Piece

SHOWN_MAX: Final = 40
_NO_EMOJI: Final = (
    (Piece("warn", " words are no emoji: Esc, and i to"),),
    (Piece("warn", " write a message"),),
)


class EmojiScreen(Dialog[str]):
    """Its result: the emoji, "" to take one's own away."""

    DEFAULT_CSS = """
    EmojiScreen { & > .dialog { max-width: 40; } & RowView { height: auto; max-height: 12; } }
    """

    def compose(self) -> ComposeResult:
        """A line to type in, and what can be had."""
        with Vertical(classes="dialog"):
            yield Field(placeholder="a name, or an emoji")
            yield RowView()

    def on_mount(self) -> None:
        """Begin with the usual ones."""
        self.query_one(".dialog").border_title = Text("react")
        self.query_one(Input).focus()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._show(self.query_one(Input).value)  # something may have been typed already

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._show(event.value)

    def on_key(self, event: Key) -> None:
        """The list moves while one types."""
        if event.key in ("down", "up"):
            event.stop()
            view = self.query_one(RowView)
            (view.action_down if event.key == "down" else view.action_up)()

    @on(Input.Submitted)
    def _entered(self) -> None:
        self.query_one(RowView).action_choose()

    @on(RowView.Chosen)
    def _chosen(self, event: RowView.Chosen) -> None:
        self.give("" if event.key == "-" else event.key)

    def _show(self, typed: str) -> None:
        wanted = typed.strip().strip(":").casefold()
        by_sign: dict[str, str] = {}
        for name, sign in EMOJI.items():
            if wanted in name if wanted else sign in QUICK:
                by_sign.setdefault(sign, name)
        if len(wanted.split()) == 1 and not by_sign:
            by_sign[typed.strip()] = "as typed"
        rows = list(by_sign.items())[:SHOWN_MAX]
        if not wanted:
            rows.append(("-", "take mine away"))
        view = self.query_one(RowView)
        view.put([Block(s, ((Piece("plain", f" {s} "), Piece("mark", n)),)) for s, n in rows])
        if rows:
            view.mark(rows[0][0])
        else:  # who types a sentence meant to write one
            view.put((Block("", _NO_EMOJI),))
