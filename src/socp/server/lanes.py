"""What the sign threads have to do, in two lanes: messages and answers come first, and every fourth
turn is for news of who is where. So nobody's message stands behind what others hear of thousands,
and no news stands still."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final

NEWS_TURN: Final = 4  # the last of so many is theirs first; so are all that nobody else wants

Job = Callable[[], None]


class Lanes:
    """Two queues before the same threads."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._messages: deque[Job] = deque()
        self._news: deque[Job] = deque()
        self._turns = 0

    def add(self, job: Job, *, is_news: bool) -> None:
        """Do it in a thread."""
        (self._news if is_news else self._messages).append(job)
        self._threads.submit(self._do)

    def _do(self) -> None:
        """In a thread, once for each job: whichever of them is next."""
        self._turns += 1
        if self._turns % NEWS_TURN:
            _next(self._messages, self._news)()
        else:
            _next(self._news, self._messages)()


def _next(first: deque[Job], second: deque[Job]) -> Job:
    """There is one in either, for each thread that asks was sent for one."""
    try:
        return first.popleft()
    except IndexError:  # not looked at before: another thread may be faster
        return second.popleft()
