"""Sockets without a network: frames arrive whole, in order, until a socket is closed or cut."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from socp.sim.agenda import Agenda
from socp.sim.pauses import Pauses
from socp.wire.addresses import HostPort

LATENCY_MS: Final = 1
REFUSED: Final = "[Errno 111] Connection refused"
NO_ROUTE: Final = "[Errno 113] No route to host"
SILENCE: Final = "no answer in 10 s"
DIAL_MS: Final = 10_000
FRAMES_KEPT: Final = 100_000

Tap = Callable[[bytes], Iterable[bytes]]
"""Somebody on the way: gets a frame, gives what goes on instead of it (nothing, itself, others)."""


Way = tuple["Endpoint | None", "Endpoint | None"]
"""From whom to whom."""


class Endpoint(Protocol):
    """Whoever holds one end of a socket."""

    def received(self, wire: Wire, data: bytes) -> None:
        """A frame came."""

    def closed(self, wire: Wire) -> None:
        """The socket is gone: somebody closed it, or it broke; `wire` says how."""


class Listener(Endpoint, Protocol):
    """Whoever listens at an address."""

    def accepted(self, wire: Wire) -> None:
        """Somebody dialled."""


@dataclass
class Weather:
    """What befalls every wire of a network."""

    pauses: Pauses
    cut_ways: set[Way] = field(default_factory=set)
    loses: Callable[[Wire, bytes], bool] | None = None
    """Whether this frame is lost on that wire; taps have made of it what they wanted."""
    stalled: dict[Way, deque[Held]] = field(default_factory=dict)
    """Ways on which nothing gets through for now, and what waits there to be sent again, as TCP
    does."""
    delay_ms: Callable[[Endpoint, Endpoint], int] = lambda _near, _far: LATENCY_MS
    """How long a frame takes between these two, drawn once for each wire."""
    passing: Callable[[Endpoint | None, bytes], None] | None = None
    """Sees each frame when it is sent, and by whom."""
    frames_kept: int = FRAMES_KEPT
    """So many of each way's are kept to be looked at."""


@dataclass(frozen=True, slots=True)
class Held:
    """Something that waits on a stalled way: a frame, or (None) the end of its wire."""

    wire: Wire
    data: bytes | None


@dataclass(eq=False)
class Wire:
    """One WebSocket. `near` dialled, `far` listens; "up" is from near to far.

    `up_log` and `down_log` hold the frames as they arrived, what a tap made of them.
    """

    agenda: Agenda
    near: Endpoint
    weather: Weather
    far: Endpoint | None = None
    delay_ms: int = LATENCY_MS
    open: bool = True
    close_code: int = 0  # once it is closed; 1006 where it broke
    close_reason: str = ""
    up_tap: Tap | None = None
    down_tap: Tap | None = None
    up_log: list[bytes] = field(default_factory=list)
    down_log: list[bytes] = field(default_factory=list)

    def send(self, sender: Endpoint, data: bytes) -> None:
        """From one end to the other, by way of whoever taps the wire."""
        up = sender is self.near
        tap = self.up_tap if up else self.down_tap
        if tap is None and self.weather.loses is None:
            return self.inject(data, up=up)
        for frame in (data,) if tap is None else tap(data):
            if self.weather.loses is None or not self.weather.loses(self, frame):
                self.inject(frame, up=up)

    def inject(self, data: bytes, *, up: bool) -> None:
        """Put a frame on the wire past the taps."""
        ends = (self.near, self.far) if up else (self.far, self.near)
        weather = self.weather
        if not self.open or (weather.cut_ways and ends in weather.cut_ways):
            return
        if weather.passing is not None:
            weather.passing(ends[0], data)
        if weather.stalled and ends in weather.stalled:
            weather.stalled[ends].append(Held(self, data))
        else:
            self.agenda.after(self.delay_ms, partial(self.arrive, data, up=up))

    def arrive(self, data: bytes, *, up: bool) -> None:
        """A frame is there, and is taken as soon as its receiver can."""
        receiver = self.far if up else self.near
        if not self.open or receiver is None:
            return None
        log = self.up_log if up else self.down_log
        if len(log) < self.weather.frames_kept:
            log.append(data)
        if self.weather.pauses.none:
            return receiver.received(self, data)
        self.weather.pauses.reach(receiver, lambda: receiver.received(self, data))

    def close(self, code: int, reason: str) -> None:
        """What was sent before still arrives, then both ends hear of it."""
        self.agenda.after(self.delay_ms, lambda: self._end(code, reason))

    def cut(self, reason: str = "connection reset") -> None:
        """Both ends lose it now, and what was on its way with it."""
        self._end(1006, reason)

    def _end(self, code: int, reason: str) -> None:
        if not self.open:
            return self._end_is_known()
        self.open = False
        self.close_code, self.close_reason = code, reason
        for end, other in ((self.near, self.far), (self.far, self.near)):
            way = (other, end)
            if way in self.weather.stalled:
                self.weather.stalled[way].append(Held(self, None))
            else:
                self.tell_end(end)

    def _end_is_known(self) -> None:
        """Whoever closes it now had not heard of its end, and needs not to hear of it later."""
        for way in ((self.near, self.far), (self.far, self.near)):
            waiting = self.weather.stalled.get(way, deque())
            held = [each for each in waiting if each.wire is self and each.data is None]
            for each in held:
                waiting.remove(each)
                self.tell_end(way[1])

    def tell_end(self, end: Endpoint | None) -> None:
        """One end hears that the wire is no more."""
        if end is not None:
            self.weather.pauses.reach(end, lambda: end.closed(self))


class Network:
    """Who listens where, and every wire that was ever opened and still is."""

    def __init__(self, agenda: Agenda) -> None:
        self.agenda = agenda
        self._listeners: dict[HostPort, Listener] = {}
        self._wires: list[Wire] = []
        self._pruned = 0  # so many were open when it was last looked which are not
        self.weather = Weather(Pauses(agenda))
        self._side: tuple[Endpoint, ...] = ()  # one half, while the network is parted

    def listen(self, address: HostPort, listener: Listener) -> None:
        """From now on dials to `address` reach `listener`."""
        self._listeners[address] = listener

    def unlisten(self, address: HostPort) -> None:
        """From now on they are refused."""
        self._listeners.pop(address, None)

    def dial(
        self,
        near: Endpoint,
        address: HostPort,
        opened: Callable[[Wire], None],
        failed: Callable[[str], None],
    ) -> None:
        """Open a wire, or say why not, a moment later; the dialler hears of it first."""

        def arrive() -> None:
            listener = self._listeners.get(address)
            if listener is None:
                return failed(REFUSED)
            if self._hushed(near, listener) or self._apart(near, listener):
                return failed(NO_ROUTE)
            if {(near, listener), (listener, near)} & self.weather.stalled.keys():
                return self.agenda.after(DIAL_MS, lambda: failed(SILENCE))
            delay_ms = self.weather.delay_ms(near, listener)
            wire = Wire(self.agenda, near, self.weather, delay_ms=delay_ms)
            self._wires.append(wire)
            self._prune()
            wire.far = listener
            self.weather.pauses.reach(listener, lambda: listener.accepted(wire))
            self.weather.pauses.reach(near, lambda: opened(wire))

        self.agenda.after(LATENCY_MS, arrive)

    def _prune(self) -> None:
        if len(self._wires) > 2 * self._pruned:
            self._wires = [wire for wire in self._wires if wire.open]
            self._pruned = len(self._wires)

    # --- faults ---------------------------------------------------------------------------------

    def part(self, *side: Endpoint) -> None:
        """From now on these reach each other and nobody else: wires that cross break at once."""
        self._side = side
        for wire in self._wires:
            if wire.open and wire.far is not None and self._apart(wire.near, wire.far):
                wire.cut()

    def heal(self) -> None:
        """Everybody reaches everybody again."""
        self._side = ()

    def _apart(self, one: object, other: object) -> bool:
        return (one in self._side) is not (other in self._side)

    def hush(self, one: Endpoint, other: Endpoint, *, one_way: bool = False) -> None:
        """Nothing gets from one to the other any more, nor back unless `one_way`; nobody is told
        so, and neither can dial the other."""
        self.weather.cut_ways.add((one, other))
        if not one_way:
            self.weather.cut_ways.add((other, one))

    def speak(self) -> None:
        """What `hush` did is over; what was lost is lost."""
        self.weather.cut_ways.clear()

    def stall(self, one: Endpoint, other: Endpoint) -> None:
        """As a one-way `hush`, but what is said waits, and gets there once `flow` ends it: a
        network that is down for a while, as TCP sees it. Of wires that end meanwhile the far side
        does not hear."""
        self.weather.stalled.setdefault((one, other), deque())

    def flow(self, one: Endpoint, other: Endpoint) -> None:
        """What `stall` did is over."""
        for held in self.weather.stalled.pop((one, other), ()):
            if held.data is None:
                held.wire.tell_end(other)
            else:
                held.wire.arrive(held.data, up=one is held.wire.near)

    def answers(self, wire: Wire) -> bool:
        """Whether a ping on this wire would come back."""
        for one, other in ((wire.near, wire.far), (wire.far, wire.near)):
            if (one, other) in self.weather.stalled or self.weather.pauses.stands_still(one):
                return False
        return not self._hushed(wire.near, wire.far)

    def _hushed(self, one: Endpoint, other: Endpoint | None) -> bool:
        return bool({(one, other), (other, one)} & self.weather.cut_ways)

    # --- questions ------------------------------------------------------------------------------

    def wires_of(self, end: Endpoint) -> list[Wire]:
        """The open wires that end at `end`, oldest first."""
        return [wire for wire in self._wires if wire.open and end in (wire.near, wire.far)]

    def between(self, one: Endpoint, other: Endpoint) -> Wire:
        """The newest open wire between these two. KeyError where there is none."""
        for wire in reversed(self._wires):
            if wire.open and {id(wire.near), id(wire.far)} == {id(one), id(other)}:
                return wire
        raise KeyError("no wire between these two")
