"""S3: floods of hellos, joins, errors and questions: work before proof is cheap, no answer to an
answer, and whatever one address does is counted."""

from __future__ import annotations

import pytest

from socp.wire import limits
from tests.keys import SpiedKey
from tests.node.cast import admit, advert_of, hello_of, linked_server, server_socket
from tests.node.mesh import Mesh, Peer, Server, an_id

HELLOS = ("SERVER_HELLO_JOIN", "SERVER_HELLO_LINK", "SERVER_ANNOUNCE", "USER_HELLO")
FLOOD = 300
NONSENSE: dict[str, object] = {"code": "NO", "detail": "no", "msg_ref": "x"}


@pytest.fixture
def mesh() -> Mesh:
    return Mesh()


@pytest.fixture
def cost(mesh: Mesh) -> SpiedKey:
    return SpiedKey(mesh.suite.generate())


@pytest.fixture
def a(mesh: Mesh, cost: SpiedKey) -> Server:
    return mesh.server("a", key=cost)


def stranger(
    mesh: Mesh, server: Server, n: int, kind: str, *, address: str, features: tuple[str, ...]
) -> Peer:
    """Somebody with a key of their own, from afar, who has said their first frame."""
    peer = mesh.open_socket(
        server, f"{kind} {n}", loopback=False, address=address, features=features
    )
    to = "localhost:8001" if kind == "SERVER_HELLO_JOIN" else "*"
    peer.say(kind, hello_of(peer, port=9000 + n), to=to)
    return peer


@pytest.mark.spec("11")
@pytest.mark.threat("S3")
@pytest.mark.parametrize("kind", HELLOS)
def test_a_hello_costs_no_signature_before_its_proof_and_reaches_nobody_else(
    mesh: Mesh, a: Server, cost: SpiedKey, kind: str
) -> None:
    b, alice = linked_server(mesh, a, "b"), mesh.user(a, "alice")
    b.clear()
    alice.clear()
    cost.signed.clear()
    for n in range(FLOOD):
        address = f"2001:db8:{n:x}::1"
        features = ("link-auth/1", "bind/1")
        peer = stranger(mesh, a, n, kind, address=address, features=features)
        assert [frame.type for frame in peer.heard] == ["AUTH_CHALLENGE"]
    assert not cost.signed
    assert not b.heard
    assert not alice.heard
    assert a.linked() == {b.id}


@pytest.mark.spec("12")
@pytest.mark.threat("S3")
@pytest.mark.parametrize("kind", HELLOS[:3])
def test_hellos_of_one_address_cost_what_its_bucket_allows_whatever_they_are(
    mesh: Mesh, a: Server, cost: SpiedKey, kind: str
) -> None:
    for features in ((), ("link-auth/1", "bind/1")):
        cost.signed.clear()
        mesh.mono += 60_000
        for n in range(FLOOD):
            peer = stranger(mesh, a, n, kind, address="203.0.113.1", features=features)
            peer.say("AUTH_PROOF", {"proof": "AAAA"}, bind=False)
            peer.say("ERROR", NONSENSE)
        assert len(cost.signed) <= limits.HELLOS_PER_S
        assert peer.closed == 1013
        assert not peer.said("AUTH_CHALLENGE")
        other = stranger(mesh, a, 0, kind, address="203.0.113.2", features=features)
        assert other.closed != 1013
    assert a.node.status().servers == ()


@pytest.mark.spec("12")
@pytest.mark.threat("S3")
def test_refusals_of_strangers_do_not_fill_the_log(mesh: Mesh, a: Server) -> None:
    for n in range(FLOOD):
        stranger(mesh, a, n, "SERVER_HELLO_JOIN", address="203.0.113.1", features=())
        mesh.mono += 10
    warned = [note for note in a.notes if note.level == "warning"]
    assert len([note for note in warned if "RATE_LIMITED" in note.text]) == 1
    assert len(warned) <= 1 + limits.HELLOS_PER_S * (1 + FLOOD // 100)  # each with another key


@pytest.mark.spec("2")
@pytest.mark.threat("S3")
@pytest.mark.parametrize("kind", ["ERROR", "ACK"])
@pytest.mark.parametrize("who", ["challenged user", "challenged server", "user", "server"])
def test_an_answer_is_never_answered_whatever_is_wrong_with_it(
    mesh: Mesh, a: Server, who: str, kind: str
) -> None:
    if who == "challenged user":
        peer = stranger(
            mesh, a, 1, "USER_HELLO", address="203.0.113.1", features=("link-auth/1", "bind/1")
        )
    elif who == "challenged server":
        key = mesh.suite.generate()
        admit(mesh, a, key)
        peer = server_socket(mesh, a, "b", key=key)
    else:
        peer = mesh.user(a, "alice") if who == "user" else linked_server(mesh, a, "b")
    peer.clear()
    wrong: tuple[dict[str, object], ...] = ({}, NONSENSE, {"code": 5}, {"msg_ref": "x" * 999})
    for n in range(FLOOD):
        if n % 50 == 49:
            mesh.mono += 1000  # within the rate of section 12, whose refusals are no answers
        peer.say(kind, wrong[n % len(wrong)], signed=n % 2 == 0, bind=n % 3 == 0)
    assert [frame.type for frame in peer.heard if frame.type in ("ERROR", "ACK")] == []


@pytest.mark.spec("6")
@pytest.mark.threat("S3")
def test_many_questions_about_one_key_are_one_question_to_the_server_that_knows(
    mesh: Mesh, a: Server
) -> None:
    b, c = linked_server(mesh, a, "b"), linked_server(mesh, a, "c", port=9010)
    users = [mesh.user(a, f"u{n}") for n in range(10)]
    bob = an_id("bob")
    b.say("USER_ADVERTISE", advert_of(bob, b.id, None))
    b.clear()
    c.clear()
    for user in users:
        for _ in range(20):
            user.say("PUBKEY_REQUEST", {"user_id": bob})
    for _ in range(20):
        c.say("PUBKEY_REQUEST", {"user_id": bob}, to=a.id)
    assert len(b.said("PUBKEY_REQUEST")) == 1
    assert not c.said("PUBKEY_REQUEST")
    b.say("PUBKEY_RESPONSE", {"user_id": bob, "pubkey": b.key.public.text}, to=a.id)
    for asker in (*users, c):
        assert len(asker.said("PUBKEY_RESPONSE")) == 1


@pytest.mark.spec("6")
@pytest.mark.threat("S3")
def test_a_question_does_not_go_in_circles_nor_back_to_who_asks(mesh: Mesh, a: Server) -> None:
    b, c = linked_server(mesh, a, "b"), linked_server(mesh, a, "c", port=9010)
    bob = an_id("bob")
    b.say("USER_ADVERTISE", advert_of(bob, b.id, None))
    b.clear()
    c.clear()
    for _ in range(20):
        b.say("PUBKEY_REQUEST", {"user_id": bob}, to=a.id)
        b.say("PUBKEY_REQUEST", {"user_id": an_id("nobody")}, to=a.id)
    assert not b.said("PUBKEY_REQUEST")
    assert not c.heard
    assert set(b.errors()) == {"USER_NOT_FOUND"}


@pytest.mark.spec("12")
@pytest.mark.threat("S3")
def test_questions_of_one_user_cost_what_the_users_rate_allows(
    mesh: Mesh, a: Server, cost: SpiedKey
) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    cost.signed.clear()
    for n in range(FLOOD):
        alice.say("PUBKEY_REQUEST", {"user_id": bob.id if n % 2 else an_id(f"nobody {n}")})
    burst = limits.USER_FRAMES_BURST
    # A response has two signatures, its own and the directory's; faults have a bucket of their own.
    assert len(cost.signed) <= 2 * burst + 20
    assert bob.errors() == []
    bob.say("PUBKEY_REQUEST", {"user_id": alice.id})
    assert bob.said("PUBKEY_RESPONSE")
