"""The row above the composer that says what one answers, or changes."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from socp.member.draft import Draft
from socp.tui.rows import drawn


class AboutLine(Static):
    """Not there where one does neither."""

    DEFAULT_CSS = """
    AboutLine { height: 1; padding: 0 1; display: none; color: $accent; }
    """

    def tell(self, draft: Draft) -> None:
        """What the composer is about now."""
        self.display = bool(draft.about)
        what = "changing" if draft.edits else "answering"
        words = Text(f"↪ {what} {drawn(draft.quote)}", no_wrap=True, overflow="ellipsis")
        self.update(words.append("  Esc stops", "dim"))
