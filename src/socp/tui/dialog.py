"""What all screens that lie over the talk look like, and how they are left."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.actions import SkipAction
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen
from textual.visual import VisualType
from textual.widgets import Input

from socp.tui import keys
from socp.tui.behind import Behind
from socp.tui.sliced import Sliced

R = TypeVar("R")


class Dialog(Sliced[R], ModalScreen[R]):
    """Escape closes it without a result."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "close", show=False),
        keys.binding("quit", "app.quit"),
    ]
    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        & > .dialog {
            width: 90%;
            max-width: 84;
            height: auto;
            max-height: 100%;
            border: round $primary;
            background: $surface;
            padding: 0 1;
        }
    }
    """

    def render(self) -> VisualType:  # type: ignore[override]
        """What lies under it: whoever asks takes whatever can be seen."""
        under = super().render()
        return Behind(under) if isinstance(under, BackgroundScreen) else under

    def on_key(self, event: Key) -> None:
        """What is typed before the line to type in has the focus is not lost."""
        fields = self.query(Input)
        if event.is_printable and event.character and fields and not fields.first().has_focus:
            event.stop()
            field = fields.first()
            field.focus()
            field.insert_text_at_cursor(event.character)

    def action_copy_text(self) -> None:
        """What is selected; where nothing is, say how one leaves: no key is handed on from here."""
        try:
            super().action_copy_text()
        except SkipAction:
            self.app.action_help_quit()

    def dismiss(self, result: R | None = None) -> AwaitComplete:
        """Its work ends with it, and not when that has nothing left to be shown in."""
        self.workers.cancel_node(self)
        return super().dismiss(result)

    def give(self, result: R | None) -> None:
        """Close it, with this."""
        _closed = self.dismiss(result)  # nobody may wait for it in one of its own handlers
