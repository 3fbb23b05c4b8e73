"""Being told to stop before there is an event loop: an import that is broken off shows a traceback,
so that the word waits until the server can end as at any other time."""

from __future__ import annotations

import os
import signal
from collections.abc import Set
from types import FrameType


def listen() -> Set[int]:
    """The signals that came, from now on until the event loop takes them; the second of them ends
    the program at once, as it does later."""
    came: set[int] = set()

    def take(number: int, _frame: FrameType | None) -> None:
        if came:
            os._exit(128 + number)
        came.add(number)

    signal.signal(signal.SIGINT, take)
    signal.signal(signal.SIGTERM, take)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # else started with nohup
        signal.signal(signal.SIGHUP, take)
    return came
