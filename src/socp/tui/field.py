"""One line to type in, whose keys are all obeyed in the order in which they were pressed."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding
from textual.events import Key, Paste
from textual.widgets import Input

from socp.tui.harmless import harmless

_DOES: Final = {
    key: binding.action
    for binding in Input.BINDINGS
    if isinstance(binding, Binding)
    for key in binding.key.split(",")
}


class Field(Input):
    """An Input would write a letter at once, and hand Backspace or Enter up to the app first: who
    types quickly, on a busy machine, would find letters erased that came after."""

    async def on_key(self, event: Key) -> None:
        """Its own keys are not handed up."""
        if (action := _DOES.get(event.key)) and await self.app.run_action(action, self):
            event.stop()
            event.prevent_default()

    def _on_paste(self, event: Paste) -> None:
        """Nothing that is pasted acts on the terminal (threat I8)."""
        super()._on_paste(Paste(harmless(event.text)))
        event.prevent_default()
        event.stop()
