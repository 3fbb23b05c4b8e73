"""The row above the messages: who this is with, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content
from textual.widgets import Static

from socp.member.records import TrustState
from socp.tui.session import Session
from socp.wire.ids import PUBLIC


class TalkHead(Static):
    """One row."""

    DEFAULT_CSS = """
    TalkHead { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    TalkHead { text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def tell(self, session: Session, *, folded: bool) -> None:
        """How it is now. `folded`: the list of people is not shown."""
        name = (session.called(session.turned_to), "bold")
        self.update(Content.assemble(name, "  ", *_about(session, folded=folded)))


def _about(session: Session, *, folded: bool) -> Iterator[tuple[str, str]]:
    talk = session.turned_to
    if talk == PUBLIC:
        others = len(session.here - {session.me.user_id})
        here = f"{others} here" if others else "nobody else is here"
        here += ", F2 shows who" if others and folded else ""
        known = f"{here}; " if session.link.attached else ""
        yield f"{known}members read it", "$muted"
        return
    if session.link.attached:  # else nobody tells us
        yield "here  " if talk in session.here else "away  ", "$muted"
    match session.state_of(talk):
        case TrustState.VERIFIED:
            yield "✔ verified", "$success"
        case TrustState.CHANGED:
            yield " KEY CHANGED ", "bold reverse $error"
        case TrustState.UNVERIFIED:
            yield "F3 compares keys", "$muted"
