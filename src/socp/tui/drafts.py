"""What was typed and not said yet, by conversation; in memory alone, for it is nobody's business on
the disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DRAFTS_MAX: Final = 500
HISTORY_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Draft:
    """`about`: the msg_ref of what it answers or changes, "" for neither."""

    text: str = ""
    about: str = ""
    edits: bool = False  # it changes what one said; else it answers
    quote: str = ""  # the beginning of what it is about


class Drafts:
    """Bounded: the oldest gives way."""

    def __init__(self) -> None:
        self._drafts: dict[str, Draft] = {}
        self._said: list[str] = []

    def keep(self, talk: str, draft: Draft) -> None:
        """Come back to it later; an empty one is none."""
        self._drafts.pop(talk, None)
        if draft.text or draft.about:
            if len(self._drafts) >= DRAFTS_MAX:
                del self._drafts[next(iter(self._drafts))]
            self._drafts[talk] = draft

    def of(self, talk: str) -> Draft:
        """What was typed there."""
        return self._drafts.get(talk, Draft())

    def has(self, talk: str) -> bool:
        """Whether something is waiting there to be finished."""
        return bool(self.of(talk).text)

    def said(self, text: str) -> None:
        """It can be had again."""
        if not self._said or self._said[-1] != text:
            self._said = [*self._said[-HISTORY_MAX + 1 :], text]

    def before(self, back: int) -> str:
        """What was said so many lines ago, 1 for the last; "" where there is none."""
        return self._said[-back] if 0 < back <= len(self._said) else ""
