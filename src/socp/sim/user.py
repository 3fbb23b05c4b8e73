"""A user of the simulation: the shell around one Member, with a profile and files in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeVar

from socp.crypto.keys import PrivateKey, Suite
from socp.member.effects import (
    Disconnect,
    DropKey,
    Effect,
    GenerateChannelKey,
    KeyChanged,
    LineMoved,
    LoadSent,
    MessageArrived,
    MessageRefused,
    Notice,
    Persist,
    PromoteKey,
    Tell,
    Transmit,
    Warned,
)
from socp.member.events import (
    ChannelKeyGenerated,
    Connected,
    Disconnected,
    Event,
    FrameReceived,
    FrameRefused,
    KeepKey,
    Now,
    RevokeKey,
    RotateKey,
    Say,
    SentLoaded,
    Shown,
    Tick,
)
from socp.member.member import Member
from socp.member.profile import Profile
from socp.member.resting import NEVER_MS
from socp.sim.agenda import Agenda
from socp.sim.disk import MemberDisk
from socp.sim.frames import arrived, frame, with_members
from socp.sim.ids import an_id
from socp.sim.network import Network, Tap, Wire
from socp.sim.user_files import UserFiles
from socp.wire.addresses import HostPort
from socp.wire.envelope import Envelope, decode, reencode
from socp.wire.errors import PeerFault
from socp.wire.ids import PUBLIC

TICK_MS: Final = 100
KEY_MS: Final = 600
"""So long a key pair takes to make."""
RETRY_MS: Final = 1_000

N = TypeVar("N")
Watch = Callable[["User", Event, list[Effect]], None]
"""Somebody who looks on: an event, and what the brain makes of it."""


class User:
    """One person at one client. `skew_ms`: how far their machine's clock is ahead of the truth."""

    def __init__(
        self,
        name: str,
        suite: Suite,
        key: PrivateKey,
        network: Network,
        address: HostPort,
        skew_ms: int = 0,
    ) -> None:
        self.name = name
        self.id = an_id(name)
        self.key = key
        self.pending: PrivateKey | None = None  # a new key, on the disk
        self.former: tuple[PrivateKey, ...] = ()  # newest first
        self.address = address
        self.disk = MemberDisk()
        self.skew_ms = skew_ms
        self.notices: list[Notice] = []
        self.stays = True  # dials again when the link is lost
        self.wire: Wire | None = None
        self.up_tap: Tap | None = None  # on each link that is opened from now on
        self.down_tap: Tap | None = None
        self.up = False
        self._dialling = False
        self.watch: Watch | None = None
        self.tick_ms = TICK_MS
        self.fast_sig = True  # whether its client has that extension; from the next start on
        self._suite = suite
        self._network = network
        self._agenda: Agenda = network.agenda
        self._life = 0
        self._rested_ms = 0  # monotonic: when something happened last
        self._woken_ms = NEVER_MS  # when it looks next whether to tick
        self._files = UserFiles(self._soon)
        self.member = self._brain()

    # --- life -----------------------------------------------------------------------------------

    def start(self) -> None:
        """A new process on the same profile; it dials at once."""
        self.up = True
        self._dialling = False
        self._life += 1
        self.member = self._brain()
        self._woken_ms = NEVER_MS
        self._rest()
        self.connect()

    def kill(self) -> None:
        """As kill -9."""
        self.up = False
        self._network.weather.pauses.drop(self)
        self._files.cut_off()
        self.wire = None
        for wire in self._network.wires_of(self):
            wire.cut()

    def _rest(self) -> None:
        """Until time brings something, as the brain says; `tick_ms` at the least."""
        self._rested_ms = mono = self._agenda.mono
        if mono + self.tick_ms < self._woken_ms:
            self._wake_at(mono + self.tick_ms)

    def _wake_at(self, at_ms: int) -> None:
        self._woken_ms = at_ms
        self._agenda.after(at_ms - self._agenda.mono, partial(self._wake, self._life, at_ms))

    def _wake(self, life: int, at_ms: int) -> None:
        if life != self._life or at_ms != self._woken_ms or not self.up:
            return None
        self._woken_ms = NEVER_MS
        if self._network.weather.pauses.stands_still(self):
            return self._rest()
        until_ms = self.member.rests_until_ms(self._rested_ms)
        if until_ms > self._agenda.mono:  # asked here, and not after each of many events
            return self._wake_at(until_ms)
        self.event(Tick())

    def connect(self) -> None:
        """Dial the server, unless a link is there already."""
        life = self._life
        if self.up and self.wire is None and not self._dialling:
            self._dialling = True
            self._network.dial(
                self,
                self.address,
                lambda wire: self._opened(wire, life),
                lambda reason: self._failed(reason, life),
            )

    def leave(self) -> None:
        """Close the link and stay away."""
        self.stays = False
        if self.wire is not None:
            self.wire.close(1000, "left")

    def come_back(self) -> None:
        """Dial again after `leave`."""
        self.stays = True
        self.connect()

    def _brain(self) -> Member:
        run = hashlib.sha256(self.name.encode()).hexdigest()[:16]
        url, fast = f"ws://{self.address}", self.fast_sig
        profile = Profile(self.id, self.name, "sim", url, run=run, fast_sig=fast)
        return Member(
            profile,
            self._suite,
            self.key,
            self.disk.load(),
            pending=self.pending,
            former=self.former,
        )

    def _opened(self, wire: Wire, life: int) -> None:
        if not self.up or life != self._life:
            return wire.cut()
        self._dialling = False
        self.wire = wire
        wire.up_tap, wire.down_tap = self.up_tap, self.down_tap
        self.event(Connected(self._suite.random(32)))

    def _failed(self, reason: str, life: int) -> None:
        if life == self._life:
            self._dialling = False
            self._network.weather.pauses.reach(self, lambda: self._cut_off(reason))

    def _cut_off(self, reason: str) -> None:
        self.event(Disconnected(reason))
        again = self._network.weather.pauses
        self._agenda.after(RETRY_MS, lambda: again.reach(self, self._redial))

    def _redial(self) -> None:
        if self.stays:
            self.connect()

    def received(self, wire: Wire, data: bytes) -> None:
        """A frame came."""
        if wire is self.wire:
            try:
                self.event(FrameReceived(arrived(data)))
            except PeerFault as fault:
                self.event(FrameRefused(fault))

    def closed(self, wire: Wire) -> None:
        """The socket is gone."""
        if wire is self.wire:
            self.wire = None
            self._cut_off(wire.close_reason)

    def event(self, event: Event) -> None:
        """Have the brain take an event and do what it says: first what is to be kept."""
        if not self.up:
            return None
        now = Now(self._agenda.wall + self.skew_ms, self._agenda.mono)
        effects = self.member.handle(event, now)
        if self.watch is not None:
            self.watch(self, event, effects)
        if not effects:
            return self._rest()
        rest: list[Effect] = []
        for effect in effects:
            if isinstance(effect, Persist):
                self.disk.write(effect.record)
            else:
                rest.append(effect)
        shown: list[int] = []
        for effect in rest:
            if isinstance(effect, Tell):
                self._tell(effect.notice, shown)
            else:
                self._do(effect)
        if shown:
            return self.event(Shown(tuple(shown)))
        self._rest()

    def _tell(self, notice: Notice, shown: list[int]) -> None:
        """`shown`: the numbers of what the person has seen by now and need not be told again."""
        self.notices.append(notice)
        if isinstance(notice, MessageArrived | MessageRefused) and notice.number:
            shown.append(notice.number)

    # --- effects --------------------------------------------------------------------------------

    def _do(self, effect: Effect) -> None:
        match effect:
            case Transmit():
                if self.wire is not None:
                    self.wire.send(self, effect.data)
            case Disconnect():
                self._disconnect(effect)
            case GenerateChannelKey():
                made = ChannelKeyGenerated(effect.version, self._suite.generate())
                self._agenda.after(KEY_MS, lambda: self.event(made))
            case LoadSent():
                self._soon(SentLoaded(self.disk.sent(effect.to, effect.run, effect.seqs)))
            case PromoteKey() | DropKey():
                self._settle_key(effect)
            case Persist() | Tell():
                pass  # kept before anything else was done; told
            case _:
                self._files.do(effect)

    def _settle_key(self, effect: PromoteKey | DropKey) -> None:
        if isinstance(effect, PromoteKey):
            assert self.pending is not None
            self.former, self.key = (self.key, *self.former), self.pending
        self.pending = None

    def _soon(self, event: Event) -> None:
        self._agenda.after(0, lambda: self.event(event))

    def _disconnect(self, effect: Disconnect) -> None:
        self.stays = self.stays and effect.retry
        if self.wire is not None:
            self.wire.close(1000, effect.reason)

    # --- the person -----------------------------------------------------------------------------

    def says(self, to: User, text: str) -> None:
        """`/tell`."""
        self.event(Say(to.id, text))

    def posts(self, text: str) -> None:
        """`/all`."""
        self.event(Say(PUBLIC, text))

    def keeps_keys(self) -> None:
        """Whatever other key was claimed for somebody, the known one is theirs."""
        for changed in self.told(KeyChanged):
            self.event(KeepKey(changed.user_id, changed.claimed))

    def rotates(self) -> None:
        """`/rotate-key`."""
        self.pending = self._suite.generate()
        self.event(RotateKey(self.pending))

    def revokes(self) -> None:
        """`/revoke-key`."""
        self.event(RevokeKey())

    def sends_file(self, to: User | None, name: str, content: bytes) -> str:
        """`/file`, to everybody where `to` is None. Gives the file's id."""
        offer = self._files.offer(
            an_id(self._suite.random(16)), PUBLIC if to is None else to.id, name, content
        )
        self.event(offer)
        return offer.file_id

    # --- what the person saw --------------------------------------------------------------------

    def told(self, kind: type[N]) -> list[N]:
        """The notices of one kind, in order."""
        return [notice for notice in self.notices if isinstance(notice, kind)]

    @property
    def received_files(self) -> dict[str, bytes]:
        """What came and was checked: content by name."""
        return self._files.received

    @property
    def parts(self) -> dict[str, bytearray]:
        """What came in part and may be gone on with, on the disk."""
        return self._files.parts

    @property
    def messages(self) -> list[MessageArrived]:
        """What was shown as a message."""
        return self.told(MessageArrived)

    @property
    def texts(self) -> list[str]:
        """The texts of it."""
        return [message.text for message in self.messages]

    @property
    def refusals(self) -> list[MessageRefused]:
        """What came and was not shown."""
        return self.told(MessageRefused)

    @property
    def warnings(self) -> list[str]:
        """Every warning."""
        return [warned.text for warned in self.told(Warned)]

    def line(self, text: str) -> LineMoved:
        """Where the newest line of this text stands."""
        return [moved for moved in self.told(LineMoved) if moved.text == text][-1]

    def forget_notices(self) -> None:
        """Clear the screen."""
        self.notices.clear()

    # --- on the wire ----------------------------------------------------------------------------

    def heard(self, kind: str) -> list[Envelope]:
        """The frames of one type that arrived on the present link."""
        assert self.wire is not None
        return [e for data in self.wire.down_log if (e := decode(data)).type == kind]

    def sent(self, kind: str) -> list[Envelope]:
        """The frames of one type that arrived at the server on the present link."""
        assert self.wire is not None
        return [e for data in self.wire.up_log if (e := decode(data)).type == kind]

    def forge(
        self,
        kind: str,
        members: Mapping[str, object],
        *,
        to: str,
        from_: str = "",
        ts: int = 0,
        key: PrivateKey | None = None,
        bind: bool = True,
    ) -> Envelope:
        """Put a frame that the brain never said on the own link, signed by `key`, or by itself."""
        assert self.wire is not None
        author, when, key = from_ or self.id, ts or self._agenda.wall, key or self.key
        data = frame(kind, members, from_=author, to=to, ts=when, key=key, bind=bind)
        self.wire.send(self, data)
        return decode(data)

    def replay(self, envelope: Envelope, **changes: object) -> None:
        """Have the network deliver this frame to the user once more, changed as said."""
        assert self.wire is not None
        self.wire.inject(reencode(with_members(envelope, changes)), up=False)
