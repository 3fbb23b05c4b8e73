"""Does what a story says, to a world."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations

from socp.sim.dice import Dice
from socp.sim.laws import Laws
from socp.sim.network import Endpoint
from socp.sim.server import Server
from socp.sim.story import WORK, Happening, Kind
from socp.sim.user import User
from socp.sim.world import World
from socp.wire import limits

Undo = Callable[[], None]
Deed = Callable[[Happening], Undo | None]


class Deeds:
    """`going_on`: how many faults are not over; `last_ms`: when the last one began or ended.

    What a fault does is done by a method that gives back how to undo it; None where there was
    nothing to do, as for a server that is down already.
    """

    def __init__(
        self,
        world: World,
        servers: Sequence[Server],
        users: Sequence[User],
        laws: Laws,
        lies: Mapping[Kind, Deed],
    ) -> None:
        self.going_on = 0
        self.last_ms = 0
        self.caught_up_ms = 0
        """When the time is there that a clock, since set back, showed last: until then what its
        server says of its users may count as older than what it said before (section 2)."""
        self._agenda = world.agenda
        self._network = world.network
        self._pauses = world.network.weather.pauses
        self._servers = servers
        self._users = users
        self._laws = laws
        self._undos: dict[int, Undo] = {}
        self._faults: dict[Kind, Deed] = {
            Kind.LEAVE: self._leave,
            Kind.KILL_USER: self._kill_user,
            Kind.KILL_SERVER: self._kill_server,
            Kind.DISK_FULL: self._disk_full,
            Kind.CUT: self._cut,
            Kind.PART: self._part,
            Kind.ONE_WAY: self._one_way,
            Kind.USER_OFF: self._user_off,
            Kind.FREEZE: lambda told: self._freeze(self._server(told.who)),
            Kind.FREEZE_USER: lambda told: self._freeze(self._user(told.who)),
            Kind.SLOW: self._slow,
            Kind.JUMP: self._jump,
            **lies,
        }

    def plan(self, happening: Happening) -> None:
        """Have it happen at its time from now."""
        self._agenda.after(happening.at_ms, partial(self._do, happening))

    def end(self) -> None:
        """Undo all that is not over."""
        for number in tuple(self._undos):
            self._over(number)

    def _do(self, told: Happening) -> None:
        if told.kind in WORK:
            return self._work(told)
        undo = self._faults[told.kind](told)
        self.last_ms = self._agenda.mono
        if undo is not None:
            number = self._agenda.steps
            self._undos[number] = undo
            self.going_on += 1
            self._agenda.after(told.for_ms, partial(self._over, number))

    def _over(self, number: int) -> None:
        undo = self._undos.pop(number, None)
        if undo is not None:
            undo()
            self.going_on -= 1
            self.last_ms = self._agenda.mono

    def _server(self, number: int) -> Server:
        return self._servers[number % len(self._servers)]

    def _user(self, number: int) -> User:
        return self._users[number % len(self._users)]

    # --- work -----------------------------------------------------------------------------------

    def _work(self, told: Happening) -> None:
        author, reader = self._user(told.who), self._user(told.other)
        if not author.up or self._pauses.stands_still(author):
            return
        if told.kind is Kind.FILE:
            name = f"{self._agenda.steps}.bin"
            self._laws.sends_file(author, reader, name)
            author.sends_file(reader, name, bytes(told.much))
        elif told.kind is Kind.POST:
            author.posts(self._laws.says(author, None, self._agenda.mono).text)
        else:
            author.says(reader, self._laws.says(author, reader, self._agenda.mono).text)

    # --- users ----------------------------------------------------------------------------------

    def _leave(self, told: Happening) -> Undo | None:
        user = self._user(told.who)
        if not user.stays or not user.up:
            return None
        user.leave()
        return user.come_back

    def _kill_user(self, told: Happening) -> Undo | None:
        user = self._user(told.who)
        if not user.up:
            return None
        user.kill()
        return user.start

    def _user_off(self, told: Happening) -> Undo | None:
        user = self._user(told.who)
        server = next(each for each in self._servers if each.address == user.address)
        return self._stall([(user, server), (server, user)])

    def _freeze(self, who: Server | User) -> Undo | None:
        if not who.up or self._pauses.pause_of(who) is not None:
            return None
        self._pauses.freeze(who)
        return lambda: self._pauses.end(who)

    # --- servers --------------------------------------------------------------------------------

    def _kill_server(self, told: Happening) -> Undo | None:
        server = self._server(told.who)
        if not server.up:
            return None
        server.kill()
        return server.start

    def _disk_full(self, told: Happening) -> Undo | None:
        server = self._server(told.who)
        if server.disk.fault:
            return None
        server.disk.fault = f"the disk of {server.name} is full; make room"
        return lambda: setattr(server.disk, "fault", "")

    def _slow(self, told: Happening) -> Undo | None:
        server = self._server(told.who)
        if not server.up or self._pauses.pause_of(server) is not None:
            return None
        self._pauses.slow(server, max(told.much, 1))
        return lambda: self._pauses.end(server)

    def _jump(self, told: Happening) -> Undo | None:
        server = self._server(told.who)
        if server.skew_ms:
            return None
        server.skew_ms = told.much

        def set_right() -> None:
            server.skew_ms = 0
            ahead_ms = min(told.much, limits.TS_WINDOW_MS)
            self.caught_up_ms = max(self.caught_up_ms, self._agenda.mono + ahead_ms)

        return set_right

    def _cut(self, told: Happening) -> Undo | None:
        one, other = self._server(told.who), self._server(told.other)
        for wire in self._network.wires_of(one):
            if other in (wire.near, wire.far):
                wire.cut()
        return None

    def _part(self, told: Happening) -> Undo | None:
        sides = [Dice(told.much + number).bits() % 2 for number in range(len(self._servers))]
        if len(set(sides)) == 1:  # all on one side would be no partition
            sides[told.much % len(sides)] ^= 1
        numbered = list(zip(self._servers, sides, strict=True))
        apart = [
            (one, other)
            for (one, left), (other, right) in combinations(numbered, 2)
            if left is not right
        ]
        return self._stall([way for one, other in apart for way in ((one, other), (other, one))])

    def _one_way(self, told: Happening) -> Undo | None:
        return self._stall([(self._server(told.who), self._server(told.other))])

    def _stall(self, ways: list[tuple[Endpoint, Endpoint]]) -> Undo | None:
        """Those of them that are open; only these are opened again."""
        closed = [way for way in ways if way not in self._network.weather.stalled]
        for way in closed:
            self._network.stall(*way)

        def flow() -> None:
            for way in closed:
                self._network.flow(*way)

        return flow if closed else None
