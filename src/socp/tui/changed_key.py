"""A changed key stops the conversation: what happened, and the plain choice (threat I9)."""

from __future__ import annotations

from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Static

from socp.tui.sure_button import SureButton

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
        """`what`: compare, keep or take; `who`: the user id of whom the words were about."""

        def __init__(self, what: str, who: str) -> None:
            super().__init__()
            self.what = what
            self.who = who

    def __init__(self) -> None:
        super().__init__()
        self._who = ""

    @property
    def who(self) -> str:
        """Whom the words are about, "" for nobody."""
        return self._who

    def compose(self) -> ComposeResult:
        """The words, and three buttons."""
        yield Static(id="what-happened")
        with Horizontal():
            yield Button("Compare numbers", id=COMPARE, variant="primary", compact=True)
            yield Button("Keep known key", id=KEEP, compact=True)
            yield SureButton("Take new key", f"#{COMPARE}", id=TAKE)

    def tell(self, who: str, name: str) -> None:
        """About a user id, and what they are called; "" for nobody."""
        if who != self._who:
            self.query_one(SureButton).forget()  # who was asked about somebody else, was not asked
        self._who = who
        self.display = bool(who)
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
        self.post_message(self.Decided(event.button.id or "", self._who))
