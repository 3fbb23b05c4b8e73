"""How much memory this process really holds, and giving back what it does not need."""

from __future__ import annotations

import contextlib
import ctypes
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from socp.node.events import Event, Measured
from socp.wire import limits

_STATM: Final = Path("/proc/self/statm")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
LOOK_BYTES: Final = 4 * limits.MIB  # that passed: by then it may be another size
TRIM_S: Final = 0.25  # a trim takes some ms; nothing of a link waits for a collection
# Of glibc's malloc.h. It learns to keep buffers as large as those it saw, and never gives one back
# that is not the last in its heap; these sizes end that. But one that a frame fits into is kept for
# the next frame: to have the system give each page anew costs ten times as much as to fill it.
_TRIM_THRESHOLD: Final = (-1, 4 * limits.MIB)
_MMAP_THRESHOLD: Final = (-3, 2 * limits.FRAME_BYTES)
_ARENA_MAX: Final = (-8, 2)


def resident_bytes() -> int | None:
    """What the system says; None where it says nothing like it."""
    try:
        return int(_STATM.read_bytes().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return None


class Watch:
    """Tells the brain the size now and then, and sooner while much passes through."""

    def __init__(
        self,
        tell: Callable[[Event], None],
        soon: Callable[[Callable[[], None]], object],
        full: int,
        read: Callable[[], int | None] = resident_bytes,
    ) -> None:
        """`soon` runs a function on the loop, after what is being done; `full` in bytes: above it
        what is free is given back before anybody is told."""
        self._tell = tell
        self._soon = soon
        self._full = full
        self._read = read
        self._passed = 0
        self._trimmed = -float(TRIM_S)
        self.last = 0

    def passed(self, size: int) -> None:
        """So many bytes came in, or wait to go out."""
        self._passed += size
        if self._passed >= LOOK_BYTES:
            self._passed = 0
            self._soon(self.look)

    def look(self) -> None:
        self._passed = 0
        size = self._read()
        if size is None:
            return
        if size > self._full and time.monotonic() - self._trimmed >= TRIM_S:
            self._trimmed = time.monotonic()
            give_back()
            size = self._read() or size
        self.last = size
        self._tell(Measured(size))


def give_back() -> None:
    """Free what is free for us alone."""
    with contextlib.suppress(OSError, AttributeError):  # not glibc: it has ways of its own
        _libc().malloc_trim(0)


def keep_little() -> None:
    """Have the C library give back what is freed, soon."""
    with contextlib.suppress(OSError, AttributeError):
        libc = _libc()
        for name, value in (_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX):
            libc.mallopt(name, value)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
