"""Rows of the history, in people's words (threat I8)."""

from __future__ import annotations

from typing import Final, Protocol

from socp.member.history import FILE, NOTE, REFUSED
from socp.member.history_line import Conversation, HistoryLine
from socp.member.records import LineState
from socp.talk.amendments import Spoken
from socp.talk.entries import Entry, Fragment
from socp.talk.phrases import Phrases
from socp.talk.words import (
    STATE_WORDS,
    clock,
    flat,
    marks,
    quoted,
    shown_name,
    trust_mark,
    whose,
)
from socp.wire.ids import PUBLIC
from socp.wire.text import printable

_REACTIONS_SHOWN: Final = 5
_REASON_COLUMNS: Final = 100
_DOUBTFUL: Final = (LineState.REFUSED, LineState.WAITING)


class Lines(Protocol):
    """What knows what was said: a client, or a saved history."""

    user_id: str  # our own

    async def line_of(self, msg_ref: str) -> HistoryLine | None:
        """The line that went, or came, under a msg_ref."""


class Past:
    """Each row begins with its number, which /reply and /edit take."""

    def __init__(self, lines: Lines, phrases: Phrases) -> None:
        self._lines = lines
        self._phrases = phrases

    async def about(self, msg_ref: str) -> Spoken | None:
        """What an answer or a change is about, where it is known here."""
        line = await self._lines.line_of(msg_ref) if msg_ref else None
        if line is None:
            return None
        text = "(taken back)" if line.deleted else line.text
        return Spoken(self._phrases.name(line.author), text, line.ts, line.number)

    async def row(self, line: HistoryLine, now: int, *, named: bool = False) -> Entry:
        """One line as it stands at `now` (Unix ms); `named`: with whom it was said."""
        number = ("class:mark", f"#{line.number} ")
        if line.kind in (NOTE, REFUSED):
            who = self._phrases.name(line.author)
            text = f"something from {who} is not shown: {line.text}"
            said = line.text if line.kind == NOTE else text
            return Entry((number, clock(line.ts, now), ("class:warn", "! ")), flat(said))
        about = await self.about(line.reply_to)
        answers = f" answering {whose(about.author)} {quoted(about.text)}" if about else ""
        mine = line.author == self._lines.user_id
        to = f" to {self._phrases.name(line.talk)}" if named and mine else ""
        name = ("class:name", f"{self._phrases.name(line.author)}{to}{answers}: ")
        public = line.talk == PUBLIC
        head = (number, *marks(line.ts, now, public, *self._marks(line)), name)
        if line.deleted:
            return Entry((*head, ("class:mark", "(taken back)")))
        if line.kind == FILE:
            return Entry((*head, ("", f"sends {shown_name(flat(line.text))}")))
        return Entry(head, line.text)

    def conversation(self, one: Conversation, now: int) -> Entry:
        """One row of a list of conversations."""
        unread: list[Fragment] = [("class:warn", f" [{one.unread} unread]")] if one.unread else []
        name = ("class:name", self._phrases.name(one.talk))
        last = "(taken back)" if one.last.deleted else quoted(one.last.text)
        said = f"{self._phrases.name(one.last.author)}: {last}"
        return Entry((clock(one.last.at_ms, now), name, *unread, ("", "  ")), said)

    def _marks(self, line: HistoryLine) -> list[Fragment]:
        """How sure it is who wrote it, or how far it came, and what was done to it since."""
        found: list[Fragment] = []
        if line.trust:
            found.append(trust_mark(line.trust))
        if line.state:
            state = LineState(line.state)
            why = printable(" ".join(line.reason.split()), width=_REASON_COLUMNS)
            word = STATE_WORDS[state] + (f": {why}" if why else "")
            found.append(("class:warn" if state in _DOUBTFUL else "class:mark", word))
        if line.edited_ms:
            found.append(("class:mark", "changed"))
        for user_id, emoji in line.reactions[:_REACTIONS_SHOWN]:
            reacted = f"{self._phrases.name(user_id)} {printable(emoji, width=8)}"
            found.append(("class:mark", reacted))
        more = len(line.reactions) - _REACTIONS_SHOWN
        return [*found, ("class:mark", f"{more} more")] if more > 0 else found
