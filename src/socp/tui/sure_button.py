"""A button whose deed cannot be undone: it asks once more, and a key that is held down is one."""

from __future__ import annotations

from typing import Final

from textual.widget import Widget
from textual.widgets import Button

ASKS: Final = "Sure? Again"


class SureButton(Button):
    """`Pressed` comes with the second press. With the first one the focus goes to `instead`, where
    the same key does no harm."""

    def __init__(self, label: str, instead: str, *, id: str) -> None:  # noqa: A002
        """`instead`: the selector of what has the focus while it asks."""
        super().__init__(label, id=id, variant="error", compact=True)
        self._says = label
        self._instead = instead
        self._asked = False

    def press(self) -> SureButton:
        """See Button."""
        if self._asked:
            self.forget()
            super().press()
        else:
            self._asked = True
            self.label = ASKS
            self.screen.query_one(self._instead, Widget).focus()
        return self

    def forget(self) -> None:
        """Nobody was asked: it is about something else now."""
        self._asked = False
        self.label = self._says
