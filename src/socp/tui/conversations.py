"""The list at the left: with whom one talks, what was said last, what is unread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from socp.client.clock import now_ms
from socp.member.records import TrustState
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
        self._made: dict[str, tuple[object, Block]] = {}  # of what, and what, at the last look

    def remade(self) -> None:
        """Look again at what there is; what is as it was is not made anew."""
        now = now_ms()
        order = self._session.talks.order(SHOWN_MAX)
        self._made = {talk: self._block(self._made.get(talk), talk, now) for talk in order}
        self.put(tuple(block for _, block in self._made.values()))
        if self.at != self._session.turned_to and not self.has_focus:
            self.mark(self._session.turned_to)

    def _block(
        self, before: tuple[object, Block] | None, talk: str, now: int
    ) -> tuple[object, Block]:
        session = self._session
        last, open_ = session.talks.last(talk), talk == session.turned_to
        who = "you: " if last.author == session.me.user_id else ""
        if talk == PUBLIC and last.author and not who:
            who = f"{session.phrases.name(last.author)}: "
        look = _Look(
            width=self.room,
            open_=open_,
            name=session.phrases.name(talk),
            signs=(presence(session, talk), trust_sign(session, talk)),
            day=day_of(last.at_ms, now) if last.at_ms else "",
            who=who,
            text=last.text[:_TEXT_CHARS],
            draft="" if open_ else session.drafts.of(talk).text[:_TEXT_CHARS],
            unread=session.unseen.count(talk),
        )
        if before is not None and before[0] == look:
            return before
        return look, Block(talk, tuple(_rows(look)))


@dataclass(frozen=True, slots=True)
class _Look:
    """All that the two rows of a conversation are made of."""

    width: int
    open_: bool
    name: str
    signs: tuple[Piece, Row]
    day: str
    who: str  # said the last words
    text: str
    draft: str
    unread: int


def _rows(look: _Look) -> Iterator[Row]:
    sign, trust = look.signs
    name = Piece("name" if look.unread or look.open_ else "plain", look.name)
    bar = Piece("new" if look.open_ else "plain", "▌" if look.open_ else " ")
    yield spread(
        (bar, sign, Piece("plain", " "), name, *trust), (Piece("time", look.day),), look.width
    )
    words: Row = (Piece("mark", f"{look.who}{_in_a_row(look.text)}"),)
    if look.draft:
        words = (Piece("warn", "draft: "), Piece("mark", _in_a_row(look.draft)))
    count = str(look.unread) if look.unread <= _UNREAD_MAX else f"{_UNREAD_MAX}+"
    badge = (Piece("badge", f" {count} "),) if look.unread else ()
    yield spread((bar, Piece("plain", "  "), *cut(words, look.width)), badge, look.width)


def _in_a_row(text: str) -> str:
    return " ".join(printable(text, multiline=True).split())


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
