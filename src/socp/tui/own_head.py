"""The row above the conversations: who one is here, and whether the server is there."""

from __future__ import annotations

from typing import Final

from textual.content import Content
from textual.widgets import Static

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
        name, attached = printable(session.me.name, width=NAME_COLUMNS), session.link.attached
        sign = ("● ", "$success") if attached else ("○ ", "$warning")
        link = session.link
        coming = not link.attached and not link.reason  # the first attempt is not over yet
        state = "" if attached else "  connecting" if coming else "  not connected"
        self.update(Content.assemble(sign, (name, "bold"), (state, "$warning")))
