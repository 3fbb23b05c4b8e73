"""A town of members and servers without sockets: enough of a mesh to see keys spread (section 7).

Servers keep the newest share for each member and version, hand it out at the next hello, name who
lacks one, and tell the others when they hear of a version. Everything said takes LATENCY_MS.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count

from socp.channel.keyring import HeldKey
from socp.channel.machine import ChannelKeys
from socp.channel.outcomes import CreatorUnknown, GenerateKey, KeyLearned, ShareRefused, ShareToSend
from socp.crypto.keys import PrivateKey, Suite
from socp.crypto.symbolic import SymbolicSuite
from socp.wire.canonical import to_members
from socp.wire.payloads import PublicChannelAdd, PublicChannelKeyShare, PublicChannelUpdated, Wrap

LATENCY_MS = 20
TICK_MS = 100
GENERATION_MS = 900


def user_id(n: int) -> str:
    return f"{n:08x}-0000-4000-8000-000000000000"


@dataclass
class Member:
    name: str
    key: PrivateKey
    machine: ChannelKeys
    server: Server | None = None
    made: int = 0
    sent: list[str] = field(default_factory=list)  # to whom
    warnings: list[str] = field(default_factory=list)
    kept: list[HeldKey] = field(default_factory=list)

    @property
    def sending(self) -> str | None:
        key = self.machine.sending_key()
        return None if key is None else key.fingerprint

    def reads(self, fingerprint: str) -> bool:
        return any(key.fingerprint == fingerprint for key in self.machine.reading_keys())


@dataclass(eq=False)
class Server:
    version: int = 0
    members: dict[str, Member] = field(default_factory=dict)
    linked: set[Server] = field(default_factory=set)
    shares: dict[tuple[str, int], tuple[str, PublicChannelKeyShare]] = field(default_factory=dict)

    def mesh(self) -> list[Server]:
        return [self, *self.linked]


class Town:
    def __init__(self, *, servers: int = 1, suite: Suite | None = None) -> None:
        self.suite = suite or SymbolicSuite(7)
        self.now = 1_000_000
        self.servers = [Server() for _ in range(servers)]
        self.people: dict[str, Member] = {}
        self.loses: Callable[[str, PublicChannelKeyShare], bool] = lambda _member, _share: False
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._count = count()

    # --- who is there ---

    def member(self, n: int, keys: Iterable[HeldKey] = (), key: PrivateKey | None = None) -> Member:
        name = user_id(n)
        key = key or self.suite.generate()
        machine = ChannelKeys(self.suite, key, name, tuple(keys))
        self.people[name] = Member(name, key, machine)
        return self.people[name]

    def members(self, n: int, *, start: int = 1) -> list[Member]:
        return [self.member(start + i) for i in range(n)]

    def arrives(self, who: Member, server: Server | None = None) -> None:
        server = server or self.servers[0]
        who.server = server
        server.members[who.name] = who
        who.machine.attached(self.now)
        for other in self._reach(server):
            if other is not who:
                self._tell_presence(who, other)
                self._tell_presence(other, who)
        stored = [at for name, at in server.shares if name == who.name]
        if stored and max(stored) == server.version:
            self._deliver(who, *server.shares[who.name, server.version])
        else:
            self.says(PublicChannelAdd(add=(who.name,), if_version=server.version), server)

    def leaves(self, who: Member) -> None:
        server = self._home(who)
        del server.members[who.name]
        who.server = None
        who.machine.detached()
        for other in self._reach(server):
            other.machine.member_gone(who.name)

    def links(self, left: Server, right: Server) -> None:
        """The two find each other: presence both ways, the version, who may lack it."""
        left.linked.add(right)
        right.linked.add(left)
        for here in left.members.values():
            for there in right.members.values():
                self._tell_presence(here, there)
                self._tell_presence(there, here)
        left.version = right.version = max(left.version, right.version)
        for one, other in ((left, right), (right, left)):
            for receiver in other.members.values():
                self._add(
                    receiver, PublicChannelAdd(add=tuple(one.members), if_version=one.version)
                )

    def parts(self, left: Server, right: Server) -> None:
        left.linked.discard(right)
        right.linked.discard(left)
        for here in left.members.values():
            for there in right.members.values():
                here.machine.member_gone(there.name)
                there.machine.member_gone(here.name)

    # --- what is said ---

    def says(self, payload: PublicChannelAdd, server: Server) -> None:
        for each in self._reach(server):
            self._add(each, payload)

    def posts(self, who: Member) -> list[Member]:
        """A post under their sending key; who of the others read it."""
        key = who.machine.sending_key()
        assert key is not None
        readers = []
        for other in self._reach(self._home(who)):
            if other is who:
                continue
            if other.reads(key.fingerprint):
                readers.append(other)
                other.machine.held_by(who.name, key.fingerprint, self.now)
            else:
                other.machine.unreadable_by(who.name, self.now)
        return readers

    def hears(self, who: Member, author: str, payload: PublicChannelKeyShare) -> None:
        """A share reaches a member."""
        if who.server is None:
            return
        pinned = self.people.get(author)
        shares = [to_members(share) for share in payload.shares]
        outcome = who.machine.shared(
            author, payload, shares, pinned.key.public if pinned else None, self.now
        )
        match outcome:
            case KeyLearned(key):
                who.kept.append(key)
            case ShareRefused(reason):
                who.warnings.append(reason)
            case CreatorUnknown():
                who.warnings.append("unknown")

    # --- time ---

    def runs(self, ms: int) -> None:
        """Ticks of everybody, ten a second, and what was said meanwhile."""
        end = self.now + ms
        while self.now < end:
            step = min(self.now + TICK_MS, end)
            while self._agenda and self._agenda[0][0] <= step:
                self.now, _, act = heapq.heappop(self._agenda)
                act()
            self.now = step
            for who in tuple(self.people.values()):
                self._acts(who)

    def settles(self, *, within_ms: int) -> int:
        """Until all who are there send under one key; how long it took."""
        start = self.now
        while len({who.sending for who in self.there()}) != 1 or self.there()[0].sending is None:
            assert self.now - start < within_ms, {who.name: who.sending for who in self.there()}
            self.runs(TICK_MS)
        return self.now - start

    def there(self) -> list[Member]:
        return [who for who in self.people.values() if who.server is not None]

    def _acts(self, who: Member) -> None:
        for action in who.machine.due(self.now):
            match action:
                case GenerateKey(version):
                    who.made += 1
                    self._later(GENERATION_MS, self._generation(who, version))
                case KeyLearned(key):
                    who.kept.append(key)
                case ShareToSend(member, payload):
                    who.sent.append(member)
                    self._later(LATENCY_MS, self._route(who, member, payload))

    def _generation(self, who: Member, version: int) -> Callable[[], None]:
        return lambda: who.machine.generated(version, self.suite.generate())

    def _route(
        self, author: Member, member: str, payload: PublicChannelKeyShare
    ) -> Callable[[], None]:
        def routed() -> None:
            if author.server is None or self.loses(member, payload):
                return
            wrap = Wrap(member_id=member, wrapped_key=payload.shares[0].wrapped_public_channel_key)
            updated = PublicChannelUpdated(version=payload.version, wraps=(wrap,))
            for server in author.server.mesh():
                server.version = max(server.version, payload.version)
                if member in server.members:
                    server.shares[member, payload.version] = (author.name, payload)
                    self._deliver(server.members[member], author.name, payload)
                for each in server.members.values():
                    self._wrapped(each, updated)

        return routed

    def _deliver(self, who: Member, author: str, payload: PublicChannelKeyShare) -> None:
        self._later(LATENCY_MS, lambda: self.hears(who, author, payload))

    def _add(self, who: Member, payload: PublicChannelAdd) -> None:
        self._later(LATENCY_MS, lambda: who.machine.added(payload, self.now))

    def _wrapped(self, who: Member, payload: PublicChannelUpdated) -> None:
        self._later(LATENCY_MS, lambda: who.machine.updated(payload, self.now))

    def _tell_presence(self, who: Member, to: Member) -> None:
        def told() -> None:
            if who.server is not None and to.server is not None:
                to.machine.member_online(who.name, who.key.public, self.now)

        self._later(LATENCY_MS, told)

    def _reach(self, server: Server) -> list[Member]:
        return [who for each in server.mesh() for who in each.members.values()]

    def _home(self, who: Member) -> Server:
        assert who.server is not None
        return who.server

    def _later(self, ms: int, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (self.now + ms, next(self._count), act))
