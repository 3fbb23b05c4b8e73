"""What leaves one link: one ordered, bounded queue (section 12, threat S2).

Nothing here waits: a link that does not take what it is sent is cut, and costs the others nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from socp.server import framing
from socp.server.signers import Sealed, ready
from socp.server.turn import Turn
from socp.wire import limits

GOODBYE: Final = ready(b'{"type":"CTRL_CLOSE"}')
WRITE_BYTES: Final = 64 * limits.KIB  # are written at once: what a socket takes at a time


class Transport(Protocol):
    """What we need of asyncio.Transport."""

    def writelines(self, data: list[bytes]) -> None: ...

    def get_write_buffer_size(self) -> int: ...

    def is_closing(self) -> bool: ...


class Owner(Protocol):
    """The link around an outbox."""

    def cut(self, reason: str) -> None:
        """End the link at once, whatever still waits."""

    def keep_watch(self) -> None:
        """Not all that was written has left: ask `is_stuck` from now on."""


class Nobody:
    """Owns the outbox of a link that is over."""

    def cut(self, reason: str) -> None: ...

    def keep_watch(self) -> None: ...


NOBODY: Final = Nobody()


class Outbox:
    """Frames in the order they were asked for, whatever the order in which they get signed."""

    __slots__ = (
        "_closing",
        "_handed",
        "_handed_bytes",
        "_later",
        "_later_bytes",
        "_left_before",
        "_masked",
        "_over",
        "_owner",
        "_pacing",
        "_queue",
        "_stuck_since",
        "_trace",
        "_transport",
        "_turn",
        "_waiting",
        "_written",
    )

    def __init__(
        self,
        transport: Transport,
        owner: Owner,
        turn: Turn,
        *,
        masked: bool,
        trace: Callable[[bytes], None] | None = None,
    ) -> None:
        self._transport = transport
        self._owner = owner
        self._turn = turn
        self._masked = masked
        self._trace = trace
        self._queue: deque[Sealed] | None = None  # most links have none for most of their time
        self._waiting = 0  # bytes in the queue
        self._handed: list[bytes] | None = None  # to be written when the turn of the loop is over
        self._handed_bytes = 0
        self._written = 0  # bytes given to the transport, ever
        self._left_before = 0  # of those had left it when it was last looked at
        self._stuck_since: float | None = None
        self._closing: bytes | None = None  # data of the close frame, once it is due
        self._over = False  # nothing goes out any more
        self._later: list[Sealed] = []  # news about users, until the snapshot has told of them
        self._later_bytes = 0
        self._pacing = 0  # snapshots under way: news and the goodbye come after them

    @property
    def queued_bytes(self) -> int:
        """What this link has not taken: unsigned, not written yet, or in the transport."""
        return self._waiting + self._handed_bytes + self._transport.get_write_buffer_size()

    def put(self, sealed: Sealed) -> None:
        """Send a frame after all that was asked for before."""
        if self._closing is None:
            self._add(sealed)

    def put_news(self, sealed: Sealed) -> None:
        """Presence: after a snapshot under way, or who left would seem to come back."""
        if not self._pacing:
            return self.put(sealed)
        self._later.append(sealed)
        self._later_bytes += sealed.size
        if self._later_bytes > limits.OUTBOX_BYTES:
            self._owner.cut("slow reader: it does not take the list of users")

    def begin_pacing(self) -> None:
        """A snapshot starts."""
        self._pacing += 1

    def end_pacing(self) -> None:
        """A snapshot is over, told or not."""
        self._pacing -= 1
        if self._pacing:
            return
        later, self._later, self._later_bytes = self._later, [], 0
        for sealed in later:
            self.pace(sealed)
        self.flush()

    def pace(self, sealed: Sealed) -> None:
        """One frame of a snapshot: still sent when the link is about to say goodbye."""
        if not self._over:
            self._add(sealed)

    def control(self, opcode: int, data: bytes) -> None:
        """A ping or a pong: may stand between any two frames, so it waits for nothing."""
        if self._closing is None and not self._transport.is_closing():
            self._hand_over(self._framed(opcode, data))
            self._bound()

    def answer_close(self, code: int) -> None:
        """The other side said goodbye: say so too, at once, and nothing more."""
        if not self._over:
            self._over, self._closing = True, b""
            self._hand_over(self._framed(framing.CLOSE, framing.close_data(code, "")))
            self.write()

    def finish(self, code: int, reason: str) -> None:
        """After all that was asked for before: CTRL_CLOSE, a close frame, and nothing more."""
        if self._closing is None:
            self._closing = framing.close_data(code, reason)
            self.flush()

    def flush(self) -> None:
        """Write what is ready, up to the first frame that is not."""
        while self._queue:
            sealed = self._queue[0]
            if sealed.failed:
                self._owner.cut("a frame for it could not be signed")
                return
            if sealed.framed is None:
                return
            self._queue.popleft()
            self._waiting = self._waiting - sealed.size
            self._write(sealed, sealed.framed)
        self._queue = None
        if self._closing is not None and not self._pacing and not self._over:
            self._over = True
            self._write(GOODBYE, GOODBYE.framed or b"")
            self._hand_over(self._framed(framing.CLOSE, self._closing))
            self.write()

    def write(self) -> None:
        """Give the transport what was handed over: the turn is over, or it cannot wait."""
        handed, size = self._handed, self._handed_bytes
        self._handed, self._handed_bytes = None, 0
        if handed is not None and not self._transport.is_closing():
            self._transport.writelines(handed)  # not joined: they may be shared by many links
            self._written += size
            if self.lags:
                self._owner.keep_watch()

    def drop(self) -> None:
        """The link is gone: keep nothing for it."""
        self._closing, self._over = b"", True
        self._queue = self._handed = None
        self._handed_bytes = 0
        self._later.clear()
        self._waiting = self._later_bytes = 0

    def release(self) -> None:
        """Nothing is asked of the link any more: they need not hold each other."""
        self.write()
        self.drop()
        self._owner, self._trace = NOBODY, None

    @property
    def lags(self) -> bool:
        """True while the transport holds something that has not left."""
        return self._transport.get_write_buffer_size() > 0

    def is_stuck(self, now: float) -> bool:
        """True when nothing left for 30 s although something waits; `now` in seconds."""
        buffered = self._transport.get_write_buffer_size()
        left = self._written - buffered
        if not buffered or left != self._left_before:
            self._left_before, self._stuck_since = left, None
        elif self._stuck_since is None:
            self._stuck_since = now
        return self._stuck_since is not None and now - self._stuck_since > limits.OUTBOX_STALL_S

    def _add(self, sealed: Sealed) -> None:
        if sealed.framed is not None and not self._queue:
            self._write(sealed, sealed.framed)
        elif self._transport.is_closing():
            return
        else:
            if self._queue is None:
                self._queue = deque()
            self._queue.append(sealed)
            self._waiting += sealed.size
            if sealed.framed is None:
                sealed.waiters.append(self)
        self._bound()

    def _bound(self) -> None:
        if self.queued_bytes > limits.OUTBOX_BYTES:
            self._owner.cut(
                f"slow reader: over {limits.OUTBOX_BYTES // limits.MIB} MiB wait for it"
            )

    def _write(self, sealed: Sealed, framed: bytes) -> None:
        if self._trace is not None:
            for text in sealed.texts:
                self._trace(text)
        if self._masked:
            masked = (framing.from_dialler(framing.TEXT, text) for text in sealed.texts)
            framed = b"".join(masked)
        self._hand_over(framed)

    def _framed(self, opcode: int, data: bytes) -> bytes:
        frame = framing.from_dialler if self._masked else framing.from_server
        return frame(opcode, data)

    def _hand_over(self, framed: bytes) -> None:
        if self._transport.is_closing():
            return
        if self._handed is None:
            self._handed = []
            self._turn.waits(self)
        elif self._turn.rests:  # perhaps with us, and this may be for a few
            self._turn.waits(self)
        self._handed.append(framed)
        self._handed_bytes += len(framed)
        if self._handed_bytes >= WRITE_BYTES:
            self.write()
