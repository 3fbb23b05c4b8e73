"""Heartbeats, silence and what follows from it (section 5)."""

from __future__ import annotations

import pytest

from tests.node.cast import advertise, linked_server
from tests.node.mesh import Mesh, Server, an_id


@pytest.mark.spec("5")
def test_a_heartbeat_goes_to_every_server_every_15_s(mesh: Mesh, a: Server) -> None:
    b, c = linked_server(mesh, a, "b"), linked_server(mesh, a, "c", port=9010)
    mesh.run(1)
    for peer in (b, c):
        peer.clear()
    mesh.run(60)
    for peer in (b, c):
        beats = peer.said("HEARTBEAT")
        assert len(beats) == 4
        assert {(e.from_, e.to) for e in beats} == {(a.id, peer.id)}


@pytest.mark.spec("5")
def test_a_server_silent_for_45_s_is_closed_and_its_users_are_away(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, _ = advertise(b, "bob")
    b.answers_pings = False
    mesh.run(44)
    assert b.closed is None
    mesh.run(3)
    assert b.closed == 1001
    assert alice.members("USER_REMOVE")[-1]["user_id"] == bob
    assert not a.linked()


@pytest.mark.spec("5")
@pytest.mark.parametrize("life", ["pong", "heartbeat"])
def test_a_pong_or_a_heartbeat_is_life(mesh: Mesh, a: Server, life: str) -> None:
    b = linked_server(mesh, a, "b")
    b.answers_pings = life == "pong"
    for _ in range(10):
        mesh.run(15)
        if life == "heartbeat":
            b.say("HEARTBEAT", {}, to=a.id)
    assert b.closed is None


@pytest.mark.spec("5")
@pytest.mark.threat("M2")
def test_a_heartbeat_counts_only_on_the_link_of_its_server(mesh: Mesh, a: Server) -> None:
    b, m = linked_server(mesh, a, "b"), linked_server(mesh, a, "m", port=9010)
    b.answers_pings = False
    m.clear()
    for _ in range(4):
        mesh.run(12)
        m.say("HEARTBEAT", {}, to=a.id, from_=b.id, sign_with=b.key)
    assert b.closed == 1001
    assert m.errors() == ["NOT_ALLOWED"] * 4


@pytest.mark.spec("5")
def test_a_user_who_answers_no_ping_is_let_go(mesh: Mesh, a: Server) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    alice.answers_pings = False
    mesh.run(100)
    assert (alice.closed, bob.closed) == (1001, None)
    assert bob.members("USER_REMOVE")[-1]["user_id"] == alice.id


@pytest.mark.spec("5")
def test_time_that_jumps_on_the_wall_ends_no_link(mesh: Mesh, a: Server) -> None:
    alice, b = mesh.user(a, "alice"), linked_server(mesh, a, "b")
    mesh.wall += 7 * 86_400_000
    mesh.run(2)
    mesh.wall -= 14 * 86_400_000
    mesh.run(2)
    assert (alice.closed, b.closed) == (None, None)


@pytest.mark.spec("5")
def test_a_user_who_comes_back_while_the_clock_stood_still_is_seen_in_order(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, _ = three
    bob = mesh.user(b, "bob")
    alice = mesh.user(a, "alice")
    for _ in range(5):
        alice.drop()
        alice = mesh.user(a, "alice", key=alice.key)
    seen = [e for e in bob.heard if e.members.get("user_id") == an_id("alice")]
    assert [e.type for e in seen[-2:]] == ["USER_REMOVE", "USER_ADVERTISE"]
    times = [e.ts for e in seen]
    assert times == sorted(set(times))


@pytest.mark.spec("5")
def test_a_silent_user_is_asked_now_and_then_whether_they_live(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice")
    alice.answers_pings = False
    mesh.run(29)
    assert alice.pings == 0
    mesh.run(55)
    assert alice.pings == 2
    alice.say("LIST_REQUEST", {}, to=a.id)
    mesh.run(29)
    assert alice.pings == 2
