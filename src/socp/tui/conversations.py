"""The list at the left: with whom one talks, what was said last, what is unread."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from socp.member.records import TrustState
from socp.talk.obeying import now_ms
from socp.talk.words import time_of
from socp.tui.row_view import RowView
from socp.tui.rows import Block, Piece, Row, cut, spread
from socp.tui.session import Session
from socp.wire.ids import PUBLIC
from socp.wire.text import printable

SHOWN_MAX: Final = 500
_TEXT_CHARS: Final = 200
_UNREAD_MAX: Final = 999
_WEEK: Final = 7  # days


class ConversationList(RowView):
    """Chosen: a user id, or "public". A bar is beside the one that is open."""

    DEFAULT_CSS = """
    ConversationList:ansi > .row--at { text-style: none; }
    ConversationList:ansi:focus > .row--at { text-style: reverse; }
    """

    def __init__(self, session: Session, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._session = session

    def remade(self) -> None:
        """Look again at what there is."""
        now = now_ms()
        order = self._session.talks.order(SHOWN_MAX)
        self.put(tuple(Block(talk, tuple(self._talk_rows(talk, now))) for talk in order))
        if self.at != self._session.turned_to and not self.has_focus:
            self.mark(self._session.turned_to)

    def _talk_rows(self, talk: str, now: int) -> Iterator[Row]:
        session, width = self._session, self.room
        last, unread = session.talks.last(talk), session.unseen.count(talk)
        open_ = talk == session.turned_to
        sign = presence(session, talk)
        name = Piece("name" if unread or open_ else "plain", session.phrases.name(talk))
        day = day_of(last.at_ms, now) if last.at_ms else ""
        bar = Piece("new" if open_ else "plain", "▌" if open_ else " ")
        head = (bar, sign, Piece("plain", " "), name, *trust_sign(session, talk))
        yield spread(head, (Piece("time", day),), width)
        said = " ".join(printable(last.text[:_TEXT_CHARS], multiline=True).split())
        if not open_ and (draft := session.drafts.of(talk).text[:_TEXT_CHARS]):
            kept = " ".join(printable(draft, multiline=True).split())
            words: Row = (Piece("warn", "draft: "), Piece("mark", kept))
        else:
            who = "you: " if last.author == session.me.user_id else ""
            if talk == PUBLIC and last.author and not who:
                who = f"{session.phrases.name(last.author)}: "
            words = (Piece("mark", f"{who}{said}"),)
        count = str(unread) if unread <= _UNREAD_MAX else f"{_UNREAD_MAX}+"
        badge = (Piece("badge", f" {count} "),) if unread else ()
        yield spread((bar, Piece("plain", "  "), *cut(words, width)), badge, width)


def day_of(at_ms: int, now: int) -> str:
    """The time of today, the day of this week, the date of what was before. Both Unix ms."""
    when = time_of(at_ms, now)
    if len(when) <= len("no time"):
        return when
    then, today = (datetime.fromtimestamp(ms / 1000) for ms in (at_ms, now))  # noqa: DTZ006
    if 0 < (today.date() - then.date()).days < _WEEK:
        return f"{then:%a}"
    return f"{then.day} {then:%b}" if then.year == today.year else when[: len("2026-03-11")]


def presence(session: Session, talk: str) -> Piece:
    """Whether somebody is here."""
    if talk == PUBLIC:
        return Piece("mark", "#")
    return Piece("here", "●") if talk in session.here else Piece("away", "○")


def trust_sign(session: Session, talk: str) -> Row:
    """Quiet where nobody compared, loud where the key changed."""
    match session.state_of(talk):
        case TrustState.VERIFIED:
            return (Piece("good", " ✔"),)
        case TrustState.CHANGED:
            return (Piece("plain", " "), Piece("loud", " CHANGED "))
        case TrustState.UNVERIFIED:
            return ()
