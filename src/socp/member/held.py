"""Messages that cannot be judged yet: the author's key, or the channel's, is on its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from socp.member.letters import Letter
from socp.wire import limits

HELD_MAX: Final = 500
HELD_BYTES_MAX: Final = 4 * limits.MIB
HELD_PER_AUTHOR_MAX: Final = 100
CHANNEL_WAIT_MS: Final = 30_000


class Wait(Enum):
    """What a held message waits for."""

    AUTHOR = auto()
    CHANNEL = auto()


@dataclass(frozen=True, slots=True)
class Waiting:
    letter: Letter
    wait: Wait
    since_ms: int  # monotonic


class Held:
    """Bounded in number, bytes, and number for each author: one flood pushes nobody else's out."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def hold(self, letter: Letter, wait: Wait, mono: int) -> bool:
        """False where there is no room. A second copy of what waits already needs none."""
        if any(one.letter == letter for one in self._waiting):
            return True
        theirs = sum(1 for one in self._waiting if one.letter.author == letter.author)
        if len(self._waiting) >= HELD_MAX or theirs >= HELD_PER_AUTHOR_MAX:
            return False
        if self._bytes + len(letter.raw) > HELD_BYTES_MAX:
            return False
        self._waiting.append(Waiting(letter, wait, mono))
        self._bytes += len(letter.raw)
        return True

    def for_author(self, author: str) -> list[Letter]:
        """Take out what waits for this author's key, in order."""
        return self._take(lambda one: one.wait is Wait.AUTHOR and one.letter.author == author)

    def for_channel(self) -> list[Waiting]:
        """Take out what waits for the channel's key, in order."""
        return self._take_waiting(lambda one: one.wait is Wait.CHANNEL)

    def back(self, waiting: Waiting) -> None:
        """It still cannot be opened: on with the wait, from when it began."""
        self._waiting.append(waiting)
        self._bytes += len(waiting.letter.raw)

    def overdue(self, mono: int) -> list[Letter]:
        """Take out what waited for the channel's key too long."""
        return self._take(
            lambda one: one.wait is Wait.CHANNEL and mono - one.since_ms >= CHANNEL_WAIT_MS
        )

    def waits(self, author: str) -> bool:
        """Whether something waits for this author's key."""
        return any(one.wait is Wait.AUTHOR and one.letter.author == author for one in self._waiting)

    def authors(self) -> list[str]:
        """Whose key is waited for."""
        return sorted({o.letter.author for o in self._waiting if o.wait is Wait.AUTHOR})

    def _take(self, wanted: Callable[[Waiting], bool]) -> list[Letter]:
        return [one.letter for one in self._take_waiting(wanted)]

    def _take_waiting(self, wanted: Callable[[Waiting], bool]) -> list[Waiting]:
        taken = [one for one in self._waiting if wanted(one)]
        if taken:
            self._waiting = [one for one in self._waiting if not wanted(one)]
            self._bytes -= sum(len(one.letter.raw) for one in taken)
        return taken
