"""What is said to the person beside the conversation: answers to commands, warnings. It is in no
history, and gone when the program ends."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import count
from typing import Final

from socp.talk.entries import Entry

ASIDES_MAX: Final = 200
TALKS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Aside:
    """`after`: the number of the line it stands behind, unless its file has one."""

    id: int
    after: int
    entry: Entry
    file_id: str = ""


class Asides:
    """By conversation, bounded."""

    def __init__(self) -> None:
        self._asides: dict[str, deque[Aside]] = {}
        self._ids = count(1)

    def say(self, talk: str, after: int, entry: Entry, file_id: str = "") -> None:
        """Show it in that conversation, behind the line of that number. What is said of a file
        takes the place of what was said of it before."""
        if talk not in self._asides and len(self._asides) >= TALKS_MAX:
            del self._asides[next(iter(self._asides))]
        kept = self._asides.setdefault(talk, deque(maxlen=ASIDES_MAX))
        if file_id and (before := next((one for one in kept if one.file_id == file_id), None)):
            kept.remove(before)
        kept.append(Aside(next(self._ids), after, entry, file_id))

    def of(self, talk: str) -> tuple[Aside, ...]:
        """In the order in which they were said."""
        return tuple(self._asides.get(talk, ()))

    def clear(self, talk: str) -> None:
        """They were read."""
        self._asides.pop(talk, None)
