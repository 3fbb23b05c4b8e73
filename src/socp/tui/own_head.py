"""The row above the conversations: who one is here, and whether the server is there."""

from __future__ import annotations

from typing import Final

from textual.content import Content
from textual.widgets import Static

from socp.tui.rows import drawn
from socp.tui.session import Session
from socp.wire.text import printable

NAME_COLUMNS: Final = 30


class OwnHead(Static):
    """One row."""

    DEFAULT_CSS = """
    OwnHead {
        height: 1;
        padding: 0 1;
        background: $panel;
        color: $foreground;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    def tell(self, session: Session) -> None:
        """How it is now."""
        link, name = session.link, drawn(printable(session.me.name, width=NAME_COLUMNS))
        sign = ("● ", "$success") if link.attached else ("○ ", "$warning")
        away = "  not connected" if link.reason else "  connecting"
        state = "" if link.attached else away
        self.update(Content.assemble(sign, (name, "bold"), (state, "$warning")))
