"""Plays a story: the real brains, a simulated world, and the laws."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from socp.crypto.keys import Suite
from socp.member import effects as member
from socp.member.events import ChoosePublic, KeepKey
from socp.member.events import Event as MemberEvent
from socp.member.records import PublicChoice
from socp.node import effects as node
from socp.node.events import Event as NodeEvent
from socp.node.settings import Federation
from socp.sim.agenda import Endless
from socp.sim.deeds import Deeds
from socp.sim.dice import Dice
from socp.sim.failure import failed
from socp.sim.laws import CALM_S, CONVERGED_MS, Broken, Law, Laws
from socp.sim.network import Endpoint
from socp.sim.server import TICK_MS as SERVER_TICK_MS
from socp.sim.server import Server
from socp.sim.server_lies import ServerLies
from socp.sim.story import Story
from socp.sim.user import TICK_MS, User
from socp.sim.user_lies import UserLies
from socp.sim.world import World

FIRST_PORT: Final = 10_001
INTRODUCERS: Final = 3
SETTLED_S: Final = 40
"""Every server linked with every other."""
ARRIVAL_MS: Final = 50
"""Between two users who come for the first time."""
LOOK_MS: Final = 1_000
COMPARED_MS: Final = 10_000
"""So often directories that agreed are compared again; each second while they have not."""
DELIVERED_S: Final = 1_200
"""From the end of all faults until nothing that was said is missing."""
FADES_S: Final = 60
"""From there until the last receipt is where it belongs, and who was turned away is in again."""
MANY_USERS: Final = 100
TICK_MS_OF_MANY: Final = 1_000
"""With more users they and their servers look at their clocks once a second."""
DECIDED_MS: Final = 2_000
"""So long somebody looks at the warning that a contact has another key."""
KINDS_KEPT: Final = 4_096
COMMIT_MS_MAX: Final = 20
DELAY_MS_MAX: Final = 120


@dataclass(slots=True)
class Traffic:
    """What one server sent."""

    frames: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. `steps`: things that happened; `digest`: of every frame and effect, "" where
    none was asked for."""

    story: Story
    broken: Broken | None
    steps: int
    ms: int  # simulated, from the start of the servers
    digest: str
    said: int
    shown: int
    delays_ms: list[int]
    converged_ms: list[int]
    traffic: list[Traffic] = field(default_factory=list)


class Play:
    """One run of one story."""

    def __init__(self, story: Story, suite: Suite | None = None, *, digested: bool = True) -> None:
        """`suite`: the real one, for real keys, which are different each time. `digested`: what
        happens is digested, so that a replay can be told from another run."""
        self.story = story
        self._digested = digested
        self.world = world = World(story.seed, suite)
        self.agenda = world.agenda
        self._hash = hashlib.blake2b(digest_size=16)
        self._noted: list[bytes] = []  # what is to be digested
        self._dice = Dice(story.seed)
        self._traffic: dict[object, Traffic] = {}
        weather = world.network.weather
        weather.passing, weather.delay_ms, weather.frames_kept = self._passed, self._delay, 0
        self._bad_servers, self._bad_users = story.bad_servers, story.bad_users
        ports = [FIRST_PORT + number for number in range(story.servers)]
        self.servers = [self._server(number, port, ports) for number, port in enumerate(ports)]
        self.users: list[User] = []
        self._server_lies = ServerLies(world, self.servers, self.users)
        self._user_lies = UserLies(world, self.servers, self.users)
        self.laws, self._deeds = self._judged()
        self.converged_ms: list[int] = []
        self.each_second: Callable[[], None] = lambda: None
        """Somebody who looks on: when the servers are linked, when all users are here, and then
        each simulated second."""

    @property
    def sent(self) -> Traffic:
        """What all servers sent so far."""
        each = [self._traffic[server] for server in self.servers]
        return Traffic(sum(one.frames for one in each), sum(one.bytes for one in each))

    @staticmethod
    def starts_ms(story: Story) -> int:
        """When the first happening may be: all servers are linked, and all users are here."""
        return 2 * SETTLED_S * 1000 + story.users * ARRIVAL_MS

    def run(self) -> Outcome:
        """To its end, or until a law is broken."""
        broken = None
        try:
            self._settle()
            self._storm()
            self._heal()
            self._rest()
        except Broken as law:
            broken = law
        except Endless as fault:
            broken = Broken(Law.LIVELY, str(fault))
        except Exception as fault:  # noqa: BLE001 - the top: what a brain raises breaks a law
            broken = failed(fault)
        return self._outcome(broken)

    # --- the parts of a run ---------------------------------------------------------------------

    def _settle(self) -> None:
        self.world.run(SETTLED_S)
        self.each_second()
        for number in range(self.story.users):
            self.users.append(self._user(number))
            self.agenda.run(ARRIVAL_MS)
            self._digest_noted()
        self.laws, self._deeds = self._judged()
        self.world.run(SETTLED_S)
        self.each_second()

    def _judged(self) -> tuple[Laws, Deeds]:
        """With those who are here by now."""
        story = self.story
        laws = Laws(self.servers, self.users, story.bad_servers, story.bad_users)
        lies = {**self._server_lies.table, **self._user_lies.table}
        return laws, Deeds(self.world, self.servers, self.users, laws, lies)

    def _storm(self) -> None:
        deeds = self._deeds
        for happening in self.story.happenings:
            deeds.plan(happening)
        end_ms = self.agenda.mono + int(self.story.minutes * 60_000)
        healed = _Healed(self.agenda.mono)
        while self.agenda.mono < end_ms:
            self._second()
            if deeds.going_on or healed.since_ms < deeds.last_ms:
                healed = _Healed(self.agenda.mono)
            self._directories(healed)
        deeds.end()

    def _heal(self) -> None:
        healed = _Healed(self.agenda.mono)
        until_ms = self.agenda.mono + DELIVERED_S * 1000
        while (self.agenda.mono < until_ms and self.laws.undelivered()) or not healed.converged:
            self._second()
            self._directories(healed)
        if missing := self.laws.undelivered():
            raise Broken(Law.DELIVERED, f"{DELIVERED_S} s after the last fault {missing}")

    def _rest(self) -> None:
        """What is left of the last words fades; then nobody has anything to say."""
        for _ in range(FADES_S):
            self._second()
        before = {server: self._traffic[server].frames for server in self.servers}
        for _ in range(CALM_S):
            self._second()
        self.laws.check_calm(lambda server: self._traffic[server].frames - before[server])

    def _second(self) -> None:
        self.agenda.run(LOOK_MS)
        self._digest_noted()
        self.laws.look()
        self.each_second()

    def _directories(self, healed: _Healed) -> None:
        """They must agree, once there was time for it, from then on."""
        since_ms = self.agenda.mono - healed.since_ms
        if healed.converged and (since_ms < CONVERGED_MS or since_ms % COMPARED_MS):
            return
        differs = self.laws.differs()
        if not differs and not healed.converged:
            healed.converged = True
            if since_ms:
                self.converged_ms.append(since_ms)
        agreed_ms = max(healed.since_ms, self._deeds.caught_up_ms) + CONVERGED_MS
        if differs and self.agenda.mono > agreed_ms:
            raise Broken(Law.CONVERGED, f"{since_ms / 1000:g} s after the last fault {differs}")

    # --- who is there ---------------------------------------------------------------------------

    def _server(self, number: int, port: int, ports: list[int]) -> Server:
        server = self.world.add_server(
            f"s{number}",
            port,
            bootstrap=tuple(ports[:INTRODUCERS]),
            federation=Federation.OPEN,
            bad=number in self._bad_servers,
            fast_sig=self._has_fast_sig(number),
            tick_ms=TICK_MS_OF_MANY if self.story.users > MANY_USERS else SERVER_TICK_MS,
        )
        server.commits_take(self._dice.between(1, COMMIT_MS_MAX))
        server.watch = self._server_did
        self._traffic[server] = Traffic()
        return server

    def _user(self, number: int) -> User:
        server = self.servers[number % len(self.servers)]
        user = self.world.add_user(
            f"u{number}",
            server,
            skew_ms=self._dice.between(-2_000, 2_000),
            tick_ms=TICK_MS_OF_MANY if self.story.users > MANY_USERS else TICK_MS,
            fast_sig=self._has_fast_sig(number // len(self.servers)),
        )
        user.watch = self._user_did
        if number in self._bad_users:
            self._user_lies.watch(user)
        if self._bad_servers:  # who makes up users without `hybrid/1` must not stop all posts
            user.event(ChoosePublic(PublicChoice(leave_out=True)))
        return user

    def _has_fast_sig(self, number: int) -> bool:
        """In one of three stories all have it, in one nobody, in one every other."""
        return self.story.seed % 3 == 0 or (self.story.seed % 3 == 1 and number % 2 == 0)

    def _delay(self, _near: Endpoint, _far: Endpoint) -> int:
        return self._dice.between(1, self._dice.one_of((5, 40, DELAY_MS_MAX)))

    # --- looking on -----------------------------------------------------------------------------

    def _passed(self, sender: Endpoint | None, data: bytes) -> None:
        if self._digested:
            self._noted += (b"%d " % self.agenda.mono, data)
        traffic = self._traffic.get(sender)
        if traffic is not None:
            traffic.frames += 1
            traffic.bytes += len(data)

    def _server_did(self, server: Server, event: NodeEvent, effects: list[node.Effect]) -> None:
        self._note(server.name, event, effects)
        self.laws.server_did(server, effects, self.agenda.mono)

    def _user_did(self, user: User, event: MemberEvent, effects: list[member.Effect]) -> None:
        if effects:
            self._note(user.name, event, effects)
            self.laws.user_did(user, effects, self.agenda.mono)
        for effect in effects:
            if isinstance(effect, member.Tell) and isinstance(effect.notice, member.KeyChanged):
                self._decides(user, effect.notice)
        user.forget_notices()

    def _decides(self, user: User, changed: member.KeyChanged) -> None:
        """Nobody here has a new key: the person asks them, and keeps the one that is known."""
        keeps = KeepKey(changed.user_id, changed.claimed)
        self.agenda.after(DECIDED_MS, lambda: user.event(keeps))

    def _note(
        self, name: str, event: object, effects: list[node.Effect] | list[member.Effect]
    ) -> None:
        if not self._digested:
            return
        kinds = _kinds((type(event), *map(type, effects)))
        self._noted.append(f"{self.agenda.mono} {name} {kinds}".encode())

    def _digest_noted(self) -> None:
        """All at once, for each call costs more than what it digests."""
        self._hash.update(b"".join(self._noted))
        self._noted.clear()

    def _digest(self) -> str:
        """With what everybody has stored at the end."""
        self._digest_noted()
        kept = [server.disk.load() for server in self.servers]
        kept_by_users = [user.disk.load() for user in self.users]
        self._hash.update(repr((kept, kept_by_users)).encode())
        return self._hash.hexdigest()

    def _outcome(self, broken: Broken | None) -> Outcome:
        return Outcome(
            story=self.story,
            broken=broken,
            steps=self.agenda.steps,
            ms=self.agenda.mono,
            digest=self._digest() if self._digested else "",
            said=len(self.laws.said),
            shown=sum(len(said.shown) for said in self.laws.said),
            delays_ms=sorted(self.laws.delays_ms),
            converged_ms=self.converged_ms,
            traffic=[self._traffic[server] for server in self.servers],
        )


@lru_cache(KINDS_KEPT)
def _kinds(kinds: tuple[type, ...]) -> str:
    """The event and what came of it, by name."""
    event, *effects = [each.__name__ for each in kinds]
    return f"{event}: {' '.join(effects)}\n"


@dataclass(slots=True)
class _Healed:
    """Since when nothing is wrong, and whether the directories agreed since."""

    since_ms: int
    converged: bool = False
