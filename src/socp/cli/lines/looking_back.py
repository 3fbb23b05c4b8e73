"""What was said before, row by row: for /history, /search, and at the start of a talk."""

from __future__ import annotations

from typing import Final

from socp.cli.lines.amendments import Spoken
from socp.cli.lines.entries import Entry, Fragment
from socp.cli.lines.phrases import Phrases
from socp.cli.lines.words import TRUST_STYLES, clock, flat, quoted, shown_name, whose
from socp.client.client import Client
from socp.member.effects import Trust
from socp.member.history_line import Conversation, HistoryLine
from socp.member.records import LineState
from socp.wire.ids import PUBLIC
from socp.wire.text import printable

_TALKS_SHOWN: Final = 5
_LINES_SHOWN: Final = 3
_UNREAD_LOOKED_AT: Final = 100
_REACTIONS_SHOWN: Final = 5
_STATES: Final = {LineState.DONE: "at their server", LineState.SENT: "on its way"}


class LookingBack:
    """Rows of the history, each with its number, which /reply and /edit take."""

    def __init__(self, me: Client, phrases: Phrases) -> None:
        self._me = me
        self._phrases = phrases

    async def about(self, msg_ref: str) -> Spoken | None:
        """What an answer or a change is about, where it is known here."""
        if not msg_ref:
            return None
        line = await self._me.line_of(msg_ref)
        return None if line is None else self._spoken(line)

    async def history(self, who: str, count: int, now: int) -> list[Entry]:
        """The last lines with a user id or "public". `now`: Unix ms."""
        lines = await self._me.history(who, limit=count)
        if not lines:
            return [
                Entry((("class:mark", f"nothing was said with {self._phrases.name(who)} yet"),))
            ]
        return [await self.row(line, now) for line in lines]

    async def search(self, words: str, now: int) -> list[Entry]:
        """The lines that have these words, the newest last."""
        found = await self._me.search(words)
        if not found:
            return [Entry((("class:mark", "nothing has all these words: "),), words)]
        return [await self.row(line, now, named=True) for line in reversed(found)]

    async def begun(self, now: int) -> list[Entry]:
        """The last lines of the latest talks, those with unread ones first; the unread themselves
        are told anyway."""
        talks = await self._me.conversations(limit=_TALKS_SHOWN)
        shown: list[Entry] = []
        for talk in sorted(talks, key=lambda talk: talk.unread == 0):
            shown += await self._talk(talk, now)
        return shown

    async def _talk(self, talk: Conversation, now: int) -> list[Entry]:
        unread = min(talk.unread, _UNREAD_LOOKED_AT)
        lines = await self._me.history(talk.talk, limit=_LINES_SHOWN + unread)
        theirs = [line.number for line in lines if line.author != self._me.user_id]
        new = set(theirs[len(theirs) - unread :])
        known = [line for line in lines if line.number not in new][-_LINES_SHOWN:]
        news = f", {talk.unread} new" if talk.unread else ""
        head = Entry((("class:mark", f"with {self._phrases.name(talk.talk)}{news}"),))
        return [head, *[await self.row(line, now) for line in known]]

    async def row(self, line: HistoryLine, now: int, *, named: bool = False) -> Entry:
        """One line as it stands; `named`: with whom it was said."""
        number = ("class:mark", f"#{line.number} ")
        if line.kind in ("note", "refused"):
            who = self._phrases.name(line.talk)
            text = f"something from {who} is not shown: {line.text}"
            said = line.text if line.kind == "note" else text
            return Entry((number, clock(line.ts, now), ("class:warn", "! ")), flat(said))
        about = await self.about(line.reply_to)
        answers = f" to {whose(about.author)} {quoted(about.text)}" if about else ""
        to = f" to {self._phrases.name(line.talk)}" if named and self._is_mine(line) else ""
        name = ("class:name", f"{self._phrases.name(line.author)}{to}{answers}: ")
        head = (number, clock(line.ts, now), *self._marks(line))
        if line.kind == "file":
            return Entry((*head, name), f"sends {shown_name(flat(line.text))}")
        if line.deleted:
            return Entry((*head, name, ("class:mark", "(taken back)")))
        return Entry((*head, name), line.text)

    def _marks(self, line: HistoryLine) -> list[Fragment]:
        public = line.talk == PUBLIC
        marked = [("class:public", "public") if public else ("class:private", "private")]
        if line.trust in {str(trust) for trust in Trust}:
            marked.append((TRUST_STYLES[Trust(line.trust)], line.trust))
        if line.state:
            state = LineState(line.state)
            style = (
                "class:warn" if state in (LineState.REFUSED, LineState.WAITING) else "class:mark"
            )
            marked.append((style, _STATES.get(state, line.state)))
        if line.edited_ms:
            marked.append(("class:mark", "changed"))
        for user_id, emoji in line.reactions[:_REACTIONS_SHOWN]:
            marked.append(
                ("class:mark", f"{self._phrases.name(user_id)} {printable(emoji, width=8)}")
            )
        parts: list[Fragment] = [("class:mark", "[")]
        for at, mark in enumerate(marked):
            parts += [("class:mark", ", "), mark] if at else [mark]
        return [*parts, ("class:mark", "] ")]

    def _spoken(self, line: HistoryLine) -> Spoken:
        text = "(taken back)" if line.deleted else line.text
        return Spoken(self._phrases.name(line.author), text, line.ts)

    def _is_mine(self, line: HistoryLine) -> bool:
        return line.author == self._me.user_id
