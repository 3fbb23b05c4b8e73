"""What came and was not looked at yet, by conversation: the unread counts, and what is to be called
seen once the person looks."""

from __future__ import annotations

from collections import deque
from typing import Final

from socp.member.effects import MessageArrived, MessageRefused
from socp.wire.ids import PUBLIC

UNSEEN_MAX: Final = 10_000
"""In one conversation; older ones are told again at the next start."""

Came = MessageArrived | MessageRefused


def talk_of(notice: Came) -> str:
    """The conversation it belongs to."""
    return PUBLIC if isinstance(notice, MessageArrived) and notice.public else notice.author


class Unseen:
    """Bounded by who can be in touch, and `UNSEEN_MAX` each."""

    def __init__(self) -> None:
        self._came: dict[str, deque[Came]] = {}

    def came(self, notice: Came) -> None:
        """This is not seen yet."""
        self._came.setdefault(talk_of(notice), deque(maxlen=UNSEEN_MAX)).append(notice)

    def count(self, talk: str) -> int:
        """How many messages; what was refused is no message."""
        return sum(isinstance(each, MessageArrived) for each in self._came.get(talk, ()))

    def first(self, talk: str) -> int:
        """The number in the history of the first of them, 0 for none."""
        return next((each.said for each in self._messages(talk) if each.said), 0)

    def talks(self) -> list[str]:
        """Where something is unread, the longest waiting first."""
        return [talk for talk in self._came if self.count(talk)]

    def take(self, talk: str) -> list[Came]:
        """All of a conversation: the person sees them now."""
        return list(self._came.pop(talk, ()))

    def _messages(self, talk: str) -> list[MessageArrived]:
        return [each for each in self._came.get(talk, ()) if isinstance(each, MessageArrived)]
