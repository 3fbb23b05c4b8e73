"""Who says what first, and the proof that it is they (sections 1, 2 and 11)."""

from __future__ import annotations

import pytest

from socp.crypto import signing
from socp.node.effects import Close
from socp.node.events import FrameReceived, LinkOpened, Now
from socp.node.records import Account
from socp.wire import base64url
from socp.wire.envelope import decode
from tests.node.cast import (
    admit,
    advert_of,
    advertise,
    hello_of,
    linked_server,
    prove,
    server_socket,
)
from tests.node.mesh import START_MS, Mesh, Peer, Server, an_id, message


def knock(mesh: Mesh, server: Server, name: str = "alice", **members: object) -> Peer:
    """A user with `link-auth/1` that said hello and was challenged."""
    peer = mesh.open_socket(server, name, features=("link-auth/1", "bind/1"))
    hello = {
        "pubkey": peer.key.public.text,
        "features": list(peer.features),
        "auth_nonce": base64url.encode(bytes(32)),
    }
    peer.say("USER_HELLO", {**hello, **members})
    return peer


@pytest.mark.spec("1")
@pytest.mark.parametrize(
    "kind", ["MSG_DIRECT", "HEARTBEAT", "LIST_REQUEST", "USER_ADVERTISE", "AUTH_PROOF", "NO_SUCH"]
)
def test_a_first_frame_that_is_no_hello_is_refused_and_the_link_closed(
    mesh: Mesh, a: Server, kind: str
) -> None:
    stranger = mesh.open_socket(a, "stranger")
    stranger.say(kind, {})
    assert stranger.errors() == ["NOT_ALLOWED"]
    assert stranger.closed == 1008


@pytest.mark.spec("2")
@pytest.mark.parametrize("kind", ["ACK", "ERROR"])
def test_an_ack_or_error_as_first_frame_is_closed_without_an_answer(
    mesh: Mesh, a: Server, kind: str
) -> None:
    stranger = mesh.open_socket(a, "stranger")
    stranger.say(kind, {})
    assert (stranger.heard, stranger.closed) == ([], 1008)


@pytest.mark.spec("1")
@pytest.mark.threat("S1")
def test_a_link_without_a_first_frame_in_10_s_is_closed(mesh: Mesh, a: Server) -> None:
    silent = mesh.open_socket(a, "silent")
    mesh.run(9)
    assert silent.closed is None
    mesh.run(3)
    assert silent.closed == 1008
    assert a.node.status().links == 0


@pytest.mark.spec("1")
@pytest.mark.threat("S1")
def test_what_a_link_says_once_it_is_closed_as_overdue_is_not_looked_at(
    mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, stranger = knock(mesh, a), mesh.open_socket(a, "stranger")
    closed: list[int] = []
    monkeypatch.setattr(mesh, "_close", lambda _server, effect: closed.append(effect.link))
    mesh.run(12)
    assert sorted(closed) == [user.link, stranger.link]
    user.clear()
    for peer in (user, stranger):
        peer.say("USER_HELLO", {"pubkey": peer.key.public.text})
        peer.raw(b"no frame")
    assert (user.heard, stranger.heard) == ([], [])


@pytest.mark.spec("11")
@pytest.mark.threat("S1")
def test_a_proof_that_does_not_come_in_10_s_ends_the_link(mesh: Mesh, a: Server) -> None:
    user, other = knock(mesh, a), server_socket(mesh, a, "other")
    assert user.said("AUTH_CHALLENGE")
    assert other.said("AUTH_CHALLENGE")
    mesh.run(12)
    assert (user.closed, other.closed) == (1008, 1008)
    assert a.node.status().links == 0


@pytest.mark.spec("1")
def test_a_goodbye_closes_the_link_with_1000(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice")
    alice.raw(b'{"type":"CTRL_CLOSE"}')
    assert alice.closed == 1000
    assert a.node.status().users == 0


@pytest.mark.spec("1")
@pytest.mark.threat("P1")
@pytest.mark.parametrize("kind", ["SERVER_HELLO_JOIN", "SERVER_HELLO_LINK", "SERVER_ANNOUNCE"])
def test_a_web_page_is_never_taken_as_a_server(mesh: Mesh, a: Server, kind: str) -> None:
    key = mesh.suite.generate()
    admit(mesh, a, key)
    page = server_socket(mesh, a, "page", key=key, hello=kind, browser=True)
    assert (page.errors(), page.closed) == (["NOT_ALLOWED"], 1008)
    assert not a.linked()


@pytest.mark.spec("1")
def test_a_web_page_may_be_a_user(mesh: Mesh, a: Server) -> None:
    page = mesh.open_socket(a, "alice", browser=True)
    page.say("USER_HELLO", {"pubkey": page.key.public.text})
    assert page.said("ACK")


@pytest.mark.spec("11")
def test_a_user_who_can_prove_is_challenged_before_anything_else(mesh: Mesh, a: Server) -> None:
    mesh.user(a, "bob")
    alice = knock(mesh, a)
    assert [e.type for e in alice.heard] == ["AUTH_CHALLENGE"]
    assert alice.heard[0].sig == ""
    assert "bind" not in alice.heard[0].members
    assert a.node.status().users == 1


@pytest.mark.spec("11")
def test_the_answer_to_a_users_proof_carries_the_servers_own_over_the_auth_nonce(
    mesh: Mesh, a: Server
) -> None:
    alice = knock(mesh, a)
    prove(alice)
    ack = alice.members("ACK")[0]
    assert (ack["msg_ref"], ack["server_id"]) == ("USER_HELLO", a.id)
    text = signing.link_auth(a.id, alice.id, bytes(32))
    assert signing.verify(a.key.public, str(ack["proof"]), text)


@pytest.mark.spec("11")
@pytest.mark.threat("I4")
@pytest.mark.parametrize("proof", ["", "AAAA", "wrong key", "other server", None])
def test_a_wrong_empty_or_absent_proof_is_invalid_sig_and_ends_the_link(
    mesh: Mesh, a: Server, proof: str | None
) -> None:
    admitted = mesh.suite.generate()
    admit(mesh, a, admitted)
    for peer in (knock(mesh, a), server_socket(mesh, a, "b", key=admitted)):
        nonce = base64url.decode(str(peer.members("AUTH_CHALLENGE")[0]["nonce"]))
        said = {"proof": proof}
        if proof == "wrong key":
            text = signing.link_auth(peer.id, a.id, nonce)
            said = {"proof": signing.sign(mesh.suite.generate(), text)}
        elif proof == "other server":
            text = signing.link_auth(peer.id, an_id("elsewhere"), nonce)
            said = {"proof": signing.sign(peer.key, text)}
        peer.say("AUTH_PROOF", {} if proof is None else dict(said), bind=False)
        assert (peer.errors(), peer.closed) == (["INVALID_SIG"], 1008)
    assert (a.node.status().users, a.linked()) == (0, set())


@pytest.mark.spec("11")
def test_a_proof_over_another_links_nonce_does_not_hold(mesh: Mesh, a: Server) -> None:
    first, second = knock(mesh, a), knock(mesh, a, "bob")
    text = signing.link_auth(
        second.id, a.id, base64url.decode(str(first.members("AUTH_CHALLENGE")[0]["nonce"]))
    )
    second.say("AUTH_PROOF", {"proof": signing.sign(second.key, text)}, bind=False)
    assert (second.errors(), second.closed) == (["INVALID_SIG"], 1008)


@pytest.mark.spec("11")
@pytest.mark.parametrize("kind", ["MSG_DIRECT", "USER_HELLO", "LIST_REQUEST", "NO_SUCH"])
def test_another_frame_before_the_proof_is_not_allowed(mesh: Mesh, a: Server, kind: str) -> None:
    alice = knock(mesh, a)
    alice.say(kind, message(alice, an_id("bob")))
    assert (alice.errors(), alice.closed) == (["NOT_ALLOWED"], 1008)


@pytest.mark.spec("11")
def test_the_proof_must_be_from_who_said_hello(mesh: Mesh, a: Server) -> None:
    alice = knock(mesh, a)
    prove(alice, as_=an_id("mallory"))
    assert (alice.errors(), alice.closed) == (["NOT_ALLOWED"], 1008)


@pytest.mark.spec("11")
def test_the_exporter_of_a_tls_link_belongs_to_the_proof(mesh: Mesh, a: Server) -> None:
    key, nonce = mesh.suite.generate(), mesh.suite.random(32)
    peer = Peer(mesh, a, 99, an_id("alice"), key, ("link-auth/1",))

    def attempt(link: int, exporter: bytes, signed_over: bytes) -> list[str]:
        now = Now(START_MS, 0)
        spare = an_id("spare")
        opened = LinkOpened(link, "9.9.9.9", False, False, nonce, spare, None, exporter)
        a.node.handle(opened, now)
        peer.link = link
        frames = []
        mesh.bytes_in = lambda server, link, data: frames.append(data)  # type: ignore[method-assign]
        hello = {**hello_of(peer), "client": "x"}
        peer.say("USER_HELLO", hello)
        text = signing.link_auth(peer.id, a.id, nonce, signed_over)
        peer.say("AUTH_PROOF", {"proof": signing.sign(key, text)})
        effects = [a.node.handle(FrameReceived(link, decode(f)), now) for f in frames]
        return [type(e).__name__ for e in effects[-1]]

    assert "Close" in attempt(1, b"x" * 32, b"")
    assert "Close" in attempt(2, b"", b"x" * 32)
    assert Close.__name__ not in attempt(3, b"x" * 32, b"x" * 32)


@pytest.mark.spec("11")
@pytest.mark.threat("M9")
def test_a_user_who_once_proved_is_refused_without_the_features_they_proved(
    mesh: Mesh, a: Server
) -> None:
    alice = mesh.user(a, "alice")
    alice.drop()
    for features in ((), ("bind/1",), ("link-auth/1",)):
        again = mesh.user(a, "alice", key=alice.key, features=features)
        assert (again.errors(), again.closed) == (["NOT_ALLOWED"], 1008)
    assert mesh.user(a, "alice", key=alice.key).said("ACK")


@pytest.mark.spec("11")
@pytest.mark.threat("M9")
def test_the_memory_of_a_proof_outlives_a_restart(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice")
    mesh.kill(a)
    mesh.restart(a)
    bare = mesh.user(a, "alice", key=alice.key, features=())
    assert (bare.errors(), bare.closed) == (["NOT_ALLOWED"], 1008)


@pytest.mark.spec("11")
def test_an_unproven_hello_pins_no_features(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice", features=("bind/1", "hybrid/1"))
    alice.drop()
    assert mesh.user(a, "alice", key=alice.key, features=()).said("ACK")


@pytest.mark.spec("11")
@pytest.mark.parametrize("nonce", ["", "AAAA", "A" * 44])
def test_an_auth_nonce_that_is_not_32_bytes_is_a_bad_frame(
    mesh: Mesh, a: Server, nonce: str
) -> None:
    alice = knock(mesh, a, auth_nonce=nonce)
    assert (alice.errors(), alice.closed) == (["BAD_FRAME"], 1008)


@pytest.mark.spec("11")
def test_who_first_proves_an_id_keeps_it_from_another_key_that_was_challenged_too(
    mesh: Mesh, a: Server
) -> None:
    alice, mallory = knock(mesh, a), knock(mesh, a)
    prove(alice)
    alice.drop()
    prove(mallory)
    assert (mallory.errors(), mallory.closed) == (["BAD_KEY"], 1008)
    assert mesh.user(a, "alice", key=alice.key).said("ACK")


@pytest.mark.spec("11")
def test_a_key_advertised_elsewhere_during_the_challenge_counts(mesh: Mesh, a: Server) -> None:
    from tests.node.cast import advertise, linked_server

    b = linked_server(mesh, a, "b")
    mallory = knock(mesh, a)
    advertise(b, "alice")
    prove(mallory)
    assert mallory.errors() == ["BAD_KEY"]


@pytest.mark.spec("5")
@pytest.mark.parametrize(("who", "kind"), [("user", "USER_ADVERTISE"), ("server", "MSG_DIRECT")])
def test_a_frame_of_the_others_is_refused_by_name(
    mesh: Mesh, a: Server, who: str, kind: str
) -> None:
    peer = mesh.user(a, "alice") if who == "user" else linked_server(mesh, a, "b")
    members = advert_of(an_id("bob"), a.id, None) if who == "user" else message(peer, a.id)
    peer.say(kind, members, to=a.id)
    (error,) = peer.members("ERROR")
    assert error["code"] == "NOT_ALLOWED"
    assert error["detail"] == f"{kind} is not for a {who} to send here"
    assert peer.closed is None


@pytest.mark.spec("5")
def test_a_user_of_another_server_is_remembered_as_who_proved_nothing_here(
    mesh: Mesh, a: Server
) -> None:
    bob, key = advertise(linked_server(mesh, a, "b"), "bob")
    (account,) = [each for each in a.disk if isinstance(each, Account)]
    assert (account.user_id, account.pubkey) == (bob, key.public.text)
    assert (account.local, account.proven) == (False, False)


@pytest.mark.spec("11")
@pytest.mark.parametrize("has_bind", [True, False])
def test_what_is_passed_on_must_be_bound_if_its_origin_has_that_not_if_who_brings_it_has(
    mesh: Mesh, a: Server, has_bind: bool
) -> None:
    features = ("link-auth/1", "bind/1") if has_bind else ()
    origin = linked_server(mesh, a, "c", features=features, port=9010)
    origin.drop()
    carrier = linked_server(mesh, a, "b")
    carol, key = an_id("carol"), mesh.suite.generate()
    carrier.say(
        "USER_ADVERTISE",
        advert_of(carol, origin.id, key),
        from_=origin.id,
        sign_with=origin.key,
        bind=False,
    )
    known = [each.user_id for each in a.disk if isinstance(each, Account)]
    assert known == ([] if has_bind else [carol])


@pytest.mark.spec("5")
def test_who_is_advertised_without_a_name_has_none(mesh: Mesh, a: Server) -> None:
    b, key = linked_server(mesh, a, "b"), mesh.suite.generate()
    advert = advert_of(an_id("bob"), b.id, key)
    del advert["meta"]
    b.say("USER_ADVERTISE", advert)
    (account,) = [each for each in a.disk if isinstance(each, Account)]
    assert account.display_name == ""
