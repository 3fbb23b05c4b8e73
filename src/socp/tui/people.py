"""The list at the right: who is here, who is away, and how sure one is of each."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final

from socp.tui.conversations import presence, trust_sign
from socp.tui.row_view import RowView
from socp.tui.rows import Block, Piece, Row, cut
from socp.tui.session import Session
from socp.wire.ids import PUBLIC

HERE_MAX: Final = 300
AWAY_MAX: Final = 200


class PeopleList(RowView):
    """Chosen: a user id. Those who are here, then those away with whom one talks."""

    def __init__(self, session: Session, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._session = session

    def remade(self) -> None:
        """Look again at who there is."""
        self.put(tuple(self._made()))

    def _made(self) -> Iterator[Block]:
        session, width = self._session, self.room
        others = session.here - {session.me.user_id}
        here = heapq.nsmallest(HERE_MAX, others, key=self._order)
        known = session.link.attached  # else nobody tells us who is here
        head = f" here: {len(session.here)}" if known else " people"
        yield Block("", (cut((Piece("head", head.ljust(width)),), width),))
        for user_id in here:
            yield Block(user_id, (self._row(user_id, width),))
        if more := len(others) - len(here):
            hint = Piece("mark", f" … {more:,} more, by jump")
            yield Block("", (cut((hint,), width),))
        away = [
            talk
            for talk in session.talks.order(AWAY_MAX)
            if talk != PUBLIC and talk not in session.here
        ]
        if away and known:
            yield Block("", ((), cut((Piece("mark", " away"),), width)))
        for user_id in sorted(away, key=self._order):
            yield Block(user_id, (self._row(user_id, width),))

    def _row(self, user_id: str, width: int) -> Row:
        session = self._session
        name = Piece("plain", f" {session.phrases.name(user_id)}")
        sign = presence(session, user_id)
        row = (Piece("plain", " "), sign, name, *trust_sign(session, user_id))
        return cut(row, width)

    def _order(self, user_id: str) -> tuple[str, str]:
        return self._session.me.contacts.label(user_id).casefold(), user_id
