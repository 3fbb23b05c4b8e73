"""The row that says that the server is gone, and since when. Typing goes on."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from socp.client.clock import now_ms
from socp.talk.idle import clock_s
from socp.talk.words import flat, time_of
from socp.tui.link import Link


class LinkLine(Static):
    """Not there while the server is."""

    DEFAULT_CSS = """
    LinkLine { height: auto; max-height: 6; padding: 0 1; display: none; }
    LinkLine { color: $warning; background: $panel; text-style: bold; }
    LinkLine.-over { color: $error; }
    """

    def tell(self, link: Link, address: str) -> None:
        """How it is now with the server there."""
        self.display = not link.attached
        self.set_class(link.over, "-over")
        now = now_ms()  # a clock that was set meanwhile shows when that was as it shows now
        since = time_of(now - int(1000 * (clock_s() - link.since_s)), now)
        why = flat(link.reason)
        if link.over:
            self.update(Text(f"✗ not connected any more, since {since}: {why}"))
        elif not link.reason:
            self.update(Text("… connecting"))
        elif not link.began:
            words = f"⚠ {flat(address)} is not reached since {since}; type on, what you say waits"
            self.update(Text(f"{words} ({why}). Another server: socp tui --server ADDRESS"))
        else:
            words = f"⚠ not connected since {since}; type on, what you say waits ({why})"
            self.update(Text(words))
