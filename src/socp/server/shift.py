"""How long one turn of the loop may go on with what came in. Beyond that what is long waits, and so
do ends of links, until the loop has looked what else is there; what is short, as a message is, does
not. So a thousand who all ask for something long keep each other waiting, and nobody else."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final, TypeVar

from socp.wire import limits

TURN_S: Final = 0.02  # of looking at what came in; a message takes 0.1 ms, a long list 1 ms
AT_ONCE: Final = 8  # of those who wait go on in each turn
SHORT_BYTES: Final = 4 * limits.KIB  # a direct message with its keys and signatures has 3

What = TypeVar("What")


class Shift:
    """One for all connections of a loop. As many wait as there are, with one thing each."""

    def __init__(
        self,
        soon: Callable[[Callable[[], None]], object],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`soon` runs a function on the loop in its next turn (call_soon); `clock` in seconds."""
        self._soon = soon
        self._clock = clock
        self._used_s = 0.0  # in this turn
        self._ends = False  # we hear of this turn's end
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def is_over(self) -> bool:
        """Whether what is long has to wait."""
        return self._used_s >= TURN_S

    async def next(self) -> None:
        """Wait for a turn: whoever came first goes on first."""
        goes_on = asyncio.get_running_loop().create_future()
        self._waiting.append(goes_on)
        await goes_on

    def work(self, do: Callable[[What], object], what: What) -> None:
        """Do something with what came in, and count the time."""
        began_s = self._clock()
        try:
            do(what)
        finally:
            self._used_s += self._clock() - began_s
            self._hear_of_the_end()

    def _hear_of_the_end(self) -> None:
        if not self._ends:
            self._ends = True
            self._soon(self._turned)

    def _turned(self) -> None:
        """The loop has another turn."""
        self._ends, self._used_s = False, 0.0
        going = 0
        while self._waiting and going < AT_ONCE:
            goes_on = self._waiting.popleft()
            if not goes_on.done():  # else its connection was given up meanwhile
                goes_on.set_result(None)
                going += 1
        if self._waiting:
            self._hear_of_the_end()
