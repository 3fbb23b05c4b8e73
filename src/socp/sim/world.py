"""World: servers and users by name, and time that passes when a test says so.

world = World()
a, b = world.add_server("a", 8001), world.add_server("b", 8002)
alice, bob = world.add_user("alice", a), world.add_user("bob", b)
world.run(10)
alice.says(bob, "hello")
world.run(1)
assert bob.texts == ["hello"]
"""

from __future__ import annotations

from socp.crypto.keys import PrivateKey, Suite
from socp.crypto.symbolic import SymbolicSuite
from socp.node.settings import Federation, Settings
from socp.sim.agenda import Agenda
from socp.sim.bad_server import BadServer
from socp.sim.ids import an_id
from socp.sim.network import Network
from socp.sim.server import TICK_MS as SERVER_TICK_MS
from socp.sim.server import Server
from socp.sim.stranger import Stranger
from socp.sim.user import TICK_MS, User
from socp.wire.addresses import BootstrapEntry, HostPort

PORTS = (8001, 8002, 8003)
"""The default bootstrap list: what `script/server` knows without configuration."""


class World:
    """One seed, one run."""

    def __init__(self, seed: int = 1, suite: Suite | None = None) -> None:
        """`suite`: the real one, to run a scenario with real keys."""
        self.suite = suite or SymbolicSuite(seed)
        self.agenda = Agenda()
        self.network = Network(self.agenda)
        self.servers: dict[str, Server] = {}
        self.users: dict[str, User] = {}

    @property
    def wall(self) -> int:
        """The true time, Unix ms."""
        return self.agenda.wall

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.agenda.run(int(seconds * 1000))

    # --- who is there ---------------------------------------------------------------------------

    def add_server(
        self,
        name: str,
        port: int,
        *,
        bootstrap: tuple[int, ...] = PORTS,
        federation: Federation = Federation.KNOWN,
        key: PrivateKey | None = None,
        tick_ms: int = SERVER_TICK_MS,
        bad: bool = False,
        fast_sig: bool = True,
    ) -> Server:
        """A server that starts now, and looks around each `tick_ms`. With the default `bootstrap`
        it finds others on loopback. A `bad` one can be made to lie in all the ways of
        `server_lies`."""
        settings = Settings(
            server_id=an_id(f"server {name}"),
            address=HostPort("localhost", port),
            bootstrap=tuple(
                BootstrapEntry(HostPort("localhost", other), tls=False, fingerprint=None)
                for other in bootstrap
                if other != port
            ),
            federation=federation,
        )
        key = key or self.suite.generate()
        kind = BadServer if bad else Server
        server = kind(name, settings, self.suite, key, self.network)
        server.fast_sig = fast_sig
        self.servers[name] = server
        server.tick_ms = tick_ms
        server.start()
        return server

    def add_user(
        self,
        name: str,
        server: Server,
        *,
        skew_ms: int = 0,
        key: PrivateKey | None = None,
        tick_ms: int = TICK_MS,
        fast_sig: bool = True,
    ) -> User:
        """A user who starts now, dials `server`, and looks around each `tick_ms`."""
        key = key or self.suite.generate()
        user = User(name, self.suite, key, self.network, server.address, skew_ms)
        user.tick_ms, user.fast_sig = tick_ms, fast_sig
        self.users[name] = user
        user.start()
        return user

    def add_stranger(self, name: str, key: PrivateKey | None = None) -> Stranger:
        """Somebody who speaks frames by hand: a foreign client, a foreign server, an attacker."""
        return Stranger(name, key or self.suite.generate(), self.network)

    def three(self) -> tuple[Server, Server, Server]:
        """The default: three servers on loopback, linked."""
        a, b, c = (self.add_server(name, port) for name, port in zip("abc", PORTS, strict=True))
        self.run(10)
        return a, b, c
