"""Jump to a conversation by typing part of a name."""

from __future__ import annotations

from typing import Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.widgets import Input

from socp.tui.conversations import presence, trust_sign
from socp.tui.dialog import Dialog
from socp.tui.field import Field
from socp.tui.row_view import RowView
from socp.tui.rows import Block, Piece, cut
from socp.tui.session import Session
from socp.tui.talks import TALKS_MAX
from socp.wire.ids import PUBLIC

SHOWN_MAX: Final = 100


class JumpScreen(Dialog[str]):
    """Its result: a user id, or "public"."""

    DEFAULT_CSS = """
    JumpScreen { & > .dialog { max-width: 60; } & RowView { height: auto; max-height: 14; } }
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def compose(self) -> ComposeResult:
        """A line to type in, and who is meant."""
        with Vertical(classes="dialog"):
            yield Field(placeholder="part of a name")
            yield RowView()

    def on_mount(self) -> None:
        """Begin with the latest."""
        self.query_one(".dialog").border_title = Text("jump to")
        self.query_one(Input).focus()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._show(self.query_one(Input).value)  # something may have been typed already

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._show(event.value)

    def on_key(self, event: Key) -> None:
        """The list moves while one types."""
        if event.key in ("down", "up"):
            event.stop()
            view = self.query_one(RowView)
            (view.action_down if event.key == "down" else view.action_up)()

    @on(Input.Submitted)
    def _entered(self) -> None:
        self.query_one(RowView).action_choose()

    @on(RowView.Chosen)
    def _chosen(self, event: RowView.Chosen) -> None:
        self.give(event.key)

    def _show(self, typed: str) -> None:
        view, session = self.query_one(RowView), self._session
        blocks = []
        for talk in matching(session, typed)[:SHOWN_MAX]:
            name = Piece("name", f" {session.called(talk)}")
            row = cut((presence(session, talk), name, *trust_sign(session, talk)), view.room)
            blocks.append(Block(talk, (row,)))
        view.put(tuple(blocks) or (Block("", ((Piece("mark", "nobody is called that"),),)),))
        view.mark(blocks[0].key if blocks else "")


def matching(session: Session, typed: str) -> list[str]:
    """User ids, and "public": whose name begins so, then those who have its words in theirs; the
    latest first, then who is here by their names, and where one is already last: nobody jumps
    there."""
    wanted = typed.strip().casefold()
    latest = session.talks.order(SHOWN_MAX if not wanted else TALKS_MAX)
    here = session.here - {session.me.user_id}
    names = {talk: session.called(talk).casefold() for talk in {*latest, *here}}
    order = dict.fromkeys([*latest, *sorted(here, key=names.__getitem__)])
    if session.turned_to in order:
        del order[session.turned_to]
        order[session.turned_to] = None
    names[PUBLIC] = "everyone all public"
    begin = dict.fromkeys(talk for talk in order if names[talk].startswith(wanted))
    words = wanted.split()
    inside = [talk for talk in order if all(word in names[talk] for word in words)]
    found = list(dict.fromkeys([*begin, *inside]))
    if not found and wanted:  # somebody one knows, and never talked to, who is away
        found = session.me.contacts.resolve(typed)
    return found
