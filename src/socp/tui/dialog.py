"""What all screens that lie over the talk look like, and how they are left."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

R = TypeVar("R")


class Dialog(ModalScreen[R]):
    """Escape closes it without a result."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "close", show=False)]
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
        & Input { border: round $line; background: transparent; height: 3; }
        & Input:focus { border: round $primary; }
        & .hint { color: $muted; height: auto; }
        & .fault { color: $error; height: auto; }
    }
    """

    def give(self, result: R | None) -> None:
        """Close it, with this."""
        _closed = self.dismiss(result)  # nobody may wait for it in one of its own handlers
