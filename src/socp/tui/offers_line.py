"""The row above the composer that says what Tab can put there."""

from __future__ import annotations

from typing import Final

from rich.text import Text
from textual.widgets import Static

from socp.talk.offers import Offer
from socp.wire.text import columns, printable

_SHOWN_COLUMNS: Final = 30


class OffersLine(Static):
    """Not there where nothing is offered."""

    DEFAULT_CSS = """
    OffersLine { height: 1; padding: 0 1; display: none; color: $muted; }
    """

    def offer(self, found: list[Offer], at: int) -> None:
        """Show these, the one that was taken standing out, as many as there is room for."""
        self.display = len(found) > 1
        if not self.display:
            return
        words, room = Text(no_wrap=True, overflow="ellipsis"), self.app.size.width
        for index in range(at, len(found)):
            shown = printable(found[index].shown, width=_SHOWN_COLUMNS)
            room -= columns(shown) + 2
            if room < 0:
                break
            words.append(shown, "reverse" if index == at else "")
            words.append("  ")
        self.update(words)
