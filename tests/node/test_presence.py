"""USER_ADVERTISE and USER_REMOVE: who may say where a user is (sections 5 and 11)."""

from __future__ import annotations

import pytest

from socp.node.records import Account, Home
from tests.node.cast import (
    advert_of,
    advertise,
    attach_of,
    deliver_of,
    linked_server,
    server_socket,
)
from tests.node.mesh import Mesh, Peer, Server, an_id, load, message


def home_of(server: Server, user_id: str) -> str:
    homes = {r.user_id: r.server_id for r in server.disk if isinstance(r, Home)}
    return homes.get(user_id, "")


def reaches(author: Peer, user_id: str) -> bool:
    """Whether the author's server knows where this user is online."""
    author.clear()
    author.say("LIST_REQUEST", {})
    users = author.members("USER_LIST")[-1]["users"]
    assert isinstance(users, list)
    return user_id in users


@pytest.mark.spec("5")
@pytest.mark.threat("I3")
def test_a_server_cannot_advertise_a_user_of_another(mesh: Mesh, a: Server) -> None:
    b, m = linked_server(mesh, a, "b"), linked_server(mesh, a, "m", port=9010)
    alice = mesh.user(a, "alice")
    m.clear()
    m.say("USER_ADVERTISE", advert_of(an_id("bob"), b.id, m.key))
    assert m.errors() == ["NOT_ALLOWED"]
    assert not alice.said("USER_ADVERTISE")


@pytest.mark.spec("5")
@pytest.mark.threat("I3")
def test_a_forwarded_advert_must_verify_under_the_key_of_its_from(mesh: Mesh, a: Server) -> None:
    b, m = linked_server(mesh, a, "b"), linked_server(mesh, a, "m", port=9010)
    alice = mesh.user(a, "alice")
    m.clear()
    m.say("USER_ADVERTISE", advert_of(an_id("bob"), b.id, m.key), from_=b.id)
    assert m.errors() == ["INVALID_SIG"]
    m.say("USER_ADVERTISE", advert_of(an_id("bob"), b.id, b.key), from_=b.id, sign_with=b.key)
    assert alice.members("USER_ADVERTISE")[-1]["server_id"] == b.id


@pytest.mark.spec("5")
def test_an_advert_of_a_server_nobody_introduced_is_dropped(mesh: Mesh, a: Server) -> None:
    m = linked_server(mesh, a, "m")
    alice = mesh.user(a, "alice")
    m.clear()
    key = mesh.suite.generate()
    m.say(
        "USER_ADVERTISE", advert_of(an_id("bob"), an_id("x"), key), from_=an_id("x"), sign_with=key
    )
    assert m.heard == []
    assert not alice.said("USER_ADVERTISE")


@pytest.mark.spec("5")
@pytest.mark.threat("I3")
def test_an_advert_for_a_pinned_user_with_another_key_moves_nobody(mesh: Mesh, a: Server) -> None:
    m = linked_server(mesh, a, "m")
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    m.clear()
    advertise(m, "bob", attach_ts=mesh.wall + 1)
    assert m.errors() == ["BAD_KEY"]
    bob.drop()
    advertise(m, "bob")
    assert m.errors() == ["BAD_KEY", "BAD_KEY"]
    assert home_of(a, bob.id) == a.id
    assert not reaches(alice, bob.id)


@pytest.mark.spec("5")
@pytest.mark.threat("I3")
def test_a_user_who_is_here_is_not_moved_by_a_claim_without_their_word(
    mesh: Mesh, a: Server
) -> None:
    m = linked_server(mesh, a, "m")
    bob, alice = mesh.user(a, "bob"), mesh.user(a, "alice")
    advertise(m, "bob", bob.key)
    for wrong in (
        attach_of(m.key, bob.id, m.id, mesh.wall + 1),
        attach_of(bob.key, bob.id, a.id, mesh.wall + 1),
        attach_of(bob.key, bob.id, m.id, mesh.wall + 1, features=("hybrid/1",)),
        attach_of(bob.key, bob.id, m.id, mesh.wall - 1),
        attach_of(bob.key, bob.id, m.id, mesh.wall + 301_000),
    ):
        mesh.wall += 2
        m.say("USER_ADVERTISE", advert_of(bob.id, m.id, bob.key, attach=wrong))
    assert bob.closed is None
    alice.say("MSG_DIRECT", message(alice, bob.id), to=bob.id)
    assert bob.said("USER_DELIVER")


@pytest.mark.spec("11")
def test_the_newest_attach_moves_a_user_and_their_old_link_is_closed(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, c = three
    old, carol = mesh.user(a, "alice"), mesh.user(c, "carol")
    mesh.wall += 5
    new = mesh.user(b, "alice", key=old.key)
    assert (old.closed, new.closed) == (1000, None)
    assert [s.node.status().users for s in (a, b, c)] == [0, 1, 1]
    assert carol.members("USER_ADVERTISE")[-1]["server_id"] == b.id
    assert not carol.said("USER_REMOVE")
    assert {home_of(s, old.id) for s in three} == {b.id}
    carol.say("MSG_DIRECT", message(carol, old.id), to=old.id)
    assert new.said("USER_DELIVER")


@pytest.mark.spec("11")
def test_the_servers_repeat_the_attach_and_features_of_the_user(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    said = b.members("USER_ADVERTISE")[-1]
    assert said["features"] == list(alice.features)
    assert said["attach"]["ts"] == mesh.wall  # type: ignore[index]


@pytest.mark.spec("11")
@pytest.mark.parametrize("off", [-300_001, 300_001])
def test_an_attach_out_of_time_is_not_repeated_but_the_proof_stands(
    mesh: Mesh, a: Server, off: int
) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice", attach_ts=mesh.wall + off)
    assert alice.said("ACK")
    assert "attach" not in b.members("USER_ADVERTISE")[-1]


@pytest.mark.spec("11")
def test_a_user_online_elsewhere_without_a_newer_attach_is_name_in_use(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, _ = three
    first = mesh.user(a, "alice")
    for attach_ts in (mesh.wall, mesh.wall - 10, mesh.wall + 400_000):
        second = mesh.user(b, "alice", key=first.key, attach_ts=attach_ts)
        assert (second.errors(), second.closed) == (["NAME_IN_USE"], 1008)
    bare = mesh.user(b, "alice", key=first.key, features=())
    assert bare.closed == 1008
    assert first.closed is None


@pytest.mark.spec("11")
@pytest.mark.threat("I11")
def test_a_claim_without_attach_takes_who_is_nowhere_but_never_their_home(
    mesh: Mesh, a: Server
) -> None:
    b, m = linked_server(mesh, a, "b"), linked_server(mesh, a, "m", port=9010)
    alice = mesh.user(a, "alice")
    bob, key = advertise(b, "bob", attach_ts=mesh.wall)
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, ts=mesh.wall + 1)
    advertise(m, "bob", key, ts=mesh.wall + 2)
    assert home_of(a, bob) == b.id
    assert reaches(alice, bob)
    alice.say("MSG_DIRECT", message(alice, bob), to=bob)
    assert m.said("SERVER_DELIVER")


@pytest.mark.spec("11")
@pytest.mark.threat("I11")
def test_an_old_attach_said_again_never_takes_a_home_back(mesh: Mesh, a: Server) -> None:
    m, b = linked_server(mesh, a, "m"), linked_server(mesh, a, "b", port=9010)
    bob, key = advertise(m, "bob", attach_ts=mesh.wall)
    advertise(b, "bob", key, attach_ts=mesh.wall + 10)
    assert home_of(a, bob) == b.id
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, ts=mesh.wall + 20)
    advertise(m, "bob", key, ts=mesh.wall + 30, attach_ts=mesh.wall)
    assert home_of(a, bob) == b.id


@pytest.mark.spec("11")
@pytest.mark.threat("I11")
def test_who_ever_attached_elsewhere_is_not_taken_by_a_bare_hello(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    bob, key = advertise(b, "bob", attach_ts=mesh.wall)
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, ts=mesh.wall + 1)
    bare = mesh.user(a, "bob", key=key, features=())
    assert (bare.errors(), bare.closed) == (["NOT_ALLOWED"], 1008)


@pytest.mark.spec("5")
def test_a_claim_without_attach_moves_the_home_of_who_never_attached(mesh: Mesh, a: Server) -> None:
    b, c = linked_server(mesh, a, "b"), linked_server(mesh, a, "c", port=9010)
    bob, key = advertise(b, "bob")
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, ts=mesh.wall + 1)
    assert home_of(a, bob) == b.id
    advertise(c, "bob", key)
    assert home_of(a, bob) == c.id


@pytest.mark.spec("5")
@pytest.mark.threat("I3")
def test_a_remove_counts_only_from_the_server_the_user_is_at(mesh: Mesh, a: Server) -> None:
    b, m = linked_server(mesh, a, "b"), linked_server(mesh, a, "m", port=9010)
    alice = mesh.user(a, "alice")
    bob, _ = advertise(b, "bob")
    m.clear()
    m.say("USER_REMOVE", {"user_id": bob, "server_id": b.id})
    m.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, from_=b.id, bind=False)
    m.say("USER_REMOVE", {"user_id": bob, "server_id": m.id})
    assert m.errors() == ["NOT_ALLOWED", "INVALID_SIG"]
    assert not alice.said("USER_REMOVE")
    assert reaches(alice, bob)


@pytest.mark.spec("5")
@pytest.mark.threat("M1")
@pytest.mark.parametrize("member", ["meta", "pubkey", "features", "attach"])
def test_a_remove_with_members_of_an_advert_is_a_retyped_frame(
    mesh: Mesh, a: Server, member: str
) -> None:
    b = linked_server(mesh, a, "b", features=())
    bob, key = advertise(b, "bob")
    values = {
        "meta": {},
        "pubkey": key.public.text,
        "features": [],
        "attach": {"ts": 1, "sig": "AA"},
    }
    b.clear()
    said: dict[str, object] = {"user_id": bob, "server_id": b.id, member: values[member]}
    b.say("USER_REMOVE", said, ts=mesh.wall + 1)
    assert b.errors() == ["NOT_ALLOWED"]
    assert reaches(mesh.user(a, "alice"), bob)


@pytest.mark.spec("5")
def test_presence_is_passed_on_unchanged_to_all_but_the_source(mesh: Mesh, a: Server) -> None:
    b, c = linked_server(mesh, a, "b"), linked_server(mesh, a, "c", port=9010)
    alice = mesh.user(a, "alice")
    for peer in (b, c):
        peer.clear()
    bob, _ = advertise(b, "bob")
    for peer in (c, alice):
        frame = peer.said("USER_ADVERTISE")[-1]
        assert (frame.from_, frame.members["user_id"]) == (b.id, bob)
    assert not b.heard
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, ts=mesh.wall + 1)
    assert c.said("USER_REMOVE")[-1].from_ == b.id
    assert not b.heard


@pytest.mark.spec("5")
@pytest.mark.threat("S12")
def test_what_is_refused_is_never_passed_on(mesh: Mesh, a: Server) -> None:
    m, c = linked_server(mesh, a, "m", features=()), linked_server(mesh, a, "c", port=9010)
    bob = mesh.user(a, "bob")
    c.clear()
    bob.clear()
    good = advert_of(an_id("x"), m.id, m.key)
    bad: list[tuple[str, dict[str, object]]] = [
        ("USER_ADVERTISE", {**good, "server_id": c.id}),
        ("USER_ADVERTISE", {**good, "pubkey": "no key"}),
        ("USER_ADVERTISE", {**good, "user_id": "not an id"}),
        ("USER_ADVERTISE", {**good, "user_id": bob.id}),
        ("USER_ADVERTISE", {**good, "extra": "x" * 20_000}),
        ("USER_ADVERTISE", {**good, "bind": {"type": "X", "from": m.id, "to": "*", "ts": 1}}),
        ("USER_REMOVE", good),
        ("PUBLIC_CHANNEL_UPDATED", {"version": 5_000_000}),
        ("PUBLIC_CHANNEL_ADD", {"add": ["nobody"]}),
    ]
    for kind, members in bad:
        m.say(kind, members)
        m.say(kind, members, sign_with=c.key)
    for ts in (mesh.wall + 400_000, mesh.wall - 400_000):
        m.say("PUBLIC_CHANNEL_ADD", {"add": [an_id("x")]}, ts=ts)
    assert (c.heard, bob.heard) == ([], [])
    assert not [e for e in m.errors() if e == "UNKNOWN_TYPE"]


@pytest.mark.spec("5")
@pytest.mark.threat("S6")
def test_a_server_that_keeps_sending_what_we_refuse_is_cut_for_a_minute(
    mesh: Mesh, a: Server
) -> None:
    m = linked_server(mesh, a, "m")
    for n in range(50):
        m.say("USER_REMOVE", {"user_id": an_id("x"), "server_id": m.id, "n": n}, bind=False)
    assert m.closed == 1008
    assert f"Server {m.id} sent too much that we refuse; cut for a minute" in a.log()
    assert len(m.errors()) <= 20
    for name in ("m", "another id"):
        again = server_socket(mesh, a, name, key=m.key)
        assert again.errors() == ["NOT_ALLOWED"]
    assert not a.linked()
    mesh.run(61)
    assert linked_server(mesh, a, "m", key=m.key).closed is None


@pytest.mark.spec("5")
@pytest.mark.threat("S6")
def test_a_server_that_was_cut_is_not_dialled_meanwhile(mesh: Mesh) -> None:
    a, b = mesh.server("a", peers=(8002,)), mesh.server("b", port=8002, peers=(8001,))
    mesh.run(4)
    link = next(iter(a.wires))
    from socp.wire.envelope import encode

    for n in range(60):
        mesh.bytes_in(a, link, encode("HEARTBEAT", b.id, a.id, n, b"{}", ""))
    assert not a.linked()
    mesh.run(30)
    assert not a.linked()
    mesh.run(40)
    assert a.linked() == {b.id}


@pytest.mark.spec("5")
@pytest.mark.threat("S12")
def test_a_server_is_not_cut_for_passing_on_what_another_said_in_two_ways(
    mesh: Mesh, a: Server
) -> None:
    b, m = linked_server(mesh, a, "b"), linked_server(mesh, a, "m", port=9010)
    for n in range(100):
        user, _ = advertise(m, f"u{n}", m.key)
        other = advert_of(user, m.id, mesh.suite.generate())
        b.say("USER_ADVERTISE", other, from_=m.id, sign_with=m.key, ts=mesh.wall + 1)
    assert "BAD_KEY" in b.errors()
    assert b.closed is None


@pytest.mark.spec("5")
@pytest.mark.threat("S12")
def test_a_server_is_not_cut_for_messages_to_users_who_just_left(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    bob, key = advertise(b, "bob")
    for n in range(100):
        text = b"%d" % n
        said = deliver_of(key, bob, an_id("left"), mesh.wall, text=text)
        b.say("SERVER_DELIVER", said, to=a.id)
    assert set(b.errors()) == {"USER_NOT_FOUND"}
    assert b.closed is None


@pytest.mark.spec("5")
def test_an_advert_without_a_key_sets_the_location_only(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob = an_id("bob")
    b.say("USER_ADVERTISE", advert_of(bob, b.id, None))
    assert reaches(alice, bob)
    assert bob not in {r.user_id for r in a.disk if isinstance(r, Account)}


@pytest.mark.spec("5")
def test_a_key_may_stand_in_meta_alone(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    key = mesh.suite.generate()
    said = {**advert_of(an_id("bob"), b.id, None), "meta": {"pubkey": key.public.text}}
    b.say("USER_ADVERTISE", said)
    pins = {r.user_id: r.pubkey for r in a.disk if isinstance(r, Account)}
    assert pins[an_id("bob")] == key.public.text


@pytest.mark.spec("5")
def test_a_lost_server_takes_its_users_presence_not_their_homes(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, _ = three
    alice, bob = mesh.user(a, "alice"), mesh.user(b, "bob")
    mesh.kill(b)
    assert alice.members("USER_REMOVE")[-1]["user_id"] == bob.id
    assert home_of(a, bob.id) == b.id
    assert not reaches(alice, bob.id)


@pytest.mark.spec("5")
def test_directories_converge_when_a_broken_link_is_made_again(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, c = three
    alice, bob = mesh.user(a, "alice"), mesh.user(b, "bob")
    for link, wire in tuple(a.wires.items()):
        if isinstance(wire, tuple) and wire[0] is b:
            mesh.lose(a, link, "cable")
    assert not reaches(alice, bob.id)
    carol = mesh.user(a, "carol")
    mesh.run(5)
    assert reaches(alice, bob.id)
    assert reaches(bob, carol.id)
    assert len(c.linked()) == 2


@pytest.mark.spec("5")
def test_pins_and_homes_outlive_a_restart(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    bob, key = advertise(b, "bob", attach_ts=mesh.wall)
    remembered = load(a.disk)
    assert {h.user_id: h.server_id for h in remembered.homes} == {bob: b.id}
    mesh.kill(a)
    mesh.restart(a)
    again = linked_server(mesh, a, "b", key=b.key)
    advertise(again, "bob", mesh.suite.generate(), ts=mesh.wall + 1)
    assert again.errors() == ["BAD_KEY"]
    assert key.public.text in {p.pubkey for p in remembered.accounts}


@pytest.mark.spec("5")
def test_when_the_server_stops_its_users_are_removed_everywhere(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    from socp.node.events import Stopping

    a, b, _ = three
    alice, bob = mesh.user(a, "alice"), mesh.user(b, "bob")
    mesh.event(a, Stopping())
    assert bob.members("USER_REMOVE")[-1]["user_id"] == alice.id
    assert a.node.status().users == 0
