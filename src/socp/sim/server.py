"""A server of the simulation: the shell around one Node, without sockets, threads or disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, assert_never

from socp.crypto import fast_sig
from socp.crypto.keys import PrivateKey, Suite
from socp.node.effects import (
    Afterwards,
    Answer,
    Ask,
    Bundle,
    Close,
    Dial,
    Effect,
    Identified,
    Note,
    Persist,
    Ping,
    Probe,
    Relay,
    RenewSession,
    Send,
    Shed,
    Snapshot,
    Throttle,
    Told,
    is_promise,
)
from socp.node.events import (
    Alive,
    Answered,
    CommitFailed,
    DialFailed,
    Event,
    FrameReceived,
    FrameRefused,
    LinkLost,
    LinkOpened,
    Now,
    ProbeFailed,
    SessionMade,
    SnapshotDone,
    Tick,
)
from socp.node.node import Node
from socp.node.parked import Parked
from socp.node.queries import Query
from socp.node.records import PROMISES, Record
from socp.node.settings import Settings
from socp.sim.agenda import Agenda
from socp.sim.commits import Batch, Commits
from socp.sim.disk import NodeDisk
from socp.sim.frames import Shared, arrived, frame
from socp.sim.ids import an_id
from socp.sim.network import Endpoint, Network, Wire
from socp.sim.signer import Bend, Signer
from socp.wire import limits
from socp.wire.addresses import HostPort
from socp.wire.envelope import encode
from socp.wire.errors import PeerFault
from socp.wire.ids import EVERYONE
from socp.wire.payloads import CtrlClose

TICK_MS: Final = 250
RETRY_MS: Final = 2_000  # of what a full disk did not take

Watch = Callable[["Server", Event, list[Effect]], None]
"""Somebody who looks on: an event, and what the brain makes of it."""


class Server:
    """One server that can be killed, started again, and made to lie."""

    def __init__(
        self, name: str, settings: Settings, suite: Suite, key: PrivateKey, network: Network
    ) -> None:
        self.name = name
        self.settings = settings
        self.key = key
        self.disk = NodeDisk()
        self.notes: list[Note] = []
        self.answers: list[Answer] = []
        self._signer = Signer(key)
        self.watch: Watch | None = None
        self.tick_ms = TICK_MS  # from its next start on
        self.skew_ms = 0  # how far its clock on the wall is ahead of the truth
        self.fast_sig = True  # whether it makes session keys; from the next start on
        self.deaf: set[Wire] = set()  # wires whose other end does not answer pings
        self.up = False
        self._parked = Parked()
        self._suite = suite
        self._network = network
        self._agenda: Agenda = network.agenda
        self._life = 0
        self._next_link = 1
        self._wires: dict[int, Wire] = {}
        self._links: dict[Wire, int] = {}
        self._commits = Commits(self._agenda, 0, self._committed)
        self.node = self._brain()

    @property
    def id(self) -> str:
        """Its server_id."""
        return self.settings.server_id

    @property
    def address(self) -> HostPort:
        """Where it listens."""
        return self.settings.address

    @property
    def linked(self) -> set[str]:
        """The ids of the servers it is linked with."""
        return set(self.node.status().servers)

    @property
    def whereabouts(self) -> dict[str, str]:
        """Who is online, by user_id, and at which server, as this one sees it."""
        return self.node.whereabouts()

    @property
    def own_users(self) -> list[str]:
        """Who is online here, by user_id."""
        return self.node.own_users()

    @property
    def bend(self) -> Bend | None:
        """What makes a liar of it, None where it is honest."""
        return self._signer.bend

    @bend.setter
    def bend(self, bend: Bend | None) -> None:
        self._signer.bend = bend

    def log(self) -> str:
        """Its log lines."""
        return "\n".join(note.text for note in self.notes)

    @property
    def wall(self) -> int:
        """What its clock on the wall says, Unix ms."""
        return self._agenda.wall + self.skew_ms

    def commits_take(self, ms: int) -> None:
        """From now on its disk takes so long to keep something."""
        self._commits.takes_ms = ms

    # --- life -----------------------------------------------------------------------------------

    def start(self) -> None:
        """A new process on the same disk."""
        self.up = True
        self._life += 1
        life = self._life
        self.node = self._brain()
        self._parked = Parked()
        self._network.listen(self.address, self)
        if self.fast_sig:
            self.event(self._session())
        for interval, work in ((self.tick_ms, self._tick), (RETRY_MS, self._retry)):
            self._agenda.every(interval, work, lambda: self.up and self._life == life)

    def kill(self) -> None:
        """As kill -9: its sockets break, nothing is said."""
        self.up = False
        self._commits.clear()
        self._network.weather.pauses.drop(self)
        self._network.unlisten(self.address)
        self._links.clear()
        self._wires.clear()
        for wire in self._network.wires_of(self):
            wire.cut()

    def _brain(self) -> Node:
        remembered = self.disk.load(self.wall)
        return Node(self.settings, self._suite, self.key.public, remembered)

    def event(self, event: Event) -> None:
        """Have the brain take an event and do what it says: first what is to be kept."""
        if not self.up:
            return
        effects = self.node.handle(event, Now(self.wall, self._agenda.mono))
        if self.watch is not None:
            self.watch(self, event, effects)
        self._commits.add(effects)

    def _tick(self) -> None:
        if not self._network.weather.pauses.stands_still(self):
            self.event(Tick())

    def _committed(self, batch: Batch) -> None:
        effects, records = batch.effects, batch.records
        if self._kept(records):
            promises = tuple(record for record in records if isinstance(record, PROMISES))
            self._commits.doubt()
            self.event(CommitFailed(promises, self.disk.fault))
            effects = [effect for effect in effects if isinstance(effect, Close | Note | Ask)]
        for effect in effects:
            if not (batch.doubtful and is_promise(effect)):
                self._do(effect)

    def _kept(self, records: tuple[Record, ...]) -> bool:
        """Write them, as far as the disk allows; True where a promise could not be."""
        if self.disk.fault:
            self._parked.failed(records)
            return any(isinstance(record, PROMISES) for record in records)
        self._parked.written(records)
        for record in records:
            self.disk.write(record)
        return False

    def _retry(self) -> None:
        if not self.disk.fault:
            waiting = self._parked.waiting(())
            self._parked.stored(waiting)
            for record in waiting:
                self.disk.write(record)

    def _soon(self, event: Event) -> None:
        life = self._life
        self._agenda.after(0, lambda: self.event(event) if self._life == life else None)

    def _ask(self, query: Query) -> None:
        """Answered after all that was given to the disk before."""
        life = self._life

        def answer() -> None:
            if self._life == life:
                self.event(Answered(query, self.disk.ask(query) if self.disk.readable else None))

        self._agenda.after(self._commits.takes_ms, answer)

    # --- sockets --------------------------------------------------------------------------------

    def accepted(self, wire: Wire) -> None:
        """Somebody dialled us."""
        self._opened(wire, None)

    def _opened(self, wire: Wire, dialled: HostPort | None) -> None:
        if not self.up:
            return wire.cut()
        link, self._next_link = self._next_link, self._next_link + 1
        self._wires[link], self._links[wire] = wire, link
        self.event(
            LinkOpened(
                link=link,
                address="127.0.0.1",
                loopback=True,
                browser=False,
                nonce=self._suite.random(32),
                spare_id=an_id(self._suite.random(16)),
                dialled=dialled,
            )
        )

    def received(self, wire: Wire, data: bytes) -> None:
        """A frame came."""
        link = self._links.get(wire)
        if link is None:
            return
        try:
            self.event(FrameReceived(link, arrived(data)))
        except PeerFault as fault:
            self.event(FrameRefused(link, fault))

    def closed(self, wire: Wire) -> None:
        """A socket is gone."""
        link = self._links.pop(wire, None)
        if link is not None:
            del self._wires[link]
            self.event(LinkLost(link, wire.close_reason))

    # --- effects --------------------------------------------------------------------------------

    def _do(self, effect: Effect) -> None:  # noqa: C901 - one case an effect
        match effect:
            case Send():
                self._send(effect.links, self._signer.data(effect.frame))
            case Relay():
                self._send(effect.links, effect.data)
            case Bundle():
                for each in effect.frames:
                    self._send(effect.links, self._signer.data(each))
            case Snapshot():
                for each in effect.each():
                    self._send((effect.link,), self._signer.data(each))
                if effect.page:
                    self._soon(SnapshotDone(effect.link, effect.page))
            case Ask():
                self._ask(effect.query)
            case Afterwards():
                self._soon(effect.event)
            case Close():
                self._close(effect)
            case Dial():
                self._dial(effect.address)
            case RenewSession():
                self._soon(self._session())
            case Probe() | Ping():
                self._ping(effect)
            case Note():
                self.notes.append(effect)
            case Answer():
                self.answers.append(effect)
            case Persist() | Identified() | Throttle() | Told() | Shed():
                pass  # kept before anything was sent; sizes and speeds are not simulated
            case _:
                assert_never(effect)

    def _send(self, links: tuple[int, ...], data: bytes | None) -> None:
        if data is None:
            return
        if len(links) > 1 and not isinstance(data, Shared):
            data = Shared(data)
        for link in links:
            wire = self._wires.get(link)
            if wire is not None:
                wire.send(self, data)

    def _close(self, effect: Close) -> None:
        wire = self._wires.get(effect.link)
        if wire is not None:
            wire.send(self, encode(CtrlClose.TYPE, "", "", 0, b"{}", ""))
            wire.close(effect.code, effect.reason)

    def _dial(self, address: HostPort) -> None:
        self._network.dial(
            self,
            address,
            lambda wire: self._opened(wire, address),
            lambda reason: self._failed(address, reason),
        )

    def _session(self) -> SessionMade:
        return SessionMade(fast_sig.made(self._suite, self.key, self.id, self.wall))

    def _failed(self, address: HostPort, reason: str) -> None:
        failed = DialFailed(address, reason)
        self._network.weather.pauses.reach(self, lambda: self.event(failed))

    def _ping(self, effect: Probe | Ping) -> None:
        wire = self._wires.get(effect.link)
        if wire is not None and wire not in self.deaf and self._network.answers(wire):
            self._agenda.after(2 * wire.delay_ms, lambda: self.event(Alive(effect.link)))
        elif isinstance(effect, Probe):
            wait = limits.PING_S * 1000
            self._agenda.after(wait, lambda: self.event(ProbeFailed(effect.link)))

    # --- gone bad -------------------------------------------------------------------------------

    def forge(
        self,
        peer: Endpoint,
        kind: str,
        members: Mapping[str, object],
        *,
        to: str = EVERYONE,
        from_: str = "",
        ts: int = 0,
        bind: bool = True,
        signed: bool = True,
    ) -> bytes:
        """Put a frame that the brain never said on the wire to `peer`, and give its bytes back.

        By default from itself, now, signed with its own key and bound, as it can do at any time.
        """
        data = frame(
            kind,
            members,
            from_=from_ or self.id,
            to=to,
            ts=ts or self.wall,
            key=self.key if signed else None,
            bind=bind,
        )
        self._network.between(self, peer).send(self, data)
        return data
