"""Jump to a conversation by typing part of a name."""

from __future__ import annotations

from typing import Final

from socp.tui.conversations import presence, trust_sign
from socp.tui.pick_screen import PickScreen
from socp.tui.row_view import RowView
from socp.tui.rows import Block, Piece, cut
from socp.tui.session import Session
from socp.tui.talks import TALKS_MAX
from socp.wire.ids import PUBLIC

SHOWN_MAX: Final = 100


class JumpScreen(PickScreen[str]):
    """Its result: a user id, or "public"."""

    DOES = "jump to"
    ASKS = "part of a name"

    DEFAULT_CSS = """
    JumpScreen { & > .dialog { max-width: 60; } & RowView { height: auto; max-height: 14; } }
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def meant(self, key: str) -> str:
        """The talk of this row."""
        return key

    def show(self, typed: str) -> None:
        """The latest, or those who are called so."""
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
