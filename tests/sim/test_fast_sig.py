"""`fast-sig/1` (section 11) in whole meshes: with it, without it, and both beside each other."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest

from socp.sim.network import Endpoint
from socp.sim.server import Server
from socp.sim.user import User
from socp.sim.world import World
from socp.wire import limits
from socp.wire.envelope import decode
from socp.wire.hop import is_hop

pytestmark = pytest.mark.spec("11")

HALF_A_DAY_MS = limits.SESSION_MS // 2 + 1_000


class Town:
    """Two servers, a user at each, and a count of what is signed in which way by whom."""

    def __init__(self, servers: tuple[bool, bool], users: tuple[bool, bool]) -> None:
        self.world = world = World(5)
        self.signed: Counter[tuple[Endpoint | None, str, bool]] = Counter()
        world.network.weather.passing = self._passed
        self.a = world.add_server("a", 8001, fast_sig=servers[0])
        self.b = world.add_server("b", 8002, fast_sig=servers[1])
        world.run(10)
        self.alice = world.add_user("alice", self.a, fast_sig=users[0])
        self.bob = world.add_user("bob", self.b, fast_sig=users[1])
        world.run(10)

    def _passed(self, sender: Endpoint | None, data: bytes) -> None:
        frame = decode(data)
        if frame.sig:
            self.signed[sender, frame.type, frame.sig.startswith("ed:")] += 1

    def talk(self, text: str) -> None:
        """In private, to all, and a file; both ways, and all of it arrives."""
        for one, other in ((self.alice, self.bob), (self.bob, self.alice)):
            one.says(other, f"{text}, {other.name}")
            one.posts(f"{text}, all")
            one.sends_file(other, f"{text} from {one.name}.txt", text.encode() * 100)
        self.world.run(20)
        for one, other in ((self.alice, self.bob), (self.bob, self.alice)):
            assert one.texts[-2:] == [f"{text}, {one.name}", f"{text}, all"]
            assert one.received_files[f"{text} from {other.name}.txt"] == text.encode() * 100

    def uses(self, sender: Server | User, kind: str) -> set[bool]:
        """Whether its frames of this type are signed by session keys, after they are agreed."""
        return {fast for who, name, fast in self.signed if (who, name) == (sender, kind)}

    @property
    def log(self) -> str:
        return self.a.log() + self.b.log()


@pytest.mark.parametrize("fast", list(product((True, False), repeat=4)), ids=str)
def test_who_has_session_keys_and_who_has_not_talk_as_before(
    fast: tuple[bool, bool, bool, bool],
) -> None:
    a_has, b_has, alice_has, bob_has = fast
    town = Town((a_has, b_has), (alice_has, bob_has))
    town.talk("hello")
    assert town.uses(town.a, "SERVER_DELIVER") == {a_has and b_has}
    assert town.uses(town.b, "USER_DELIVER") == {b_has and bob_has}
    assert town.uses(town.alice, "MSG_DIRECT") == {a_has and alice_has}
    assert town.uses(town.bob, "FILE_CHUNK") == {b_has and bob_has}
    travels = {name for _, name, fast in town.signed if fast and not is_hop(name)}
    assert not travels
    assert town.uses(town.a, "USER_ADVERTISE") == {False}
    assert "Refused" not in town.log


def test_after_half_a_day_all_keys_are_new_and_nothing_is_lost() -> None:
    town = Town((True, True), (True, True))
    town.talk("today")
    everybody = (town.a, town.b, town.alice, town.bob)
    for each in everybody:
        each.skew_ms += HALF_A_DAY_MS
    town.world.run(70)
    for each in everybody:
        assert town.uses(each, "SESSION_KEY") == {True}
    town.talk("tomorrow")
    for each in everybody:  # what was made at the start is over by now
        each.skew_ms += HALF_A_DAY_MS
    town.talk("the day after")
    assert "Refused" not in town.log
    assert not [user.warnings for user in (town.alice, town.bob) if user.warnings]


@pytest.mark.spec("2")
@pytest.mark.parametrize("skew_ms", [-3_600_000, 3_600_000])
def test_a_client_whose_clock_is_off_gets_session_keys_all_the_same(skew_ms: int) -> None:
    town = Town((True, True), (True, True))
    carol = town.world.add_user("carol", town.a, skew_ms=skew_ms)
    town.world.run(20)
    town.signed.clear()
    carol.says(town.bob, "what time is it?")
    town.world.run(10)
    assert "what time is it?" in town.bob.texts
    assert town.uses(carol, "MSG_DIRECT") == {True}


def test_what_is_sent_again_on_another_link_is_signed_anew_and_shown_once() -> None:
    """A session key is for one link; the message itself stays as it is, to the byte."""
    town = Town((True, True), (True, True))
    assert town.alice.wire is not None
    seen: list[bytes] = []

    def swallow(data: bytes) -> list[bytes]:
        frame = decode(data)
        if frame.type != "MSG_DIRECT":
            return [data]
        seen.append(data)
        return []

    town.alice.wire.up_tap = swallow
    town.alice.says(town.bob, "again")
    town.world.run(1)
    town.alice.wire.cut()
    again = town.world.network.weather.passing
    heard: list[bytes] = []
    town.world.network.weather.passing = lambda _, data: heard.append(data)
    town.world.run(20)
    assert again is not None
    assert town.bob.texts == ["again"]
    first, later = decode(seen[0]), next(decode(d) for d in heard if decode(d).type == "MSG_DIRECT")
    assert (later.payload, later.ts) == (first.payload, first.ts)
    assert later.sig != first.sig
