"""S6: gossip storms and loops: forged ADVERTISE churn, two servers echoing."""

from __future__ import annotations

import pytest

from socp.sim.ids import an_id
from tests.sim.town import Town, town


def frames_between(t: Town) -> int:
    wire = t.world.network.between(t.a, t.b)
    return len(wire.up_log) + len(wire.down_log)


@pytest.mark.threat("S6")
def test_an_event_costs_a_bounded_number_of_frames_on_a_ring_of_three() -> None:
    t = town()
    t.run(20)
    before = frames_between(t)
    t.carol.leave()
    t.run(1)
    t.carol.come_back()
    t.run(1)
    assert frames_between(t) - before <= 12


@pytest.mark.threat("S6")
def test_a_frame_that_is_echoed_back_goes_round_once() -> None:
    t = town()
    wire = t.world.network.between(t.c, t.a)
    data = [d for d in (*wire.up_log, *wire.down_log) if b'"USER_ADVERTISE"' in d[:30]][-1]
    before = frames_between(t)
    for _ in range(100):
        for server in (t.a, t.b):
            t.world.network.between(t.c, server).send(t.c, data)
        t.run(0.01)
    assert frames_between(t) - before <= 4


@pytest.mark.threat("S6")
def test_a_server_that_forges_presence_is_cut_and_the_log_says_why() -> None:
    t = town()
    before = frames_between(t)
    for number in range(200):
        ghost = {"user_id": an_id(f"ghost {number}"), "server_id": t.b.id}
        try:
            t.c.forge(t.a, "USER_ADVERTISE", ghost, from_=t.b.id)
        except KeyError:
            break
        t.run(0.01)
    t.run(1)
    assert t.c.id not in t.a.linked
    assert frames_between(t) - before < 20
    assert f"{t.c.id} sent too much that we refuse" in t.a.log()
    t.alice.says(t.bob, "we go on")
    t.run(1)
    assert t.bob.texts == ["we go on"]
