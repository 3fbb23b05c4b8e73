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
        self._messages: dict[str, int] = {}  # how many of them are messages: asked at every frame

    def came(self, notice: Came) -> None:
        """This is not seen yet."""
        talk = talk_of(notice)
        came = self._came.setdefault(talk, deque())
        came.append(notice)
        self._counted(talk, notice, 1)
        if len(came) > UNSEEN_MAX:
            self._counted(talk, came.popleft(), -1)

    def count(self, talk: str) -> int:
        """How many messages; what was refused is no message."""
        return self._messages.get(talk, 0)

    def first(self, talk: str) -> int:
        """The number in the history of the first of them, 0 for none."""
        came = self._came.get(talk, ())
        return next((n.said for n in came if isinstance(n, MessageArrived) and n.said), 0)

    def talks(self) -> list[str]:
        """Where something is unread, the longest waiting first."""
        return [talk for talk in self._came if self.count(talk)]

    def take(self, talk: str) -> list[Came]:
        """All of a conversation: the person sees them now."""
        self._messages.pop(talk, None)
        return list(self._came.pop(talk, ()))

    def _counted(self, talk: str, notice: Came, by: int) -> None:
        if isinstance(notice, MessageArrived):
            self._messages[talk] = self._messages.get(talk, 0) + by
