"""A server that is away for an hour, and back: what was said meanwhile to its users and by them
arrives, in order and once; nobody gave up, filled a table or asked without end (S9, S10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from socp.member.records import LineState
from socp.node.events import Event
from socp.sim.network import Endpoint, Network, Wire
from socp.sim.server import Server
from socp.wire import limits
from socp.wire.addresses import HostPort
from tests.sim.town import Town, town

HOUR_S = 3_600
STEP_S = 300
STEPS = range(HOUR_S // STEP_S)
BACK_S = limits.RECONNECT_MAX_S + 5
EVENTS_A_S = 8  # 4 ticks, 1 dial, its failure, and what is said
SEEN_S = 700  # what passed is forgotten then


def killed(t: Town) -> Callable[[], None]:
    """Its process is gone; its user's client knocks."""
    t.b.kill()
    return t.b.start


def unreachable(t: Town) -> Callable[[], None]:
    """Nothing gets to it from other servers, or from it; its user goes on with it."""
    t.world.network.part(t.b, t.bob)
    return t.world.network.heal


class Work:
    """Counts dials, and what a server has to do."""

    def __init__(self, t: Town, patch: pytest.MonkeyPatch) -> None:
        self.dials: Counter[Endpoint] = Counter()
        self.events: Counter[Server] = Counter()
        network = t.world.network
        patch.setattr(network, "dial", self._dialling(network))
        for server in (t.a, t.c):
            patch.setattr(server, "event", self._taking(server, server.event))

    def _dialling(self, network: Network) -> Callable[..., None]:
        dial = network.dial

        def counted(
            near: Endpoint,
            address: HostPort,
            opened: Callable[[Wire], None],
            failed: Callable[[str], None],
        ) -> None:
            self.dials[near] += 1
            dial(near, address, opened, failed)

        return counted

    def _taking(self, server: Server, take: Callable[[Event], None]) -> Callable[[Event], None]:
        def counted(event: Event) -> None:
            self.events[server] += 1
            take(event)

        return counted


def told(texts: list[str], author: str) -> list[str]:
    return [text for text in texts if text.startswith(author)]


@pytest.mark.spec("11")
@pytest.mark.threat("S10")
@pytest.mark.parametrize("goes", [killed, unreachable])
def test_a_server_that_was_away_for_an_hour_is_given_all_that_was_said(
    goes: Callable[[Town], Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    t = town()
    rows = {server: server.node.rows() for server in (t.a, t.b, t.c)}
    work = Work(t, monkeypatch)
    comes_back = goes(t)
    for n in STEPS:
        t.alice.says(t.bob, f"alice {n}")
        t.carol.says(t.bob, f"carol {n}")
        t.bob.says(t.alice, f"bob {n}")
        t.alice.posts(f"post {n}")
        t.run(STEP_S)
    kept = {t.alice.line(f"alice {n}").state for n in STEPS}
    assert kept == {LineState.DONE}, "her server has them"
    assert [server.node.rows()["mail"] for server in (t.a, t.c)] == [len(STEPS)] * 2
    assert all(count <= 2 * HOUR_S for count in work.dials.values()), "once a second a target"
    assert all(count <= EVENTS_A_S * HOUR_S for count in work.events.values())
    comes_back()
    t.run(BACK_S)
    for author in ("alice", "carol", "post"):
        assert told(t.bob.texts, author) == [f"{author} {n}" for n in STEPS]
    assert t.alice.texts == [f"bob {n}" for n in STEPS]
    assert {t.alice.line(f"alice {n}").state for n in STEPS} == {LineState.READ}
    t.run(SEEN_S)
    assert {server: server.node.rows()["mail"] for server in rows} == dict.fromkeys(rows, 0)
    for server, before in rows.items():
        after = server.node.rows()
        assert (after["links"], after["online"]) == (before["links"], before["online"])
        assert after["seen_ids"] <= before["seen_ids"] + len(STEPS)
    assert work.dials.total() <= 6 * HOUR_S
