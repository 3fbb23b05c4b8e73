"""A changed key stops the conversation: what happened, and the plain choice (threat I9)."""

from __future__ import annotations

from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Static

COMPARE: Final = "compare"
KEEP: Final = "keep"
TAKE: Final = "take"


class ChangedKey(Vertical):
    """Where one would type, as long as nothing is sent."""

    DEFAULT_CSS = """
    ChangedKey {
        height: auto;
        border: heavy $error;
        padding: 0 1;
        display: none;
        & Horizontal { height: auto; }
        & Button { margin-right: 1; min-width: 10; }
        & #what-happened { height: auto; margin-bottom: 1; }
    }
    """

    class Decided(Message):
        """`what`: compare, keep or take."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    def compose(self) -> ComposeResult:
        """The words, and three buttons."""
        yield Static(id="what-happened")
        with Horizontal():
            yield Button("Compare numbers", id=COMPARE, variant="primary", compact=True)
            yield Button("Keep known key", id=KEEP, compact=True)
            yield Button("Take new key", id=TAKE, variant="error", compact=True)

    def tell(self, name: str, *, blocked: bool) -> None:
        """Whether it is so, and with whom."""
        if not blocked:
            self.display = False
            return
        if not self.display:
            self.query_one(f"#{TAKE}", Button).label = "Take new key"
        self.display = True
        words = (
            f" Somebody claims to be {name} with another key: perhaps a new machine of theirs,"
            " perhaps somebody else. Nothing is sent until you decide. Ask them by another way"
            " than this chat which safety number they see."
        )
        loud = (" KEY CHANGED ", "bold reverse $error")
        self.query_one("#what-happened", Static).update(Content.assemble(loud, words))

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        button = event.button
        sure = "Sure? Again"
        if button.id == TAKE and str(button.label) != sure:
            button.label = sure  # who presses by mistake is asked
            return
        self.post_message(self.Decided(button.id or ""))
