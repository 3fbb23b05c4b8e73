"""The server put together, the brain and all that acts for it, from first tick to goodbye."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import ssl
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from socp import __version__
from socp.crypto.fast_sig import OwnSession
from socp.crypto.keys import PrivateKey
from socp.node.budget import Budget, Table
from socp.node.effects import Close
from socp.node.events import Event, SessionMade, SigningStrained, Stopping, Tick
from socp.node.parked import Parked
from socp.node.trouble import kind_of
from socp.server import fresh, resident, sizes, walk
from socp.server.admin import AdminDesk
from socp.server.connection import GOING_AWAY
from socp.server.dialler import Dialler
from socp.server.front import Doors, FrontDoor
from socp.server.gate import Gate
from socp.server.guard import Addresses, Guard, Handshakes, Seats
from socp.server.hands import Crew, Hands
from socp.server.http_api.api import HttpApi
from socp.server.intake import Intake
from socp.server.link import Links
from socp.server.listeners import Acceptor, Bound
from socp.server.shift import Shift
from socp.server.signers import Signers
from socp.server.turn import Turn
from socp.wire.addresses import is_loopback

log = logging.getLogger("server.server")

TICK_S: Final = 0.25
TICKS_A_CHECK: Final = 4
TICKS_A_RETRY: Final = 8
GOODBYE_S: Final = 1.2  # of the 2 s that a stop may take
FLUSH_S: Final = 0.7  # of those, for what is not signed or committed yet
LOOK_S: Final = 0.01
SPARE_SEATS: Final = 8  # one in so many more than there are links: HTTP, who is turned away; TLS
LAST_S: Final = 0.1  # for handlers whose sockets are gone


class Status(Protocol):
    """What we need of socp.node.node.Status."""

    @property
    def server_id(self) -> str: ...

    @property
    def users(self) -> int: ...

    @property
    def servers(self) -> tuple[str, ...]: ...

    @property
    def mail(self) -> int: ...

    @property
    def is_full(self) -> bool: ...


class Brain(walk.Brain, Protocol):
    """What we need of socp.node.node.Node."""

    def status(self) -> Status: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a server is made of. `session` makes a session key, at the price of a signature;
    `folder` holds the operator's socket."""

    brain: Brain
    key: PrivateKey
    session: Callable[[], OwnSession | None]
    store: walk.Store
    guard: Guard
    max_per_address: int
    sign_threads: int
    budget: Budget
    bound: Bound
    tls: ssl.SSLContext | None
    folder: Path


class App:
    """One running server. Made and run on one event loop."""

    def __init__(self, parts: Parts) -> None:
        loop = asyncio.get_running_loop()
        self._parts = parts
        self._gate = Gate()
        shift = Shift(loop.call_soon)
        self._links = Links(self.tell, Turn(loop.call_soon, loop.call_later))
        self._signers = Signers(
            parts.key,
            self._gate,
            loop.call_soon_threadsafe,
            lambda strain: self.tell(SigningStrained(strain)),
            threads=parts.sign_threads,
        )
        self._desk = AdminDesk(parts.folder, self.tell, self._status)
        self._watch = resident.Watch(self.tell, loop.call_soon, parts.budget.full)
        self._dialler = Dialler(self._links, self.tell, self._gate, shift)
        self._api = HttpApi(self.tell, self._gate, self._signers.prove)
        hands = Hands(
            self._links,
            self._signers,
            self._begin,
            self._dialler.dial,
            self._desk.answer,
            self.tell,
            self._api.told,
            lambda: self._begin(self._renew_session()),
            self._watch.passed,
        )
        self._walk = walk.Walk(
            parts.brain,
            parts.store,
            hands.carry,
            fresh.now,
            self._gate,
            _waker(loop),
            parts.budget.committing,
            Parked(parts.budget.rows(Table.PARKED)),
        )
        links_max = parts.budget.rows(Table.LINKS)
        spare = links_max // SPARE_SEATS
        self._handshakes = Handshakes(
            Seats(spare), Addresses(parts.max_per_address, self._is_exempt)
        )
        self._doors = Doors(
            Seats(links_max + spare),
            Addresses(parts.max_per_address, self._is_exempt),
            Intake(parts.budget.incoming, loop.call_soon, self._watch.passed),
            shift,
        )
        self._front = FrontDoor(
            parts.guard,
            self._doors,
            self._links,
            self.tell,
            self._gate,
            self._health,
            self._api,
            loop,
        )
        self._crew: Crew | None = None
        self._started = time.monotonic()

    def tell(self, event: Event) -> None:
        """Give the brain an event; what it says is done, at once or after its commit."""
        self._walk.tell(event)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`, then say goodbye to everybody: 2 s at most."""
        async with asyncio.TaskGroup() as group:
            self._crew = Crew(group)
            await self._renew_session()
            for listening in self._parts.bound.sockets:
                acceptor = Acceptor(
                    listening,
                    self._front,
                    self._doors.addresses,
                    self._doors.seats,
                    self._handshakes,
                    self._parts.tls,
                )
                self._crew.keep(acceptor.run())
            self._crew.keep(self._tick())
            self._crew.start(self._desk.serve())
            _settle_memory()
            await stop.wait()
            await self._goodbye()
            self._crew.dismiss()
        self._front.pre_shutdown()  # idle HTTP connections, which have nothing to finish
        await self._front.shutdown(LAST_S)
        await self._dialler.close()
        self._signers.stop()

    async def _renew_session(self) -> None:
        """Before anybody comes, and twice a day."""
        session = await asyncio.to_thread(self._parts.session)
        if session is not None:
            self.tell(SessionMade(session))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._crew is not None, "nothing happens before run()"
        self._crew.start(work)

    async def _tick(self) -> None:
        ticks = 0
        while True:
            try:
                self.tell(Tick())
            except Exception:  # a bug must not stop the clock for everybody
                log.exception("a tick ended for a fault of this server")
            self._watch.look()
            ticks += 1
            if ticks % TICKS_A_CHECK == 0:
                self._links.check(time.monotonic())
            if ticks % TICKS_A_RETRY == 0:
                self._walk.retry()
            await asyncio.sleep(TICK_S)

    async def _goodbye(self) -> None:
        self._front.closing = True
        end = time.monotonic() + GOODBYE_S
        self.tell(Stopping())
        await self._until(lambda: not self._walk.busy, end - GOODBYE_S + FLUSH_S)
        for link in self._links:
            link.close(Close(link.id, GOING_AWAY, "the server stops"))
        await self._until(lambda: not len(self._links), end)
        for link in self._links:
            link.cut("the server stops")

    async def _until(self, done: Callable[[], bool], end: float) -> None:
        while not done() and time.monotonic() < end:  # noqa: ASYNC110 - ends by the clock, once
            await asyncio.sleep(LOOK_S)

    def _is_exempt(self, address: str) -> bool:
        return is_loopback(address) or self._parts.guard.is_proxy(address)

    def _status(self) -> tuple[str, ...]:
        """For the operator: strangers are not told how near to full we are."""
        told = self._health()
        budget = self._parts.budget
        lines = [f"{name.replace('_', ' ')}: {value}" for name, value in told.items()]
        if self._watch.last:
            held, total = sizes.shown(self._watch.last), sizes.shown(budget.total)
            lines.append(f"memory: {held} of {total}, of links at most {budget.rows(Table.LINKS)}")
        return tuple(lines)

    def _health(self) -> Mapping[str, object]:
        status = self._parts.brain.status()
        trouble = self._walk.trouble
        return {
            "status": "degraded" if trouble else "ok",
            **({"storage": kind_of(trouble)} if trouble else {}),
            "server_id": status.server_id,
            "version": __version__,
            "users": status.users,
            "servers": len(status.servers),
            "links": len(self._links),
            "mail_waiting": status.mail,
            "newcomers": "refused" if status.is_full else "welcome",
            "uptime_s": int(time.monotonic() - self._started),
        }


def _waker(loop: asyncio.AbstractEventLoop) -> Callable[[Callable[[], None]], object]:
    """Runs something on the loop, from any thread; nothing once the loop is over."""

    def wake(what: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # closed: nobody is there to be told
            loop.call_soon_threadsafe(what)

    return wake


def _settle_memory() -> None:
    """What is here now stays: without this each hello costs more, the more links there are."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 50, 1000)
    resident.keep_little()
