"""Threads for the arithmetic of keys, which lets go of the GIL: few, and giving way to the loop."""

from __future__ import annotations

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

_NICE: Final = 10  # the p99 of the event loop beside them is halved under load


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # not told apart on this system


def key_threads(count: int, name: str) -> ThreadPoolExecutor:
    """A pool of so many."""
    return ThreadPoolExecutor(count, name, _give_way)


def _give_way() -> None:
    if not hasattr(os, "setpriority") or os.uname().sysname != "Linux":
        return  # elsewhere it would be the whole process
    thread = threading.get_native_id()
    with contextlib.suppress(OSError):  # a sandbox may forbid it: then they take turns as equals
        if os.getpriority(os.PRIO_PROCESS, thread) < _NICE:
            os.setpriority(os.PRIO_PROCESS, thread, _NICE)
