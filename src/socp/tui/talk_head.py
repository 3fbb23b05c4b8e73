"""The row above the messages: who this is with, and how sure that is."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from socp.member.records import TrustState
from socp.tui.session import Session
from socp.wire.ids import PUBLIC


class TalkHead(Static):
    """One row."""

    DEFAULT_CSS = """
    TalkHead { height: 1; padding: 0 1; background: $panel; color: $text; }
    """

    def tell(self, session: Session) -> None:
        """How it is now."""
        talk = session.turned_to
        words = Text(no_wrap=True, overflow="ellipsis")
        words.append(session.called(talk), "bold")
        if talk == PUBLIC:
            others = len(session.here - {session.me.user_id})
            here = f"{others} here, F2 shows who" if others else "nobody else is here"
            words.append(f"  {here}; all members of the channel read this", "dim")
            self.update(words)
            return
        words.append("  here" if talk in session.here else "  away", "dim")
        match session.state_of(talk):
            case TrustState.VERIFIED:
                words.append("  ✔ verified", "green")
            case TrustState.CHANGED:
                words.append("  KEY CHANGED", "bold red")
            case TrustState.UNVERIFIED:
                words.append("  F3 compares keys", "dim")
        self.update(words)
