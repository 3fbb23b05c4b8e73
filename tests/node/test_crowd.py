"""Many clients without `presence/1`: they hear once a tick, in order, and of nobody who is soon
back (sections 5 and 6; performance, "Presence is O(n^2)")."""

from __future__ import annotations

import random
from typing import TypeVar

import pytest

from socp.crypto.keys import PrivateKey
from socp.node import crowd
from socp.node.budget import Budget
from socp.node.effects import Bundle, Effect, Piece, Snapshot
from socp.node.events import Event, Now
from socp.wire.features import PRESENCE
from tests.node.cast import advertise, linked_server
from tests.node.mesh import USER_FEATURES, Mesh, Peer, Server, an_id, message

PRESENCE_FRAMES = ("USER_ADVERTISE", "USER_REMOVE")
HELD_S = crowd.HELD_MS / 1000

E = TypeVar("E")


@pytest.fixture
def a(mesh: Mesh) -> Server:
    """For whom two are many."""
    return mesh.server("a", few=1)


def told(peer: Peer) -> list[tuple[str, object]]:
    """What it heard of presence, by type and user."""
    return [(e.type, e.members["user_id"]) for e in peer.heard if e.type in PRESENCE_FRAMES]


def tick(mesh: Mesh) -> None:
    mesh.run(0.25)


def settled(mesh: Mesh, server: Server, *names: str) -> list[Peer]:
    """These users, who know of each other and heard nothing since."""
    peers = [mesh.user(server, name) for name in names]
    tick(mesh)
    for peer in peers:
        peer.clear()
    return peers


def back(mesh: Mesh, peer: Peer, display_name: str = "") -> Peer:
    """Somebody who lost their link comes again."""
    name = {an_id(n): n for n in ("alice", "bob", "carol")}[peer.id]
    return mesh.user(
        peer.server, name, key=peer.key, features=peer.features, display_name=display_name
    )


def watch_bundles(server: Server) -> list[Bundle]:
    """Those that its brain gives from now on."""
    return watch(server, Bundle)


def watch(server: Server, kind: type[E]) -> list[E]:
    """The effects of one kind that its brain gives from now on."""
    found: list[E] = []
    handle = server.node.handle

    def watched(event: Event, now: Now) -> list[Effect]:
        effects = handle(event, now)
        found.extend(each for each in effects if isinstance(each, kind))
        return effects

    server.node.handle = watched  # type: ignore[method-assign]
    return found


@pytest.mark.spec("6")
def test_those_who_come_within_a_tick_are_told_of_in_one_bundle(mesh: Mesh, a: Server) -> None:
    alice, bob = settled(mesh, a, "alice", "bob")
    bundles = watch_bundles(a)
    came = [mesh.user(a, f"user {n}") for n in range(5)]
    assert (told(alice), bundles) == ([], [])
    tick(mesh)
    assert told(alice) == told(bob) == [("USER_ADVERTISE", peer.id) for peer in came]
    assert len([b for b in bundles if {alice.link, bob.link} <= set(b.links)]) == 1
    assert sum(map(len, (b.links for b in bundles))) == 7, "each link is in one of them"


@pytest.mark.spec("6")
def test_who_comes_meanwhile_knows_of_everybody_and_never_hears_of_themselves(
    mesh: Mesh, a: Server
) -> None:
    peers = settled(mesh, a, "alice", "bob") + [mesh.user(a, f"user {n}") for n in range(6)]
    tick(mesh)
    for peer in peers[2:]:
        others = [("USER_ADVERTISE", other.id) for other in peers if other is not peer]
        assert sorted(told(peer)) == sorted(others), "each of them once"


@pytest.mark.spec("6")
def test_who_is_left_of_many_hears_at_once_again(mesh: Mesh, a: Server) -> None:
    alice, bob = settled(mesh, a, "alice", "bob")
    bob.drop()
    assert told(alice) == [("USER_REMOVE", bob.id)]
    carol = mesh.user(a, "carol")
    assert told(alice) == [("USER_REMOVE", bob.id), ("USER_ADVERTISE", carol.id)]


@pytest.mark.spec("6")
def test_whatever_else_is_said_comes_after_what_was_due(mesh: Mesh, a: Server) -> None:
    alice, bob = settled(mesh, a, "alice", "bob")
    carol = mesh.user(a, "carol")
    carol.say("MSG_DIRECT", message(carol, alice.id), to=alice.id)
    kinds = [e.type for e in alice.heard]
    assert kinds == ["USER_ADVERTISE", "USER_DELIVER"]
    assert told(bob) == []
    dora = mesh.user(a, "dora")
    tick(mesh)
    assert told(alice) == told(bob) == [("USER_ADVERTISE", c.id) for c in (carol, dora)]
    assert [e.type for e in carol.heard][:2] == ["AUTH_CHALLENGE", "ACK"]


@pytest.mark.spec("6")
@pytest.mark.parametrize("seed", range(20))
def test_on_each_link_the_order_is_that_of_a_server_where_all_is_said_at_once(seed: int) -> None:
    """Nobody leaves here: that is held. Who lacks the channel's key is named in fewer frames, and
    after the advert of each of them."""

    def played(few: int) -> list[list[tuple[object, ...]]]:
        mesh, dice = Mesh(), random.Random(seed)
        a = mesh.server("a", few=few)
        b = linked_server(mesh, a, "b")
        peers = [mesh.user(a, "first", features=())]
        for n in range(40):
            what, who = dice.randrange(5), dice.choice(peers)
            if what == 0:
                peers.append(mesh.user(a, f"user {n}", features=dice.choice([(), USER_FEATURES])))
            elif what == 1:
                advertise(b, f"far {n}")
            elif what == 2:
                to = dice.choice(peers).id
                who.say("MSG_DIRECT", message(who, to, b"%d" % n), to=to)
            elif what == 3:
                who.say("MSG_PUBLIC_CHANNEL", message(who, "public", b"%d" % n), to="public")
            else:
                tick(mesh)
        tick(mesh)
        for peer in peers:
            known = {peer.id}
            for each in peer.heard:
                if each.type == "USER_ADVERTISE":
                    known.add(str(each.members["user_id"]))
                elif each.type == "PUBLIC_CHANNEL_ADD":
                    named = each.members["add"]
                    assert isinstance(named, list)
                    assert known.issuperset(named)
        heard = [[e for e in p.heard if e.type != "PUBLIC_CHANNEL_ADD"] for p in peers]
        about = ("user_id", "sender", "ciphertext", "msg_ref")
        return [[(e.type, *map(e.members.get, about)) for e in each] for each in heard]

    assert played(few=0) == played(few=1000)


@pytest.mark.spec("5")
def test_who_is_back_within_3_s_was_never_gone(mesh: Mesh, a: Server) -> None:
    alice, bob, carol = settled(mesh, a, "alice", "bob", "carol")
    carol.drop()
    mesh.run(HELD_S - 0.5)
    carol = back(mesh, carol)
    mesh.run(10)
    assert told(alice) == told(bob) == []
    assert {user for _, user in told(carol)} == {alice.id, bob.id}
    alice.say("MSG_DIRECT", message(alice, carol.id), to=carol.id)
    assert carol.said("USER_DELIVER")


@pytest.mark.spec("5")
def test_who_does_not_come_back_is_gone_after_3_s(mesh: Mesh, a: Server) -> None:
    alice, bob, carol = settled(mesh, a, "alice", "bob", "carol")
    carol.drop()
    mesh.run(HELD_S - 0.25)
    assert told(alice) == []
    mesh.run(0.5)
    assert told(alice) == told(bob) == [("USER_REMOVE", carol.id)]
    carol = back(mesh, carol)
    tick(mesh)
    remove, advert = (e for e in alice.heard if e.type in PRESENCE_FRAMES)
    assert (remove.type, advert.type) == PRESENCE_FRAMES[::-1]
    assert remove.ts < advert.ts, "or who orders by ts takes it for the newer word"


@pytest.mark.spec("5")
def test_who_comes_while_somebody_is_away_hears_of_them_when_they_are_back(
    mesh: Mesh, a: Server
) -> None:
    alice, _, carol = settled(mesh, a, "alice", "bob", "carol")
    carol.drop()
    dora = mesh.user(a, "dora")
    tick(mesh)
    assert ("USER_ADVERTISE", carol.id) not in told(dora)
    carol = back(mesh, carol)
    tick(mesh)
    assert told(dora).count(("USER_ADVERTISE", carol.id)) == 1
    assert told(alice) == [("USER_ADVERTISE", dora.id)]
    assert ("USER_ADVERTISE", carol.id) not in told(carol)


@pytest.mark.spec("5")
def test_who_is_back_as_somebody_else_is_told_of(mesh: Mesh, a: Server) -> None:
    alice, _, carol = settled(mesh, a, "alice", "bob", "carol")
    carol.drop()
    carol = back(mesh, carol, display_name="Carol the Second")
    mesh.run(10)
    assert told(alice) == [("USER_ADVERTISE", carol.id)]


@pytest.mark.spec("11")
def test_that_somebody_attached_again_is_told_once_a_day(mesh: Mesh, a: Server) -> None:
    alice, _, carol = settled(mesh, a, "alice", "bob", "carol")
    for _ in range(3):
        carol.drop()
        mesh.wall += 12 * 3_600_000
        carol = back(mesh, carol)
        tick(mesh)
    assert 1 <= len(told(alice)) <= 2
    assert set(told(alice)) == {("USER_ADVERTISE", carol.id)}


@pytest.mark.spec("5")
def test_who_goes_on_at_another_server_leaves_the_first_one_first(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice, _, carol = settled(mesh, a, "alice", "bob", "carol")
    carol.drop()
    mesh.wall += 5
    advertise(b, "carol", carol.key, attach_ts=mesh.wall)
    mesh.run(10)
    assert told(alice) == [("USER_REMOVE", carol.id), ("USER_ADVERTISE", carol.id)]
    assert alice.members("USER_ADVERTISE")[-1]["server_id"] == b.id


@pytest.mark.spec("5")
def test_servers_and_those_who_watch_hear_at_once(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    _, _, carol = settled(mesh, a, "alice", "bob", "carol")
    wendy = mesh.user(a, "wendy", features=(*USER_FEATURES, PRESENCE))
    wendy.say("PRESENCE_WATCH", {"users": [carol.id, an_id("dora")]})
    wendy.clear()
    b.clear()
    dora = mesh.user(a, "dora")
    carol.drop()
    assert told(b) == told(wendy) == [("USER_ADVERTISE", dora.id), ("USER_REMOVE", carol.id)]


def linked_users(b: Peer, keys: dict[str, PrivateKey]) -> None:
    for name, key in keys.items():
        advertise(b, name, key)


@pytest.mark.spec("5")
def test_a_server_that_is_soon_back_costs_the_crowd_nothing(mesh: Mesh, a: Server) -> None:
    keys: dict[str, PrivateKey] = {f"far {n}": mesh.suite.generate() for n in range(4)}
    b = linked_server(mesh, a, "b")
    linked_users(b, keys)
    alice, bob = settled(mesh, a, "alice", "bob")
    b.drop()
    mesh.run(1)
    b = linked_server(mesh, a, "b", key=b.key)
    mesh.wall += 1
    linked_users(b, dict(list(keys.items())[:3]))
    mesh.run(10)
    assert told(alice) == told(bob) == [("USER_REMOVE", an_id("far 3"))]


@pytest.mark.spec("5")
def test_what_is_said_anew_is_no_news_for_the_crowd(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    _, key = advertise(b, "far")
    alice, _ = settled(mesh, a, "alice", "bob")
    mesh.wall += 20_000
    advertise(b, "far", key)
    mesh.run(5)
    assert told(alice) == []


@pytest.mark.spec("12")
def test_thousands_at_once_are_told_of_over_several_ticks(
    mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = settled(mesh, a, "alice", "bob")
    monkeypatch.setattr(crowd, "TICK_BYTES", 8_192)
    b = linked_server(mesh, a, "b")
    far = [advertise(b, f"far {n}")[0] for n in range(40)]
    heard = []
    for _ in range(20):
        tick(mesh)
        heard.append(len(told(alice)))
    assert told(alice) == told(bob) == [("USER_ADVERTISE", user) for user in far]
    assert heard[0] < heard[1] < heard[2] < 40, "not all of it in one"
    alice.clear()
    more = [advertise(b, f"more {n}")[0] for n in range(40)]
    carol = mesh.user(a, "carol")
    carol.say("MSG_DIRECT", message(carol, alice.id), to=alice.id)
    assert told(alice) == [("USER_ADVERTISE", user) for user in (*more, carol.id)]
    mesh.run(5)
    assert len(told(alice)) == 41


@pytest.mark.threat("S11")
def test_what_is_due_to_all_is_bounded_in_bytes_and_told_in_order_before_its_tick(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Budget, "crowd", 32_768)
    monkeypatch.setattr(crowd, "TICK_BYTES", 8_192)
    a = mesh.server("a", few=1)
    alice, bob = settled(mesh, a, "alice", "bob")
    b = linked_server(mesh, a, "b")
    bundles = watch_bundles(a)
    far = [advertise(b, f"far {n}")[0] for n in range(40)]
    early = [crowd.size_of(frame) for each in bundles for frame in each.frames]
    assert len(told(alice)) == len(early)
    assert 0 < (40 - len(early)) * max(early) <= 32_768
    mesh.run(5)
    assert told(alice) == told(bob) == [("USER_ADVERTISE", user) for user in far]


@pytest.mark.threat("S2")
def test_what_is_more_than_a_tick_is_joined_once_for_all_who_are_told_of_it(
    mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers = settled(mesh, a, "alice", "bob", "carol")
    monkeypatch.setattr(crowd, "TICK_BYTES", 8_192)
    monkeypatch.setattr(crowd, "SHARED_BYTES", 4_096)
    b = linked_server(mesh, a, "b")
    for number in range(40):
        advertise(b, f"far {number}")
    snapshots = watch(a, Snapshot)
    dave = mesh.user(a, "dave")
    snapshots.clear()  # what a newcomer is told of everybody
    dave.say("MSG_PUBLIC_CHANNEL", message(dave, "public"), to="public")
    assert len(snapshots) == len(peers)
    assert len(snapshots[0].frames) > 1
    for other in snapshots[1:]:
        pairs = zip(snapshots[0].frames, other.frames, strict=True)
        assert all(one is another and isinstance(one, Piece) for one, another in pairs)


@pytest.mark.spec("6")
@pytest.mark.parametrize("seed", range(30))
def test_in_the_end_everybody_knows_who_is_there(seed: int) -> None:
    mesh, dice = Mesh(), random.Random(seed)
    a = mesh.server("a", few=dice.choice([0, 1, 4]))
    names = [f"user {n}" for n in range(8)]
    keys = {name: mesh.suite.generate() for name in names}
    here: dict[str, Peer] = {}
    for _ in range(80):
        name = dice.choice(names)
        mesh.wall += 1
        if dice.random() < 0.3:
            mesh.run(dice.choice([0.25, 0.5, 4]))
        elif name in here:
            here.pop(name).drop()
        else:
            features = dice.choice([(), (), USER_FEATURES]) if name != "user 0" else ()
            if a.node._directory.attach_ts(an_id(name)):
                features = USER_FEATURES
            here[name] = mesh.user(a, name, key=keys[name], features=features)
    mesh.run(5)
    for peer in here.values():
        known: set[object] = set()
        for kind, user in told(peer):
            known = known | {user} if kind == "USER_ADVERTISE" else known - {user}
        assert known == {other.id for other in here.values()} - {peer.id}
