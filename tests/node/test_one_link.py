"""One link a pair of servers, one live link a user (sections 5, 6 and 11)."""

from __future__ import annotations

import pytest

from socp.node.events import Alive, ProbeFailed
from socp.node.settings import Federation, Joining
from socp.wire.features import SERVER_FEATURES
from tests.node.cast import advertise, answering, linked_server, prove, server_socket
from tests.node.mesh import Mesh, Peer, Server, an_id
from tests.node.test_first_frames import knock


def silent_probe(mesh: Mesh) -> list[int]:
    """Pings are not answered until the test says how; the links that were pinged."""
    from socp.node.effects import Effect, Probe

    pinged: list[int] = []
    do = mesh._do

    def holding(server: Server, effect: Effect) -> None:
        if isinstance(effect, Probe):
            pinged.append(effect.link)
        else:
            do(server, effect)

    mesh._do = holding  # type: ignore[method-assign]
    return pinged


@pytest.mark.spec("5")
@pytest.mark.parametrize("first", ["a", "b"])
def test_of_two_dials_that_cross_the_socket_of_the_smaller_id_stays(mesh: Mesh, first: str) -> None:
    names = {"a": 8001, "b": 8002}
    for name in sorted(names, key=lambda n: n != first):
        mesh.server(name, port=names[name], peers=tuple({8001, 8002} - {names[name]}))
    mesh.run(3)
    a, b = mesh.servers["a"], mesh.servers["b"]
    assert (a.linked(), b.linked()) == ({b.id}, {a.id})
    mesh.run(30)
    assert (a.node.status().links, b.node.status().links) == (1, 1)
    smaller = min(a, b, key=lambda s: s.id)
    larger = max(a, b, key=lambda s: s.id)
    heard = any("they dialled" in n.text for n in larger.notes)
    assert heard
    assert smaller.linked()


@pytest.mark.spec("5")
@pytest.mark.threat("M2")
def test_a_live_link_is_not_displaced_by_an_unproven_newcomer(mesh: Mesh, a: Server) -> None:
    old = linked_server(mesh, a, "b", features=())
    replay = server_socket(mesh, a, "b", key=old.key, features=())
    assert (replay.errors(), replay.closed) == (["NAME_IN_USE"], 1008)
    assert old.closed is None
    assert a.linked() == {old.id}


@pytest.mark.spec("5")
def test_a_dead_link_gives_way_to_an_unproven_newcomer(mesh: Mesh, a: Server) -> None:
    old = linked_server(mesh, a, "b", features=())
    advertise(old, "bob")
    old.answers_pings = False
    anew = server_socket(mesh, a, "b", key=old.key, features=())
    assert old.closed is not None
    assert anew.said("SERVER_WELCOME")
    assert a.linked() == {anew.id}


@pytest.mark.spec("5")
def test_a_proven_newcomer_replaces_a_live_link_and_its_users_stay(mesh: Mesh, a: Server) -> None:
    old = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    advertise(old, "bob")
    anew = server_socket(mesh, a, "b", key=old.key)
    prove(anew)
    assert (old.closed, anew.closed, a.linked()) == (1000, None, {anew.id})
    assert not alice.said("USER_REMOVE")


@pytest.mark.spec("5")
@pytest.mark.threat("I4")
def test_an_unproven_newcomer_that_waited_does_not_displace_a_proven_one(
    mesh: Mesh, a: Server
) -> None:
    old = linked_server(mesh, a, "b", features=())
    pinged = silent_probe(mesh)
    replay = server_socket(mesh, a, "b", key=old.key, features=())
    assert pinged == [old.link]
    proven = server_socket(mesh, a, "b", key=old.key)
    prove(proven)
    mesh.event(a, ProbeFailed(old.link))
    assert proven.closed is None
    assert replay.closed == 1008
    assert a.linked() == {proven.id}
    advertise(proven, "bob")
    assert not proven.errors()


@pytest.mark.spec("5")
def test_only_one_newcomer_waits_for_one_old_link(mesh: Mesh, a: Server) -> None:
    old = linked_server(mesh, a, "b", features=())
    silent_probe(mesh)
    first = server_socket(mesh, a, "b", key=old.key, features=())
    second = server_socket(mesh, a, "b", key=old.key, features=())
    assert (first.errors(), second.errors()) == ([], ["NAME_IN_USE"])
    first.drop()
    third = server_socket(mesh, a, "b", key=old.key, features=())
    assert third.errors() == []
    mesh.event(a, Alive(old.link))
    assert third.errors() == ["NAME_IN_USE"]


@pytest.mark.spec("5")
def test_a_second_link_that_the_other_end_should_have_closed_is_closed_after_20_s(
    mesh: Mesh,
) -> None:
    a = mesh.server("a", peers=(8002,), federation=Federation.OPEN)
    smaller = next(name for name in "bcdef" if an_id(name) < a.id)
    old = linked_server(mesh, a, smaller, features=())
    dialled = answering(mesh, a, 8002, name=smaller)
    dialled.key = old.key
    dialled.say("ACK", {"server_id": old.id, "pubkey": old.key.public.text}, to=a.id)
    mesh.run(20)
    assert (old.closed, dialled.closed) == (None, None)
    mesh.run(2)
    assert (old.closed, dialled.closed) == (None, 1000)
    assert a.linked() == {old.id}


@pytest.mark.spec("5")
def test_an_unproven_answer_to_our_dial_does_not_displace_a_linked_server(mesh: Mesh) -> None:
    a = mesh.server("a", peers=(8002,), federation=Federation.OPEN)
    old = linked_server(mesh, a, "b", features=())
    mesh.run(15)
    dialled = answering(mesh, a, 8002, name="b")
    dialled.key = old.key
    dialled.say("ACK", {"server_id": old.id, "pubkey": old.key.public.text}, to=a.id)
    assert dialled.closed == 1000
    assert old.closed is None


@pytest.mark.spec("6")
def test_a_second_link_of_a_live_user_is_name_in_use(mesh: Mesh, a: Server) -> None:
    for features in ((), ("link-auth/1", "bind/1")):
        name = f"user {features}"
        first = mesh.user(a, name, features=features)
        second = mesh.user(a, name, key=first.key, features=features)
        assert (second.errors(), second.closed) == (["NAME_IN_USE"], 1008)
        assert first.closed is None
    assert "Refused hello of" in a.log(), "of the one who proved that they might come"


@pytest.mark.spec("6")
@pytest.mark.threat("I5")
def test_a_dead_link_of_a_user_gives_way_to_the_proven_owner(mesh: Mesh, a: Server) -> None:
    first, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    first.answers_pings = False
    bob.clear()
    second = mesh.user(a, "alice", key=first.key)
    assert (first.closed, second.closed) == (1008, None)
    assert second.said("ACK")
    assert a.node.status().users == 2
    assert "USER_REMOVE" not in [e.type for e in bob.heard]


@pytest.mark.spec("6")
def test_an_unproven_link_never_replaces_even_a_dead_one(mesh: Mesh, a: Server) -> None:
    first = mesh.user(a, "alice", features=())
    first.answers_pings = False
    second = mesh.user(a, "alice", key=first.key, features=())
    assert (second.errors(), first.closed) == (["NAME_IN_USE"], None)


@pytest.mark.spec("6")
def test_when_the_old_link_goes_while_it_is_pinged_the_newcomer_has_the_place(
    mesh: Mesh, a: Server
) -> None:
    first, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    silent_probe(mesh)
    second = mesh.user(a, "alice", key=first.key)
    assert not second.said("ACK")
    bob.clear()
    first.drop()
    assert second.said("ACK")
    assert "USER_REMOVE" not in [e.type for e in bob.heard]


@pytest.mark.spec("6")
def test_when_newcomer_and_old_link_both_go_the_user_is_gone(mesh: Mesh, a: Server) -> None:
    first, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    silent_probe(mesh)
    second = mesh.user(a, "alice", key=first.key)
    second.drop()
    first.drop()
    assert bob.members("USER_REMOVE")[-1]["user_id"] == first.id
    bob.say("LIST_REQUEST", {})
    assert bob.members("USER_LIST")[-1]["users"] == [bob.id]
    assert mesh.user(a, "alice", key=first.key).said("ACK")


@pytest.mark.spec("6")
def test_the_ping_of_a_link_that_is_gone_changes_nothing(mesh: Mesh, a: Server) -> None:
    first = mesh.user(a, "alice")
    silent_probe(mesh)
    mesh.user(a, "alice", key=first.key)
    first.drop()
    mesh.event(a, ProbeFailed(first.link))
    mesh.event(a, Alive(first.link))
    assert a.node.status().users == 1


@pytest.mark.spec("6")
def test_a_newcomer_whose_user_moved_away_meanwhile_is_refused(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    first = mesh.user(a, "alice")
    silent_probe(mesh)
    second = mesh.user(a, "alice", key=first.key)
    advertise(b, "alice", first.key, attach_ts=mesh.wall + 10)
    assert first.closed == 1000
    assert second.errors() == ["NAME_IN_USE"]
    assert a.node.status().users == 0


@pytest.mark.spec("6")
def test_a_known_user_with_another_key_is_bad_key(mesh: Mesh, a: Server) -> None:
    mesh.user(a, "alice").drop()
    thief = mesh.user(a, "alice")
    assert (thief.errors(), thief.closed) == (["BAD_KEY"], 1008)


@pytest.mark.spec("6")
def test_a_closed_registration_takes_those_it_knows_alone(mesh: Mesh) -> None:
    from tests.node.mesh import load

    a = mesh.server("a")
    alice = mesh.user(a, "alice")
    closed = mesh.server("a", registration=Joining.CLOSED, remembered=load(a.disk), key=a.key)
    assert mesh.user(closed, "alice", key=alice.key).said("ACK")
    assert mesh.user(closed, "bob").errors() == ["NOT_ALLOWED"]


@pytest.mark.spec("6")
@pytest.mark.parametrize("name", ["alice", "", "*", "public", an_id("x").upper()])
def test_a_users_id_is_a_uuid_v4_in_lower_case(mesh: Mesh, a: Server, name: str) -> None:
    peer = mesh.open_socket(a, "x")
    peer.id = name
    peer.say("USER_HELLO", {"pubkey": peer.key.public.text})
    assert (peer.errors(), peer.closed) == (["BAD_FRAME"], 1008)


@pytest.mark.spec("6")
def test_a_hello_tells_the_newcomer_who_is_here_and_the_others_who_came(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, c = three
    there = [mesh.user(s, n) for s, n in ((a, "alice"), (b, "bob"))]
    carol = mesh.user(c, "carol", display_name="Carol")
    assert {m["user_id"] for m in carol.members("USER_ADVERTISE")} == {p.id for p in there}
    for peer in there:
        said = peer.members("USER_ADVERTISE")[-1]
        assert (said["user_id"], said["server_id"]) == (carol.id, c.id)
        assert said["pubkey"] == said["meta"]["pubkey"] == carol.key.public.text  # type: ignore[index]


@pytest.mark.spec("6")
def test_the_answer_to_a_hello_comes_before_everything_else(mesh: Mesh, a: Server) -> None:
    mesh.user(a, "bob")
    alice = mesh.user(a, "alice", features=())
    assert alice.heard[0].type == "ACK"
    assert alice.members("ACK")[0] == {
        "msg_ref": "USER_HELLO",
        "server_id": a.id,
        "pubkey": a.key.public.text,
        "features": list(SERVER_FEATURES),
    }


@pytest.mark.spec("6")
def test_who_leaves_is_removed_everywhere(mesh: Mesh, three: tuple[Server, Server, Server]) -> None:
    a, b, _ = three
    alice, bob = mesh.user(a, "alice"), mesh.user(b, "bob")
    alice.drop()
    removed = bob.members("USER_REMOVE")[-1]
    assert (removed["user_id"], removed["server_id"]) == (alice.id, a.id)


def both_gone(peers: list[Peer]) -> bool:
    return all(p.lost for p in peers)


@pytest.mark.spec("12")
def test_no_wait_is_left_behind_when_links_go(mesh: Mesh, a: Server) -> None:
    silent_probe(mesh)
    first = mesh.user(a, "alice")
    for _ in range(20):
        mesh.user(a, "alice", key=first.key).drop()
    old = linked_server(mesh, a, "b", features=())
    for _ in range(20):
        server_socket(mesh, a, "b", key=old.key, features=()).drop()
    first.drop()
    old.drop()
    knock(mesh, a, "x").drop()
    assert both_gone([first, old])
    assert len(a.node._arrivals.newcomers) == len(a.node._pairing.newcomers) == 0
    assert a.node.status().links == 0
