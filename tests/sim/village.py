"""Many servers, each with plain v1.3 users played by hand, and what goes between them counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations

from msgspec import structs

from socp.node.effects import Outgoing
from socp.node.settings import Federation
from socp.sim.network import Wire
from socp.sim.server import Server
from socp.sim.stranger import Stranger
from socp.sim.world import World
from socp.wire import strict
from socp.wire.canonical import canonical
from socp.wire.features import GOSSIP

PRESENCE = ("USER_ADVERTISE", "USER_REMOVE")
HEADS = tuple(f'{{"type":"{kind}"'.encode() for kind in PRESENCE)
GIVEN_UP_S = 70
"""A link on which nothing comes through is given up, and all of that is told."""
SETTLED_S = 40
"""Every server linked with every other that it can reach, and all of it told."""

Loses = Callable[[bytes], bool]


class Village:
    """`n` servers; the last `older` of them never heard of `gossip/1`. `roads`: the pairs that stay
    in reach of each other once all have met, all by default."""

    def __init__(
        self,
        n: int,
        *,
        older: int = 0,
        seed: int = 1,
        roads: Iterable[tuple[int, int]] | None = None,
    ) -> None:
        self.world = World(seed)
        self.servers: list[Server] = []
        self.people: dict[str, Stranger] = {}
        for number in range(n):
            server = self.world.add_server(
                f"s{number}", 8001 + number, bootstrap=(8001,), federation=Federation.OPEN
            )
            if number >= n - older:
                server.bend = never_heard_of_gossip
            self.servers.append(server)
        self.roads = {tuple(sorted(pair)) for pair in roads or combinations(range(n), 2)}
        self.run(SETTLED_S)
        far = [pair for pair in combinations(range(n), 2) if pair not in self.roads]
        for one, other in far:
            self.world.network.hush(self.servers[one], self.servers[other])
        self.run(GIVEN_UP_S if far else 0)
        for number, server in enumerate(self.servers):
            assert server.linked == {self.servers[each].id for each in self.neighbours(number)}

    def run(self, seconds: float) -> None:
        self.world.run(seconds)

    def neighbours(self, number: int) -> set[int]:
        return {a + b - number for a, b in self.roads if number in (a, b)}

    # --- people ---------------------------------------------------------------------------------

    def comes(self, name: str, number: int) -> Stranger:
        """Somebody says hello at a server."""
        person = self.people.get(name) or self.world.add_stranger(name)
        self.people[name] = person
        person.dials(self.servers[number])
        self.run(0.002)
        person.hello()
        return person

    def leaves(self, name: str) -> None:
        wire = self.people[name].wire
        assert wire is not None
        wire.cut()

    def is_away(self, name: str) -> bool:
        return name not in self.people or self.people[name].wire is None

    # --- what must be ---------------------------------------------------------------------------

    def truth(self) -> dict[str, str]:
        """Who is where, by the word of the server they are with."""
        return {
            user_id: server.id
            for server in self.servers
            for user_id, server_id in server.whereabouts.items()
            if server_id == server.id
        }

    def differs(self) -> list[str]:
        """The servers that see it otherwise, and how."""
        truth = self.truth()
        return [
            f"{server.name}: {sorted(server.whereabouts.items() ^ truth.items())}"
            for server in self.servers
            if server.whereabouts != truth
        ]

    # --- what goes between them -----------------------------------------------------------------

    def wires(self) -> list[Wire]:
        """The open ones between servers."""
        found = {
            id(wire): wire
            for server in self.servers
            for wire in self.world.network.wires_of(server)
            if isinstance(wire.near, Server) and isinstance(wire.far, Server)
        }
        return list(found.values())

    def frames(self, heads: tuple[bytes, ...] = HEADS) -> int:
        """Frames of these types that arrived at servers from servers, since the start."""
        return sum(
            data.startswith(heads)
            for wire in self.wires()
            for data in (*wire.up_log, *wire.down_log)
        )

    def lose(self, loses: Loses) -> None:
        """From now on frames between servers are lost where `loses` says so."""

        def loses_here(wire: Wire, data: bytes) -> bool:
            between = isinstance(wire.near, Server) and isinstance(wire.far, Server)
            return between and loses(data)

        self.world.network.weather.loses = loses_here


class LosesOne:
    """Loses the frame of presence with this number, counted from 0."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.done = False

    def __call__(self, data: bytes) -> bool:
        if not data.startswith(HEADS):
            return False
        self.left -= 1
        self.done |= self.left == -1
        return self.left == -1


def never_heard_of_gossip(said: Outgoing) -> Outgoing:
    """As a server says it that has all of ours but `gossip/1`."""
    members = strict.loads(said.payload)
    assert isinstance(members, dict)
    if said.type == "HEARTBEAT":
        members = {name: members[name] for name in ("bind",) if name in members}
    elif isinstance(members.get("features"), list):
        members["features"] = [each for each in members["features"] if each != GOSSIP]
    else:
        return said
    return structs.replace(said, payload=canonical(members))
