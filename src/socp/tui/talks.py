"""With whom one talks, the latest first, with the last words of each."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Final

from socp.member.history import NOTE, REFUSED
from socp.member.history_line import Conversation, HistoryLine
from socp.wire.ids import PUBLIC

TALKS_MAX: Final = 2_000
"""Loaded at the start, and kept in the list; others are found by their names."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last words of a conversation; `author` "" where nobody said them."""

    author: str = ""
    text: str = ""
    at_ms: int = 0  # Unix ms, when it came here or was said here


class Talks:
    """What the list of conversations shows. Everyone's is always there.

    Their order is that of the numbers of their lines, not of the clock, which may be set back."""

    def __init__(self) -> None:
        self._last: dict[str, Last] = {PUBLIC: Last()}
        self._place = {PUBLIC: 0}  # where each stands: the highest is the latest
        self._highest = 0
        self._loaded = 0  # the highest number in the history before this run

    def load(self, known: list[Conversation]) -> None:
        """What there was before this run."""
        for one in known:
            self.said(one.last)
            self._loaded = max(self._loaded, one.last.number)

    @property
    def highest(self) -> int:
        """The highest number that a line is known to have."""
        return self._highest

    def is_loaded(self, number: int) -> bool:
        """Whether the line of that number in the history was there before this run: what was not
        seen yet is told again, and is no news."""
        return 0 < number <= self._loaded

    def said(self, line: HistoryLine) -> None:
        """The last line of its conversation, as it stands."""
        text = "(taken back)" if line.deleted else line.text
        author = "" if line.kind in (NOTE, REFUSED) else line.author
        self._keep(line.talk, Last(author, text, line.at_ms), line.number)

    def put(self, talk: str, last: Last) -> None:
        """These are the last words now, of all."""
        self._keep(talk, last, self._highest + 1)

    def begin(self, talk: str) -> None:
        """One turned to somebody: they are in the list, whether anything was said or not."""
        if talk not in self._last:
            self._keep(talk, Last(), 0)

    def last(self, talk: str) -> Last:
        """Its last words."""
        return self._last.get(talk, Last())

    def order(self, most: int) -> list[str]:
        """User ids and "public", the latest first; those where nothing was said come last."""
        return heapq.nlargest(most, self._last, key=self._place.__getitem__)

    def _keep(self, talk: str, last: Last, place: int) -> None:
        if talk not in self._last and len(self._last) >= TALKS_MAX:
            oldest = min(self._last.keys() - {PUBLIC}, key=self._place.__getitem__)
            del self._last[oldest], self._place[oldest]
        self._last[talk] = last
        self._place[talk] = max(place, self._place.get(talk, 0))
        self._highest = max(self._highest, place)

    def __contains__(self, talk: str) -> bool:
        return talk in self._last
