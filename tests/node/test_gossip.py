"""`gossip/1`: what is told, what is not passed on, and what a loss or a lie brings about
(section 11)."""

from __future__ import annotations

import pytest

from socp.crypto.keys import PrivateKey
from socp.node import hearsay, presence
from socp.wire.features import GOSSIP
from socp.wire.roll import Roll, entry
from tests.node.cast import (
    Members,
    admit,
    advert_of,
    advertise,
    attach_of,
    linked_server,
    prove,
    server_socket,
)
from tests.node.mesh import PLAIN_SERVER_FEATURES, Mesh, Peer, Server, an_id

GOSSIPS = (*PLAIN_SERVER_FEATURES, GOSSIP)
BEAT_S = 14


def linked(mesh: Mesh, server: Server, name: str, port: int = 9009) -> Peer:
    return linked_server(mesh, server, name, features=GOSSIPS, port=port)


def roll_of(*users: tuple[str, PrivateKey]) -> Members:
    """The `users` of a HEARTBEAT of a server that has these, none of them with an attach."""
    roll = Roll()
    for user_id, key in users:
        roll = roll.with_(entry(user_id, key.public.fingerprint, None))
    return {"count": roll.count, "digest": roll.text}


def beat(peer: Peer, *users: tuple[str, PrivateKey], links: list[str] | None = None) -> None:
    members: Members = {"users": roll_of(*users)}
    if links is not None:
        members["links"] = links
    peer.mesh.wall += 1
    peer.say("HEARTBEAT", members, to=peer.server.id)


def tell_all(peer: Peer, *users: tuple[str, PrivateKey]) -> None:
    """The whole snapshot, and what closes it."""
    for user_id, key in users:
        peer.say("USER_ADVERTISE", advert_of(user_id, peer.id, key))
    beat(peer, *users)


def here(server: Server) -> set[str]:
    return set(server.node.whereabouts())


# --- what we tell -------------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_a_snapshot_ends_with_a_heartbeat_that_says_what_was_in_it(mesh: Mesh, a: Server) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob", features=())
    b = linked(mesh, a, "b")
    told = [e for e in b.heard if e.type in ("USER_ADVERTISE", "HEARTBEAT")]
    assert [e.type for e in told] == ["USER_ADVERTISE", "USER_ADVERTISE", "HEARTBEAT"]
    attach = told[0].members["attach"]
    assert isinstance(attach, dict)
    expected = Roll().with_(entry(alice.id, alice.key.public.fingerprint, attach["ts"]))
    expected = expected.with_(entry(bob.id, bob.key.public.fingerprint, None))
    beat = told[-1].members
    assert beat["users"] == {"count": 2, "digest": expected.text}
    assert beat["links"] == [b.id]


@pytest.mark.spec("11")
def test_links_are_said_when_they_changed_and_once_a_minute(mesh: Mesh, a: Server) -> None:
    b = linked(mesh, a, "b")
    mesh.run(BEAT_S)
    c = linked_server(mesh, a, "c", port=9010)
    b.clear()
    mesh.run(BEAT_S)
    assert b.members("HEARTBEAT")[-1]["links"] == sorted([b.id, c.id])
    b.clear()
    mesh.run(8 * BEAT_S)
    assert sum("links" in members for members in b.members("HEARTBEAT")) == 2


@pytest.mark.spec("11")
def test_a_lost_link_is_told_within_a_second_and_all_of_them_at_once(mesh: Mesh, a: Server) -> None:
    b = linked(mesh, a, "b")
    others = [linked_server(mesh, a, f"o{n}", port=9010 + n) for n in range(5)]
    mesh.run(BEAT_S)
    b.clear()
    for other in others:
        other.drop()
    mesh.run(1.5)
    assert [members.get("links") for members in b.members("HEARTBEAT")] == [[b.id]]


@pytest.mark.spec("5")
@pytest.mark.parametrize("features", [(), PLAIN_SERVER_FEATURES, (GOSSIP,)])
def test_without_the_feature_and_bind_a_heartbeat_says_nothing(
    mesh: Mesh, a: Server, features: tuple[str, ...]
) -> None:
    mesh.user(a, "alice")
    b = linked_server(mesh, a, "b", features=features)
    mesh.run(60)
    assert len(b.said("HEARTBEAT")) == 4
    assert all(members.keys() <= {"bind"} for members in b.members("HEARTBEAT"))


@pytest.mark.spec("5")
@pytest.mark.parametrize("members", [{"users": 3}, {"links": "all"}, {"users": {"count": -1}}])
def test_what_others_put_into_a_heartbeat_is_ignored(
    mesh: Mesh, a: Server, members: Members
) -> None:
    b = linked_server(mesh, a, "b")
    b.clear()
    b.say("HEARTBEAT", members, to=a.id)
    assert not b.heard


# --- what is passed on --------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_on_a_new_link_presence_waits_until_others_can_have_said_that_they_hear_it_too(
    mesh: Mesh, a: Server
) -> None:
    c, d = (linked(mesh, a, name, 9010 + n) for n, name in enumerate("cd"))
    old = linked_server(mesh, a, "old", port=9020)
    mesh.run(6)
    b = linked(mesh, a, "b", 9030)
    for peer in (c, d, old):
        peer.clear()
    bob, _ = advertise(b, "bob")
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, ts=mesh.wall + 1)
    carol, _ = advertise(b, "carol")
    assert len(old.said("USER_ADVERTISE")) == 2
    beat(c, links=[a.id, b.id])
    mesh.run(4)
    assert not d.said("USER_ADVERTISE")
    mesh.run(1.5)
    assert not c.said("USER_ADVERTISE")
    told = [e.members["user_id"] for e in d.heard if e.type in ("USER_ADVERTISE", "USER_REMOVE")]
    assert told == [bob, carol]


@pytest.mark.spec("11")
def test_a_new_link_is_told_to_the_others_within_a_second(mesh: Mesh, a: Server) -> None:
    c = linked(mesh, a, "c", 9010)
    mesh.run(6)
    c.clear()
    b = linked(mesh, a, "b", 9011)
    mesh.run(1.3)
    assert b.id in str(c.members("HEARTBEAT")[0]["links"])


@pytest.mark.spec("11")
def test_presence_is_not_passed_on_to_who_says_to_hear_its_origin(mesh: Mesh, a: Server) -> None:
    b, c, d = (linked(mesh, a, name, 9010 + n) for n, name in enumerate("bcd"))
    old = linked_server(mesh, a, "old", port=9020)
    beat(c, links=[a.id, b.id])
    beat(d, links=[a.id])
    mesh.run(5.3)
    for peer in (b, c, d, old):
        peer.clear()
    advertise(b, "bob")
    told = [bool(peer.said("USER_ADVERTISE")) for peer in (b, c, d, old)]
    assert told == [False, False, True, True]
    beat(c, links=[a.id])
    b.say("USER_REMOVE", {"user_id": an_id("bob"), "server_id": b.id}, ts=mesh.wall + 1)
    assert c.said("USER_REMOVE")


@pytest.mark.spec("11")
@pytest.mark.threat("M2")
def test_a_heartbeat_said_again_does_not_bring_old_links_back(mesh: Mesh, a: Server) -> None:
    b, c = linked(mesh, a, "b"), linked(mesh, a, "c", 9010)
    mesh.run(6)
    c.say("HEARTBEAT", {"links": [b.id]}, to=a.id, ts=mesh.wall)
    c.say("HEARTBEAT", {"links": []}, to=a.id, ts=mesh.wall + 1)
    c.say("HEARTBEAT", {"links": [b.id]}, to=a.id, ts=mesh.wall)
    advertise(b, "bob")
    assert c.said("USER_ADVERTISE")


@pytest.mark.spec("11")
def test_a_new_link_knows_nothing_of_what_the_old_one_said(mesh: Mesh, a: Server) -> None:
    b, c = linked(mesh, a, "b"), linked(mesh, a, "c", 9010)
    mesh.run(6)
    beat(c, links=[b.id])
    c.drop()
    again = linked_server(mesh, a, "c", features=GOSSIPS, key=c.key, port=9010)
    advertise(b, "bob")
    assert again.said("USER_ADVERTISE")


@pytest.mark.spec("11")
@pytest.mark.threat("S6")
def test_a_server_is_dialled_again_where_it_said_it_is_once_others_are_linked_with_it(
    mesh: Mesh, a: Server
) -> None:
    b = linked(mesh, a, "b")
    linked_server(mesh, a, "c", port=9010).drop()
    mesh.restart(a)
    b = linked_server(mesh, a, "b", features=GOSSIPS, key=b.key)
    beat(b, links=[a.id, an_id("c"), an_id("never seen")])
    mesh.run(1)
    unreachable = [note.text for note in a.notes if "is unreachable" in note.text]
    assert len(unreachable) == 1
    assert "peer.example:9010" in unreachable[0]


@pytest.mark.spec("11")
@pytest.mark.parametrize("expected", [True, False])
def test_where_the_list_names_the_key_of_whom_others_reach_its_place_is_in_the_log_once_more(
    mesh: Mesh, expected: bool
) -> None:
    key = mesh.suite.generate()
    named = key if expected else mesh.suite.generate()
    a = mesh.server("a", peers=(9010,), keys={9010: named.public.fingerprint})
    admit(mesh, a, key)
    c = server_socket(mesh, a, "c", key=key, host="localhost", port=9010)
    prove(c)
    assert a.linked() == {c.id}
    c.drop()
    mesh.restart(a)
    b = linked(mesh, a, "b")
    mesh.run(3)
    a.notes.clear()
    beat(b, links=[a.id, c.id])
    mesh.run(3)
    assert ("localhost:9010 is unreachable" in a.log()) is expected


# --- a loss is found ----------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_a_user_who_was_not_heard_of_is_asked_for_once(mesh: Mesh, a: Server) -> None:
    b, alice = linked(mesh, a, "b"), mesh.user(a, "alice")
    bob = (an_id("bob"), mesh.suite.generate())
    beat(b)
    beat(b, bob)
    beat(b, bob)
    assert len(b.said("PRESENCE_SYNC")) == 1
    assert b.said("PRESENCE_SYNC")[0].to == b.id
    tell_all(b, bob)
    assert here(a) == {alice.id, bob[0]}
    assert alice.members("USER_ADVERTISE")[-1]["user_id"] == bob[0]
    mesh.run(11)
    beat(b, bob)
    assert len(b.said("PRESENCE_SYNC")) == 1


@pytest.mark.spec("11")
def test_a_user_whose_leaving_was_not_heard_is_gone_with_the_snapshot(
    mesh: Mesh, a: Server
) -> None:
    b, alice = linked(mesh, a, "b"), mesh.user(a, "alice")
    bob, carol = advertise(b, "bob"), advertise(b, "carol")
    beat(b, bob, carol)
    alice.clear()
    beat(b, carol)
    assert here(a) == {alice.id, bob[0], carol[0]}, "not before all of it was heard"
    tell_all(b, carol)
    assert here(a) == {alice.id, carol[0]}
    assert alice.members("USER_REMOVE") == [
        {**alice.members("USER_REMOVE")[0], "user_id": bob[0], "server_id": b.id}
    ]


@pytest.mark.spec("11")
def test_what_happens_during_a_snapshot_counts(mesh: Mesh, a: Server) -> None:
    b = linked(mesh, a, "b")
    bob, carol, dora = advertise(b, "bob"), advertise(b, "carol"), advertise(b, "dora")
    beat(b, bob, carol, dora)
    beat(b, carol, dora)
    b.say("USER_ADVERTISE", advert_of(carol[0], b.id, carol[1]))
    b.say("USER_ADVERTISE", advert_of(dora[0], b.id, dora[1]))
    mesh.run(0.25)
    b.say("USER_REMOVE", {"user_id": carol[0], "server_id": b.id})
    erin = advertise(b, "erin")
    beat(b, dora, erin)
    assert here(a) == {dora[0], erin[0]}


@pytest.mark.spec("11")
def test_a_half_heard_snapshot_takes_nobody_away_and_is_asked_for_again(
    mesh: Mesh, a: Server
) -> None:
    b = linked(mesh, a, "b")
    bob, carol, dora = advertise(b, "bob"), advertise(b, "carol"), advertise(b, "dora")
    beat(b, bob, carol, dora)
    beat(b, carol, dora)
    b.say("USER_ADVERTISE", advert_of(carol[0], b.id, carol[1]))
    beat(b, carol, dora)
    assert here(a) == {bob[0], carol[0], dora[0]}
    mesh.run(BEAT_S)
    beat(b, carol, dora)
    assert len(b.said("PRESENCE_SYNC")) == 2
    tell_all(b, carol, dora)
    assert here(a) == {carol[0], dora[0]}


@pytest.mark.spec("11")
def test_a_claim_that_did_not_count_is_asked_for_once_its_user_is_nowhere(
    mesh: Mesh, a: Server
) -> None:
    b, c = linked(mesh, a, "b"), linked(mesh, a, "c", 9010)
    bob = advertise(b, "bob")
    beat(b, bob)
    tell_all(c, bob)
    tell_all(c, bob)
    assert a.node.whereabouts() == {bob[0]: b.id}
    c.clear()
    mesh.run(BEAT_S)
    beat(c, bob)
    assert not c.said("PRESENCE_SYNC"), "all was heard; what was refused stays refused"
    beat(b)
    tell_all(b)
    assert a.node.whereabouts() == {}
    assert len(c.said("PRESENCE_SYNC")) == 1
    tell_all(c, bob)
    assert a.node.whereabouts() == {bob[0]: c.id}


@pytest.mark.spec("11")
def test_who_is_said_again_at_the_same_time_is_not_asked_for_again(mesh: Mesh, a: Server) -> None:
    b, c = linked(mesh, a, "b"), linked(mesh, a, "c", 9010)
    bob = advertise(b, "bob")
    beat(b, bob)
    carol, ts = advertise(c, "carol"), mesh.wall
    beat(c, carol, bob)
    assert len(c.said("PRESENCE_SYNC")) == 1
    c.say("USER_ADVERTISE", advert_of(carol[0], c.id, carol[1]), ts=ts)
    c.say("USER_ADVERTISE", advert_of(bob[0], c.id, bob[1]))
    beat(c, carol, bob)
    assert a.node.whereabouts() == {bob[0]: b.id, carol[0]: c.id}
    for _ in range(6):
        mesh.run(BEAT_S)
        beat(c, carol, bob)
    assert len(c.said("PRESENCE_SYNC")) == 1, "of what was refused no ts was wrong"


@pytest.mark.spec("11")
def test_the_attach_counts_as_it_was_said(mesh: Mesh, a: Server) -> None:
    b, key, user = linked(mesh, a, "b"), mesh.suite.generate(), an_id("bob")
    for ts in (mesh.wall, mesh.wall + 3_600_000):
        attach = attach_of(key, user, b.id, ts)
        b.say("USER_ADVERTISE", advert_of(user, b.id, key, attach=attach))
        one = Roll().with_(entry(user, key.public.fingerprint, ts))
        users = {"count": 1, "digest": one.text}
        b.say("HEARTBEAT", {"users": users}, to=a.id)
        mesh.run(1)
    assert not b.said("PRESENCE_SYNC")


# --- PRESENCE_SYNC ------------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_who_asks_hears_of_all_our_users_again(mesh: Mesh, a: Server) -> None:
    b = linked(mesh, a, "b")
    mesh.user(a, "alice")
    advertise(linked(mesh, a, "c", 9010), "carol")
    b.clear()
    b.say("PRESENCE_SYNC", {}, to=a.id)
    assert [e.type for e in b.heard] == ["USER_ADVERTISE", "HEARTBEAT"]
    assert b.heard[0].members["user_id"] == an_id("alice")


@pytest.mark.spec("11")
def test_without_the_feature_nobody_knows_that_frame(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    b.say("PRESENCE_SYNC", {}, to=a.id)
    assert b.errors() == ["UNKNOWN_TYPE"]
    alice = mesh.user(a, "alice")
    alice.say("PRESENCE_SYNC", {}, to=a.id)
    assert alice.errors() == ["NOT_ALLOWED"]


# --- servers gone bad ---------------------------------------------------------------------------


@pytest.mark.spec("11")
@pytest.mark.threat("S3")
def test_the_more_users_the_longer_an_advert_serves_whoever_asks(
    mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each one with a new ts is a signature: a peer that asks on and on could take a core."""
    monkeypatch.setattr(presence, "SAID_NEWLY_USER_MS", 10_000)
    b = linked(mesh, a, "b")
    for n in range(3):
        mesh.user(a, f"{n}")
    said = set()
    for _ in range(5):
        mesh.run(12)
        b.clear()
        b.say("PRESENCE_SYNC", {}, to=a.id)
        said |= {frame.ts for frame in b.said("USER_ADVERTISE")}
    assert len(b.said("USER_ADVERTISE")) == 3
    assert len(said) == 2, "as at first, then anew after half a minute"


@pytest.mark.spec("11")
@pytest.mark.threat("S6")
def test_who_asks_again_and_again_is_told_a_few_times(mesh: Mesh, a: Server) -> None:
    mesh.user(a, "alice")
    b = linked(mesh, a, "b")
    b.clear()
    for _ in range(200):
        b.say("PRESENCE_SYNC", {}, to=a.id)
        mesh.run(0.25)
    assert len(b.said("USER_ADVERTISE")) <= 3 + 200 * 0.25 / 10
    assert set(b.errors()) == {"RATE_LIMITED"}


@pytest.mark.spec("11")
@pytest.mark.threat("S6")
def test_a_digest_that_never_fits_is_asked_about_less_and_less(mesh: Mesh, a: Server) -> None:
    b = linked(mesh, a, "b")
    ghosts = [(an_id(f"ghost {n}"), mesh.suite.generate()) for n in range(2)]
    for n in range(600):
        beat(b, ghosts[n % 2])
        mesh.run(1)
    asked = len(b.said("PRESENCE_SYNC"))
    assert asked <= 3 + 600 / 60
    assert here(a) == set()


@pytest.mark.spec("11")
@pytest.mark.threat("I3")
def test_a_lie_about_ones_own_users_takes_away_nobody_elses(mesh: Mesh, a: Server) -> None:
    b, m, alice = linked(mesh, a, "b"), linked(mesh, a, "m", 9010), mesh.user(a, "alice")
    bob = advertise(b, "bob")
    beat(b, bob)
    for _ in range(3):
        tell_all(m, bob)
        tell_all(m)
        mesh.run(BEAT_S)
    assert a.node.whereabouts() == {alice.id: a.id, bob[0]: b.id}


@pytest.mark.spec("11")
@pytest.mark.threat("I3")
def test_anothers_frames_passed_on_are_no_part_of_a_snapshot(mesh: Mesh, a: Server) -> None:
    b, m = linked(mesh, a, "b"), linked(mesh, a, "m", 9010)
    bob, carol = advertise(b, "bob"), advertise(b, "carol")
    beat(b, bob, carol)
    mesh.run(1)
    beat(b, bob)
    m.say(
        "USER_ADVERTISE",
        advert_of(carol[0], b.id, carol[1]),
        from_=b.id,
        sign_with=b.key,
    )
    tell_all(b, bob)
    assert here(a) == {bob[0]}


@pytest.mark.spec("11")
@pytest.mark.threat("M1")
@pytest.mark.parametrize(
    "users",
    [{"count": 1}, {"count": 1, "digest": "AAAA"}, {"count": -1, "digest": "A" * 43}, [], "x"],
)
def test_a_roll_that_is_none_is_refused(mesh: Mesh, a: Server, users: object) -> None:
    b = linked(mesh, a, "b")
    b.say("HEARTBEAT", {"users": users}, to=a.id)
    assert b.errors() == ["BAD_FRAME"]


@pytest.mark.spec("11")
@pytest.mark.threat("S5")
def test_links_are_bounded(mesh: Mesh, a: Server) -> None:
    b = linked(mesh, a, "b")
    b.say("HEARTBEAT", {"links": ["x"] * 1_001}, to=a.id)
    assert b.errors() == ["BAD_FRAME"]


def test_of_whom_a_peer_names_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearsay, "HEARD_MAX", 2)
    heard = hearsay.Heard()
    for name in ("alice", "bob", "carol"):
        heard.came(name, "f", None)
    assert (list(heard.users), heard.roll.count) == (["alice", "bob"], 2)
    heard.came("bob", "g", 5)
    assert (sorted(heard.users), heard.roll.count) == (["alice", "bob"], 2)
    for name in ("alice", "bob", "carol"):
        heard.left(name)
    assert (heard.users, heard.roll) == ({}, Roll())
