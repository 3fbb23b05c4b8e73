"""Whether something said is really to be taken back: others may have read it, and it is gone."""

from __future__ import annotations

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from socp.tui.dialog import Dialog


class TakeBackScreen(Dialog[bool]):
    """Its result: whether. Enter alone, and whatever is typed by mistake, keeps it."""

    DEFAULT_CSS = """
    TakeBackScreen {
        & > .dialog { max-width: 60; }
        & Static { height: auto; }
        & Horizontal { height: auto; margin-top: 1; }
        & Button { margin-right: 1; min-width: 0; }
    }
    """

    def __init__(self, quote: str, who: str) -> None:
        """`who`: those who will see that it was taken back."""
        super().__init__()
        self._quote = quote
        self._who = who

    def compose(self) -> ComposeResult:
        """The words, and two buttons."""
        with Vertical(classes="dialog"):
            yield Static(Text(self._quote))
            yield Static(Text(f"{self._who} will see that something was here."), classes="hint")
            with Horizontal():
                yield Button("Keep it", id="keep", variant="primary", compact=True)
                yield Button("Take back", id="take-back", variant="error", compact=True)
            yield Static(Text("Tab, Enter takes back   Esc keeps"), classes="hint")

    def on_mount(self) -> None:
        """It is kept, if nobody says otherwise."""
        self.query_one(".dialog").border_title = Text("take back?")
        self.query_one("#keep").focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.give(event.button.id == "take-back")
