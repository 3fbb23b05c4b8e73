"""JOIN, WELCOME, LINK, ANNOUNCE, and what each side learns of it (section 5)."""

from __future__ import annotations

import pytest

from socp.crypto import signing
from socp.node.effects import Dial
from socp.node.events import DialFailed
from socp.node.records import ServerPin
from socp.node.settings import Federation
from socp.wire import base64url
from socp.wire.addresses import HostPort
from tests.node.cast import (
    admit,
    advertise,
    answering,
    hello_of,
    linked_server,
    prove,
    server_socket,
)
from tests.node.mesh import Mesh, Server, an_id

LINKS = ("link-auth/1", "bind/1")


@pytest.mark.spec("5")
@pytest.mark.parametrize("order", ["abc", "acb", "bac", "bca", "cab", "cba"])
def test_three_servers_find_each_other_in_any_start_order(mesh: Mesh, order: str) -> None:
    ports = {"a": 8001, "b": 8002, "c": 8003}
    for name in order:
        mesh.server(name, port=ports[name], peers=tuple({*ports.values()} - {ports[name]}))
        mesh.run(3)
    mesh.run(5)
    assert all(len(s.linked()) == 2 for s in mesh.servers.values())
    links = [s.node.status().links for s in mesh.servers.values()]
    mesh.run(30)
    assert [s.node.status().links for s in mesh.servers.values()] == [2, 2, 2] == links


@pytest.mark.spec("5")
def test_a_server_that_died_is_back_in_the_mesh_with_its_id_and_users(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, c = three
    mesh.user(a, "alice")
    mesh.kill(c)
    mesh.run(20)
    assert c.id not in a.linked() | b.linked()
    mesh.restart(c)
    mesh.run(5)
    assert c.id in a.linked() & b.linked()
    carol = mesh.user(c, "carol")
    assert an_id("alice") in {m["user_id"] for m in carol.members("USER_ADVERTISE")}


@pytest.mark.spec("5")
def test_a_join_is_welcomed_with_who_is_here(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, _ = three
    alice, bob = mesh.user(a, "alice"), mesh.user(b, "bob")
    peer = linked_server(mesh, a, "d")
    welcome = peer.members("SERVER_WELCOME")[0]
    assert (welcome["assigned_id"], welcome["server_id"]) == (peer.id, a.id)
    clients = {c["user_id"]: c for c in welcome["clients"]}  # type: ignore[attr-defined]
    assert clients[alice.id]["server_id"] == a.id
    assert (clients[bob.id]["server_id"], clients[bob.id]["port"]) == (b.id, 8002)
    assert clients[bob.id]["pubkey"] == bob.key.public.text
    servers = welcome["servers"]
    assert {s["server_id"] for s in servers} == a.linked() - {peer.id}  # type: ignore[attr-defined]


@pytest.mark.spec("5")
def test_a_welcome_has_at_most_500_clients_and_the_snapshot_the_rest(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    for n in range(505):
        advertise(b, f"u{n}", b.key)
    ours = {mesh.user(a, f"own {n}", features=()).id for n in range(5)}
    peer = linked_server(mesh, a, "d", port=9010)
    assert len(peer.members("SERVER_WELCOME")[0]["clients"]) == 500  # type: ignore[arg-type]
    assert {m["user_id"] for m in peer.members("USER_ADVERTISE")} == ours


@pytest.mark.spec("5")
@pytest.mark.parametrize("asked", ["auto", ""])
def test_a_newcomer_that_asks_for_an_id_gets_a_fresh_one(mesh: Mesh, a: Server, asked: str) -> None:
    key = mesh.suite.generate()
    admit(mesh, a, key)
    peer = mesh.open_socket(a, "d", key=key, features=LINKS)
    peer.id = asked
    peer.say("SERVER_HELLO_JOIN", hello_of(peer), to="localhost:8001")
    prove(peer)
    welcome = peer.members("SERVER_WELCOME")[0]
    assert welcome["assigned_id"] == an_id(f"spare {peer.link}")
    assert a.linked() == {welcome["assigned_id"]}
    text = signing.link_auth(a.id, asked, bytes(32))
    assert signing.verify(a.key.public, str(welcome["proof"]), text)


@pytest.mark.spec("5")
def test_a_join_that_claims_our_own_id_is_refused(mesh: Mesh, a: Server) -> None:
    peer = mesh.open_socket(a, "a", features=LINKS)
    peer.say("SERVER_HELLO_JOIN", hello_of(peer), to="localhost:8001")
    assert (peer.errors(), peer.closed) == (["NAME_IN_USE"], 1000)


@pytest.mark.spec("5")
@pytest.mark.threat("I4")
@pytest.mark.parametrize("hello", ["SERVER_HELLO_JOIN", "SERVER_HELLO_LINK", "SERVER_ANNOUNCE"])
def test_a_known_id_with_another_key_is_bad_key(mesh: Mesh, a: Server, hello: str) -> None:
    linked_server(mesh, a, "b").drop()
    mallory = mesh.suite.generate()
    admit(mesh, a, mallory)
    thief = server_socket(mesh, a, "b", key=mallory, hello=hello)
    assert (thief.errors(), thief.closed) == (["BAD_KEY"], 1008)
    assert "forget" in str(thief.members("ERROR")[0]["detail"])


@pytest.mark.spec("5")
@pytest.mark.threat("I4")
def test_of_two_keys_that_claim_one_new_id_the_first_to_prove_keeps_it(mesh: Mesh) -> None:
    a = mesh.server("a", federation=Federation.OPEN)
    one, two = server_socket(mesh, a, "b"), server_socket(mesh, a, "b")
    prove(one)
    one.drop()
    prove(two)
    assert (two.errors(), two.closed) == (["BAD_KEY"], 1008)
    pins = [r for r in a.disk if isinstance(r, ServerPin)]
    assert {p.pubkey for p in pins} == {one.key.public.text}


@pytest.mark.spec("5")
@pytest.mark.parametrize(
    ("hello", "answer"),
    [
        ("SERVER_HELLO_JOIN", "SERVER_WELCOME"),
        ("SERVER_HELLO_LINK", "ACK"),
        ("SERVER_ANNOUNCE", "ACK"),
    ],
)
def test_each_first_frame_has_its_answer_and_the_socket_is_the_link(
    mesh: Mesh, a: Server, hello: str, answer: str
) -> None:
    peer = linked_server(mesh, a, "b", hello=hello)
    said = peer.members(answer)[0]
    assert said["server_id"] == a.id
    assert said["pubkey"] == a.key.public.text
    if answer == "ACK":
        assert said["msg_ref"] == hello
    assert a.linked() == {peer.id}


@pytest.mark.spec("5")
def test_a_server_in_the_welcome_is_dialled_and_all_hear_an_announce(mesh: Mesh) -> None:
    b = mesh.server("b", port=8002, federation=Federation.OPEN)
    c = mesh.server("c", port=8003, federation=Federation.OPEN, peers=(8002,))
    mesh.run(2)
    d = mesh.server("d", port=8004, federation=Federation.OPEN, peers=(8002,))
    mesh.run(4)
    assert d.linked() == {b.id, c.id}


@pytest.mark.spec("5")
def test_one_bad_row_in_a_welcome_does_not_cost_the_others(mesh: Mesh) -> None:
    a = mesh.server("a", peers=(8002,), federation=Federation.OPEN)
    mesh.server("c", port=8003, federation=Federation.OPEN)
    b = answering(mesh, a, 8002)
    rows = [
        {"server_id": an_id("x"), "host": "h", "port": 1, "pubkey": "no key"},
        {
            "server_id": an_id("y"),
            "host": "bad\x1b[2J host",
            "port": 1,
            "pubkey": b.key.public.text,
        },
        {
            "server_id": mesh.servers["c"].id,
            "host": "localhost",
            "port": 8003,
            "pubkey": mesh.servers["c"].key.public.text,
        },
    ]
    members = {"assigned_id": a.id, "servers": rows, "server_id": b.id}
    b.say("SERVER_WELCOME", {**members, "pubkey": b.key.public.text}, to=a.id)
    assert b.said("SERVER_ANNOUNCE")
    mesh.run(2)
    assert a.linked() == {b.id, mesh.servers["c"].id}


@pytest.mark.spec("5")
def test_a_plain_v13_server_that_we_dialled_is_linked_by_its_signed_answer(mesh: Mesh) -> None:
    a = mesh.server("a", peers=(8002,))
    b = answering(mesh, a, 8002)
    assert b.said("SERVER_HELLO_JOIN")[0].to == "localhost:8002"
    b.say("ACK", {"server_id": b.id, "pubkey": b.key.public.text}, to=a.id)
    assert a.linked() == {b.id}


@pytest.mark.spec("5")
def test_an_answer_that_its_key_did_not_sign_links_nobody(mesh: Mesh) -> None:
    a = mesh.server("a", peers=(8002,))
    b = answering(mesh, a, 8002)
    members: dict[str, object] = {"server_id": b.id, "pubkey": b.key.public.text}
    b.say("ACK", members, to=a.id, sign_with=mesh.suite.generate())
    assert (a.linked(), b.closed) == (set(), 1008)


@pytest.mark.spec("11")
@pytest.mark.threat("I4")
def test_an_answer_with_link_auth_but_no_challenge_may_be_a_replay_and_links_nobody(
    mesh: Mesh,
) -> None:
    a = mesh.server("a", peers=(8002,))
    b = answering(mesh, a, 8002)
    members: dict[str, object] = {
        "server_id": b.id,
        "pubkey": b.key.public.text,
        "features": list(LINKS),
    }
    b.say("ACK", members, to=a.id)
    assert (a.linked(), b.closed) == (set(), 1008)


@pytest.mark.spec("11")
@pytest.mark.threat("I4")
@pytest.mark.parametrize("proof", ["", "AAAA", "own nonce missing", "right"])
def test_the_server_we_dialled_must_prove_itself_too(mesh: Mesh, proof: str) -> None:
    a = mesh.server("a", peers=(8002,))
    b = answering(mesh, a, 8002)
    b.features = LINKS
    challenge: dict[str, object] = {
        "nonce": base64url.encode(bytes(32)),
        "server_id": b.id,
        "pubkey": b.key.public.text,
        "features": list(LINKS),
    }
    b.say("AUTH_CHALLENGE", challenge, to=a.id, bind=False, signed=False)
    text = signing.link_auth(a.id, b.id, bytes(32))
    assert signing.verify(a.key.public, str(b.members("AUTH_PROOF")[0]["proof"]), text)
    nonce = base64url.decode(str(b.members("SERVER_HELLO_JOIN")[0]["auth_nonce"]))
    if proof == "own nonce missing":
        proof = signing.sign(b.key, signing.link_auth(b.id, a.id, bytes(32)))
    elif proof == "right":
        proof = signing.sign(b.key, signing.link_auth(b.id, a.id, nonce))
        b.say("ACK", {"msg_ref": "SERVER_HELLO_JOIN", "proof": proof}, to=a.id)
        assert a.linked() == {b.id}
        return
    b.say("ACK", {"msg_ref": "SERVER_HELLO_JOIN", "proof": proof}, to=a.id)
    assert (a.linked(), b.closed) == (set(), 1008)


@pytest.mark.spec("11")
def test_the_answer_to_our_proof_must_be_bound(mesh: Mesh) -> None:
    a = mesh.server("a", peers=(8002,))
    b = answering(mesh, a, 8002)
    challenge: dict[str, object] = {
        "nonce": base64url.encode(bytes(32)),
        "server_id": b.id,
        "pubkey": b.key.public.text,
        "features": list(LINKS),
    }
    b.say("AUTH_CHALLENGE", challenge, to=a.id, signed=False)
    nonce = base64url.decode(str(b.members("SERVER_HELLO_JOIN")[0]["auth_nonce"]))
    proof = signing.sign(b.key, signing.link_auth(b.id, a.id, nonce))
    b.say("ACK", {"proof": proof}, to=a.id, bind=False)
    assert (a.linked(), b.closed) == (set(), 1008)


@pytest.mark.spec("5")
def test_a_key_that_the_bootstrap_list_does_not_name_is_refused_where_it_names_one(
    mesh: Mesh,
) -> None:
    expected = mesh.suite.generate().public.fingerprint
    a = mesh.server("a", peers=(8002,), given=True, keys={8002: expected})
    b = answering(mesh, a, 8002)
    b.say("ACK", {"server_id": b.id, "pubkey": b.key.public.text}, to=a.id)
    assert (a.linked(), b.closed) == (set(), 1008)
    assert expected in a.log()


@pytest.mark.spec("5")
def test_an_unreachable_peer_is_one_warning_with_the_systems_words(mesh: Mesh) -> None:
    a = mesh.server("a", peers=(8002,))
    mesh.run(60)
    lines = [n.text for n in a.notes if n.level == "warning"]
    assert len(lines) == 1
    assert "Errno 111" in lines[0]
    assert "ws://localhost:8002" in lines[0]


@pytest.mark.spec("5")
@pytest.mark.parametrize(("host", "most_s"), [("localhost", 2), ("far.example", 60)])
def test_reconnecting_backs_off_with_jitter_from_1_s_to_its_most(
    mesh: Mesh, host: str, most_s: int
) -> None:
    from socp.node.dialling import Dialling
    from socp.node.emitter import Emitter
    from socp.node.links import Links
    from socp.node.quarantine import Quarantine

    a = mesh.server("a")
    dialling = Dialling(a.settings, Emitter(a.id), Links(), Quarantine())
    pauses = [dialling.pause_ms(HostPort(host, 1), n) for n in range(40)]
    assert 500 <= pauses[0] <= 1000
    assert all(most_s * 500 <= p <= most_s * 1000 for p in pauses[7:])
    assert len(set(pauses[7:])) > 5


@pytest.mark.spec("5")
def test_a_dial_that_failed_is_not_tried_again_before_its_pause(mesh: Mesh) -> None:
    b = mesh.server("b", port=8002, peers=(9999,))
    dials = 0
    handle = b.node.handle

    def counting(event: object, now: object) -> list[object]:
        nonlocal dials
        effects = handle(event, now)  # type: ignore[arg-type]
        dials += sum(isinstance(e, Dial) for e in effects)
        return effects  # type: ignore[return-value]

    b.node.handle = counting  # type: ignore[method-assign,assignment]
    mesh.run(60)
    assert 30 <= dials <= 62
    mesh.event(b, DialFailed(HostPort("never.example", 1), "asked by nobody"))


@pytest.mark.spec("5")
def test_an_announce_on_a_link_says_where_the_server_listens_now(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    b.say("SERVER_ANNOUNCE", hello_of(b, host="new.example", port=7000))
    pin = [r for r in a.disk if isinstance(r, ServerPin)][-1]
    assert (pin.host, pin.port) == ("new.example", 7000)


@pytest.mark.spec("5")
def test_an_announce_with_another_key_is_bad_key(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    b.clear()
    other = {**hello_of(b), "pubkey": mesh.suite.generate().public.text}
    b.say("SERVER_ANNOUNCE", other)
    assert b.errors() == ["BAD_KEY"]


@pytest.mark.spec("4")
@pytest.mark.parametrize("bad", ["x" * 65, "two\nlines", "\x1b[2J", "ALSO BAD"])
def test_an_id_that_could_mislead_a_log_or_a_terminal_is_no_servers_id(
    mesh: Mesh, a: Server, bad: str
) -> None:
    key = mesh.suite.generate()
    admit(mesh, a, key)
    peer = mesh.open_socket(a, "b", key=key, id=bad)
    peer.say("SERVER_HELLO_JOIN", hello_of(peer), to="localhost:8001")
    assert (peer.errors(), peer.closed) == (["BAD_FRAME"], 1008)


@pytest.mark.spec("4")
def test_a_foreign_id_is_linked_when_its_key_is_trusted_and_else_not(mesh: Mesh) -> None:
    a = mesh.server("a", federation=Federation.OPEN)
    key = mesh.suite.generate()
    for trusted in (False, True):
        if trusted:
            admit(mesh, a, key)
        peer = mesh.open_socket(a, "b", key=key, id=f"server_{an_id('b')}")
        peer.say("SERVER_HELLO_JOIN", hello_of(peer), to="localhost:8001")
        assert bool(a.linked()) is trusted
        assert peer.errors() == ([] if trusted else ["NOT_ALLOWED"])


@pytest.mark.spec("5")
def test_a_new_link_hears_each_user_of_ours_and_no_others(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, _ = three
    alice, _ = mesh.user(a, "alice"), mesh.user(b, "bob")
    d = linked_server(mesh, a, "d")
    assert [m["user_id"] for m in d.members("USER_ADVERTISE")] == [alice.id]


@pytest.mark.spec("5")
@pytest.mark.threat("S6")
def test_a_server_of_hundreds_of_users_sends_its_snapshot_without_being_cut(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b")
    for n in range(1_000):
        advertise(b, f"u{n}", b.key)
    assert (b.errors(), b.closed) == ([], None)
    newcomer = mesh.user(a, "alice")
    assert len(newcomer.said("USER_ADVERTISE")) == 1_000


@pytest.mark.spec("5")
def test_a_server_cannot_keep_us_from_dialling_another_by_claiming_its_address(
    mesh: Mesh,
) -> None:
    a = mesh.server("a", peers=(8002,))
    linked_server(mesh, a, "m", port=8002).say("HEARTBEAT", {}, to=a.id)
    b = mesh.server("b", port=8002)
    admit(mesh, a, b.key)
    admit(mesh, b, a.key)
    mesh.run(5)
    assert b.id in a.linked()


@pytest.mark.spec("5")
@pytest.mark.threat("S6")
def test_who_claims_the_place_where_another_server_listens_has_nobody_dialled_there(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b")
    b.drop()
    linked_server(mesh, a, "m").drop()
    mesh.run(0.25)
    assert "unreachable" not in a.log(), "it is b's, and b is waited for a little"
    mesh.run(1)
    assert a.log().count("peer.example:9009 is unreachable") == 1
