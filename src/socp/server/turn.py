"""The outboxes with something to write: all that goes to a link within one turn of the loop leaves
it in one write, for a write costs more than all else that is done for a frame.

Where many are written to in a turn, a post in a large crowd, they rest for a moment afterwards:
what comes for many meanwhile goes together. So how often a crowd is written to, and wakes up, does
not grow with what is said in it. What comes for a few of them goes at once, with all that these
were owed before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

MANY: Final = 250  # outboxes in one turn
REST_S: Final = 0.025  # of many, which nobody sees; the first of them waited for nothing


class Writer(Protocol):
    """An outbox."""

    def write(self) -> None:
        """Give the transport what was handed over."""


class Turn:
    """Ends after whatever is being done on the loop, and after what was waiting to be done."""

    __slots__ = ("_dirty", "_late", "_later", "_soon", "rests")

    def __init__(
        self,
        soon: Callable[[Callable[[], None]], object],
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        """`soon` runs a function on the loop, after what is being done (call_soon), `later` after
        so many s (call_later)."""
        self._soon = soon
        self._later = later
        self._dirty: dict[Writer, None] = {}  # in their order, each once
        self._late: dict[Writer, None] = {}  # many, who rest
        self.rests = False  # a crowd; what one of it is owed since is said here again

    def waits(self, writer: Writer) -> None:
        """It has something to write when the turn is over."""
        if not self._dirty:
            self._soon(self._end)
        self._dirty[writer] = None

    def _end(self) -> None:
        dirty, self._dirty = self._dirty, {}
        if len(dirty) < MANY:
            _write(dirty)
        elif self.rests:
            self._late |= dirty
        else:
            self._to_many(dirty)

    def _to_many(self, writers: dict[Writer, None]) -> None:
        self.rests = True
        self._later(REST_S, self._rested)
        _write(writers)

    def _rested(self) -> None:
        late, self._late, self.rests = self._late, {}, False
        if late:
            self._to_many(late)


def _write(writers: dict[Writer, None]) -> None:
    for writer in writers:
        writer.write()
