"""The outboxes with something to write: all that goes to a link within one turn of the loop leaves
it in one write, for a write costs more than all else that is done for a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Writer(Protocol):
    """An outbox."""

    def write(self) -> None:
        """Give the transport what was handed over."""


class Turn:
    """Ends after whatever is being done on the loop, and after what was waiting to be done."""

    __slots__ = ("_dirty", "_soon")

    def __init__(self, soon: Callable[[Callable[[], None]], object]) -> None:
        """`soon` runs a function on the loop, after what is being done (call_soon)."""
        self._soon = soon
        self._dirty: list[Writer] = []

    def waits(self, writer: Writer) -> None:
        """It has something to write when the turn is over."""
        if not self._dirty:
            self._soon(self._end)
        self._dirty.append(writer)

    def _end(self) -> None:
        dirty, self._dirty = self._dirty, []
        for writer in dirty:
            writer.write()
