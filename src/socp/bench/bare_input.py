"""The reference for a key press: Textual's own text area on an otherwise empty screen."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static, TextArea


class BareInput(App[None]):
    """Nothing but a place to type."""

    def compose(self) -> ComposeResult:
        """As few parts as can be."""
        yield TextArea()
        yield Static("ready")


if __name__ == "__main__":
    BareInput().run()
