"""Watches an accepted link's bytes before they are kept: sizes, masks, endless messages (S1, S11).

aiohttp's reader has one limit for the life of a connection and none on time. This one walks the
same bytes by their frame heads, without touching the data, and lets through what keeps the rules.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

from socp.wire import limits

TOO_BIG: Final = 1009
BREACH: Final = 1002
POLICY: Final = 1008
FRAGMENTS_MAX: Final = 1024  # of one message; empty ones cost us time and the sender nothing

_LENGTH_BYTES: Final = {126: 2, 127: 8}
_CONTROL: Final = 0x8
_MASK_BYTES: Final = 4


class Reader(Protocol):
    """What takes the bytes once they passed: aiohttp's WebSocketReader."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]: ...

    def feed_eof(self) -> None: ...


class Account(Protocol):
    """What counts the bytes that are kept."""

    def came(self, size: int) -> None: ...

    def took(self, size: int) -> None: ...


class Meter:
    """Stands where aiohttp expects its reader.

    What comes after a breach is dropped, and read only so that no reset overtakes our close frame.
    """

    __slots__ = (
        "_account",
        "_breached",
        "_clock",
        "_fault",
        "_fragments",
        "_head",
        "_in_message",
        "_kept",
        "_reader",
        "_rest",
        "_unfinished",
        "limit",
        "unfinished_since",
    )

    def __init__(
        self,
        reader: Reader,
        account: Account,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._account = account
        self._breached: Callable[[int, str], None] | None = None
        self._unfinished: Callable[[], None] | None = None
        self._clock = clock
        self._fault: tuple[int, str] | None = None  # close code and reason of the breach
        self._head = b""  # of a frame whose head came in pieces
        self._rest = 0  # bytes of the current frame's data still to come
        self._in_message = False  # the newest frame of data was not the last of its message
        self._kept = 0  # bytes of the current message so far
        self._fragments = 0  # frames of it so far
        self.limit: int = limits.FRAME_BYTES_UNIDENTIFIED
        self.unfinished_since: float | None = None  # seconds of the clock; None between messages

    def watch(self, breached: Callable[[int, str], None], unfinished: Callable[[], None]) -> None:
        """Have `breached(code, reason)` called, once: at the breach, or now if it was before; and
        `unfinished()` whenever a message has begun to come whose end is not there."""
        self._breached, self._unfinished = breached, unfinished
        if self._fault is not None:
            breached(*self._fault)
        elif self.unfinished_since is not None:
            unfinished()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Pass on what keeps the rules. The answer is aiohttp's: (end of file, what is left)."""
        if self._fault is not None:
            return False, b""
        good, self._fault = self._walk(data)
        if self._fault is None:
            return self._reader.feed_data(data)
        self.unfinished_since = None
        if good:
            self._reader.feed_data(data[:good])
        if self._breached is not None:
            self._breached(*self._fault)
        return False, b""

    def feed_eof(self) -> None:
        self._reader.feed_eof()

    def end(self) -> None:
        """Keep nothing more, and let go of what is here: aiohttp's objects hold each other, and
        half a message with them, until a garbage collection."""
        self._reader.feed_eof()
        self._reader, self._breached, self._unfinished = _NOBODY, None, None
        self._fault = self._fault or (POLICY, "ended")

    def took(self, size: int) -> None:
        """A message of so many bytes is kept no longer."""
        self._account.took(size)

    def _walk(self, data: bytes) -> tuple[int, tuple[int, str] | None]:
        """How many bytes are good, and what is wrong with those behind them."""
        at, end, kept = 0, len(data), 0
        while at < end:
            if not self._rest:
                frame_starts = at
                at = self._take_head(data, at)
                if at < 0:
                    break
                fault = self._judge()
                if fault is not None:
                    return frame_starts, fault
            step = min(self._rest, end - at)
            self._rest -= step
            at += step
            kept += step
            if not self._rest:
                self._frame_ended()
        self._time()
        if kept:
            self._account.came(kept)
        return end, None

    def _take_head(self, data: bytes, at: int) -> int:
        """Gather one frame's head; where its data begins, or -1 while the head is incomplete."""
        missing = _head_bytes(self._head + data[at : at + 2]) - len(self._head)
        self._head += data[at : at + missing]
        return at + missing if missing <= len(data) - at else -1

    def _judge(self) -> tuple[int, str] | None:
        """Read the head that is complete now, and refuse a frame that we will not keep."""
        head, self._head = self._head, b""
        opcode, length = head[0] & 0xF, _length(head)
        if not head[1] & 0x80:
            return BREACH, "frames to a server must be masked (RFC 6455, section 5.1)"
        self._rest = length
        if opcode >= _CONTROL:  # may stand between the fragments of a message
            return None
        self._kept += length
        self._in_message = not head[0] & 0x80
        self._fragments += 1
        if self._kept > self.limit:
            return TOO_BIG, f"at most {self.limit // limits.KIB} KiB a message here"
        if self._fragments > FRAGMENTS_MAX:
            return POLICY, f"at most {FRAGMENTS_MAX} fragments a message"
        return None

    def _frame_ended(self) -> None:
        if not self._in_message:
            self._kept = self._fragments = 0
            self.unfinished_since = None

    def _time(self) -> None:
        if not (self._rest or self._head or self._in_message):
            self.unfinished_since = None
        elif self.unfinished_since is None:
            self.unfinished_since = self._clock()
            if self._unfinished is not None:
                self._unfinished()


class _Nobody:
    def feed_data(self, data: bytes) -> tuple[bool, bytes]:  # noqa: ARG002 - aiohttp's signature
        return True, b""

    def feed_eof(self) -> None: ...


_NOBODY: Final = _Nobody()


def _head_bytes(head: bytes) -> int:
    """How long this head is, as far as its first two bytes tell."""
    if len(head) < 2:
        return 2
    masked = _MASK_BYTES if head[1] & 0x80 else 0
    return 2 + _LENGTH_BYTES.get(head[1] & 0x7F, 0) + masked


def _length(head: bytes) -> int:
    size = _LENGTH_BYTES.get(head[1] & 0x7F, 0)
    return int.from_bytes(head[2 : 2 + size], "big") if size else head[1] & 0x7F
