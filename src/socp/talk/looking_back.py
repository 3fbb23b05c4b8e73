"""What was said before, row by row: for /history, /search, and at the start of a talk."""

from __future__ import annotations

from typing import Final

from socp.client.client import Client
from socp.member.history_line import Conversation
from socp.talk.entries import Entry
from socp.talk.past import Past
from socp.talk.phrases import Phrases

_TALKS_SHOWN: Final = 5
_LINES_SHOWN: Final = 3
_UNREAD_LOOKED_AT: Final = 100


class LookingBack(Past):
    """What a client remembers."""

    def __init__(self, me: Client, phrases: Phrases) -> None:
        super().__init__(me, phrases)
        self._me = me

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
