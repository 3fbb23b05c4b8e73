"""What was typed and not said yet, by conversation, and what was said before. The profile keeps it:
what changed is asked for now and then (`unkept`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from socp.member.draft import Draft, is_empty

DRAFTS_MAX: Final = 500
HISTORY_MAX: Final = 200
_NONE: Final = Draft()


class Drafts:
    """Bounded: the oldest gives way."""

    def __init__(self) -> None:
        self._drafts: dict[str, Draft] = {}
        self._unkept: set[str] = set()
        self._said: list[str] = []

    def load(self, kept: Mapping[str, Draft]) -> None:
        """Go on with what was kept, the oldest first."""
        for talk, draft in kept.items():
            self.keep(talk, draft)
        self._unkept -= self._drafts.keys()  # what gave way has to go from the disk too

    def keep(self, talk: str, draft: Draft) -> None:
        """Come back to it later; an empty one is none."""
        if draft == self.of(talk):
            return
        self._drafts.pop(talk, None)
        self._unkept.add(talk)
        if is_empty(draft):
            return
        if len(self._drafts) >= DRAFTS_MAX:
            oldest = next(iter(self._drafts))
            del self._drafts[oldest]
            self._unkept.add(oldest)
        self._drafts[talk] = draft

    def of(self, talk: str) -> Draft:
        """What was typed there."""
        return self._drafts.get(talk, _NONE)

    def talks(self) -> list[str]:
        """Where something is waiting to be finished."""
        return list(self._drafts)

    def unkept(self) -> dict[str, Draft]:
        """What changed since this was asked for; empty ones are to be forgotten."""
        changed = {talk: self.of(talk) for talk in self._unkept}
        self._unkept.clear()
        return changed

    def said(self, text: str) -> None:
        """It can be had again."""
        if not self._said or self._said[-1] != text:
            self._said = [*self._said[-HISTORY_MAX + 1 :], text]

    def said_earlier(self, texts: Iterable[str]) -> None:
        """In runs before this one, the oldest first."""
        said, self._said = self._said, []
        for text in [*texts, *said]:
            self.said(text)

    def before(self, back: int) -> str:
        """What was said so many lines ago, 1 for the last; "" where there is none."""
        return self._said[-back] if 0 < back <= len(self._said) else ""
