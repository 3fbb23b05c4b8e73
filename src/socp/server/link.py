"""One open WebSocket as the shell sees it, accepted or dialled, and the table of all of them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from socp.node.effects import Close
from socp.node.events import Alive, Event, LinkId, ProbeFailed
from socp.server import framing
from socp.server.logs import TRACE, shortened
from socp.server.meter import Meter
from socp.server.outbox import Outbox
from socp.server.turn import Turn
from socp.wire import limits

frames_log = logging.getLogger("server.frames")

GOODBYE_S: Final = 2  # for the last frames and the other side's close; then the socket is dropped
SEND_BUFFER_BYTES: Final = 128 * limits.KIB  # the kernel would hold up to 4 MiB for a dead link
SHED_LEAST: Final = 64 * limits.KIB  # whoever reads is hardly ever behind by as much
MESSAGE_S: Final = 60  # for one message to come in whole, once the link is identified
POLICY: Final = 1008


class Link:
    """A socket with its outbox, its pings and its end. Implements outbox.Owner."""

    __slots__ = (
        "__weakref__",
        "_deadline",
        "_look_at",
        "_meter",
        "_pings",
        "_probe",
        "_tell",
        "id",
        "identified",
        "is_cut",
        "outbox",
        "paced_bytes",
        "reason",
        "rest_until",
        "transport",
    )

    def __init__(
        self,
        link_id: LinkId,
        transport: asyncio.Transport,
        tell: Callable[[Event], None],
        turn: Turn,
        look_at: Callable[[Link], None],
        *,
        masked: bool,
        meter: Meter | None,
    ) -> None:
        """`look_at` has this link checked each second, until that is needed no more."""
        self.id = link_id
        self.transport = transport
        self.identified = False
        self.rest_until = 0.0  # loop time, seconds: nothing is read before; 0: go on
        self.reason = ""  # why we ended it, for the log
        self.is_cut = False  # what it sent counts no more
        self.paced_bytes = 0  # of snapshots under way
        self._tell = tell
        self._look_at = look_at
        self._meter = meter
        self._probe: asyncio.TimerHandle | None = None
        self._pings = 0  # not answered yet
        self._deadline: asyncio.TimerHandle | None = None
        trace = self._trace_out if frames_log.isEnabledFor(TRACE) else None
        self.outbox = Outbox(transport, self, turn, masked=masked, trace=trace)
        _bound_send_buffer(transport)

    @property
    def is_over(self) -> bool:
        """True once nothing can be sent any more."""
        return self.transport.is_closing()

    @property
    def is_ending(self) -> bool:
        """True once we said goodbye: what still comes in counts no more."""
        return self._deadline is not None

    @property
    def frame_limit(self) -> int:
        """Bytes of a message that this link may send us."""
        return self._meter.limit if self._meter is not None else limits.FRAME_BYTES

    @property
    def owes(self) -> int:
        """Bytes that we keep for its peer, who does not take them."""
        return self.outbox.queued_bytes + self.paced_bytes

    def took(self, size: int) -> None:
        """So many bytes of what came in were looked at."""
        if self._meter is not None:
            self._meter.took(size)

    def identify(self) -> None:
        """The brain knows the peer: whole frames are welcome from now on."""
        self.identified = True
        if self._meter is not None:
            self._meter.limit = limits.FRAME_BYTES

    def throttle(self, pause_ms: int) -> None:
        """Read nothing from it for so long."""
        self.rest_until = asyncio.get_running_loop().time() + pause_ms / 1000

    def close(self, effect: Close) -> None:
        """Say goodbye; the socket is dropped when the other side answers, after 2 s in any case."""
        if self._deadline is None:
            self.reason = self.reason or effect.reason
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(GOODBYE_S, self._give_up)
            self.outbox.finish(effect.code, effect.reason)

    def breached(self, code: int, reason: str) -> None:
        """The meter refused what came in."""
        self.close(Close(self.id, code, reason))

    def cut(self, reason: str) -> None:
        """End at once: unsent bytes are thrown away, in the kernel too."""
        self.reason = self.reason or reason
        self.is_cut = True
        self._drop()

    def ping(self) -> None:
        """Ask for a sign of life."""
        self._pings += 1
        self.outbox.control(framing.PING, b"")

    def probe(self) -> None:
        """Ping, and tell the brain when there is no answer within 5 s."""
        self.ping()
        if self._probe is None:
            loop = asyncio.get_running_loop()
            self._probe = loop.call_later(limits.PING_S, self._probe_failed)

    def pong(self) -> None:
        """An answer, asked for or not; only those asked for are worth telling."""
        if self._probe is not None:
            self._probe.cancel()
            self._probe = None
        if self._pings:
            self._pings = 0
            self._tell(Alive(self.id))

    def keep_watch(self) -> None:
        """Bytes of ours have not left, or a message of theirs has not ended."""
        self._look_at(self)

    def check(self, now: float) -> bool:
        """Once a second: end what takes nothing, or never ends a message. `now` in seconds.
        True while it is to be looked at again."""
        if self.outbox.is_stuck(now):
            self.cut(f"slow reader: took nothing for {limits.OUTBOX_STALL_S} s")
        since = self._meter.unfinished_since if self._meter is not None else None
        allowed = MESSAGE_S if self.identified else limits.FIRST_FRAME_S
        if since is not None and now - since > allowed:
            self.breached(POLICY, f"a message took longer than {allowed} s to come in")
        return self.outbox.lags or since is not None

    def ended(self) -> None:
        """The socket is gone: no timer and no byte stays behind."""
        for timer in (self._probe, self._deadline):
            if timer is not None:
                timer.cancel()
        self._probe = None
        self.outbox.release()

    def trace_in(self, data: bytes) -> None:
        if frames_log.isEnabledFor(TRACE):
            frames_log.log(TRACE, "< link %d %s", self.id, shortened(data))

    def _trace_out(self, data: bytes) -> None:
        frames_log.log(TRACE, "> link %d %s", self.id, shortened(data))

    def _probe_failed(self) -> None:
        self._probe = None
        self._tell(ProbeFailed(self.id))

    def _give_up(self) -> None:
        """The goodbye was not answered. A reset might take it from who reads slowly."""
        if self.outbox.queued_bytes:
            self._drop()
        else:
            self.transport.close()

    def _drop(self) -> None:
        self.outbox.drop()
        found = self.transport.get_extra_info("socket")
        if found is not None:
            with contextlib.suppress(OSError, ValueError):  # it may be closed by now
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class Links:
    """Every open link by its number. Numbers are never used again."""

    def __init__(self, tell: Callable[[Event], None], turn: Turn) -> None:
        self._tell = tell
        self._turn = turn
        self._open: dict[LinkId, Link] = {}
        self._lag: dict[LinkId, Link] = {}  # few of them: most have nothing under way
        self._numbers = itertools.count(1)

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Link]:
        return iter(tuple(self._open.values()))

    def get(self, link_id: LinkId) -> Link | None:
        return self._open.get(link_id)

    def these(self, numbers: Iterable[LinkId]) -> list[Link]:
        """Those of them that are open still."""
        opened = self._open
        return [opened[number] for number in numbers if number in opened]

    def add(self, transport: asyncio.Transport, *, masked: bool, meter: Meter | None) -> Link:
        link = Link(
            next(self._numbers),
            transport,
            self._tell,
            self._turn,
            self._look_at,
            masked=masked,
            meter=meter,
        )
        self._open[link.id] = link
        return link

    def check(self, now: float) -> None:
        """Once a second: look at those for which something is under way. `now` in seconds."""
        lag, self._lag = self._lag, {}
        for link in lag.values():
            if link.check(now):
                self._look_at(link)

    def _look_at(self, link: Link) -> None:
        if link.id in self._open:
            self._lag[link.id] = link

    def shed(self, size: int) -> None:
        """Cut those for whom we keep most, until so many bytes should be free."""
        for link in sorted(self, key=lambda each: -each.owes):
            owes = link.owes
            if size <= 0 or owes < SHED_LEAST:
                break
            size -= owes  # also of those who are on their way out
            link.cut(f"memory is short, and {owes // limits.KIB} KiB wait for it")

    def remove(self, link: Link) -> None:
        self._open.pop(link.id, None)
        self._lag.pop(link.id, None)
        link.ended()


def _bound_send_buffer(transport: asyncio.Transport) -> None:
    found = transport.get_extra_info("socket")
    if found is not None:
        with contextlib.suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
