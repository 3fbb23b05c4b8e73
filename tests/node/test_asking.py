"""/list and PUBKEY_REQUEST (section 6)."""

from __future__ import annotations

import pytest

from socp.crypto import signing
from socp.node.records import Account
from tests.node.cast import advert_of, advertise, linked_server
from tests.node.mesh import Mesh, Server, an_id


@pytest.mark.spec("6")
@pytest.mark.parametrize(
    "name",
    [
        "LIST_REQUEST",
        "USER_LIST_REQ",
        "USER_LIST_REQUEST",
        "CMD_LIST",
        "LIST",
        "CTRL_LIST",
        "WHO",
    ],
)
def test_the_list_answers_to_each_of_its_names(mesh: Mesh, a: Server, name: str) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice", features=(), display_name="Alice")
    bob, _ = advertise(b, "bob")
    alice.say(name, {}, signed=False)
    said = alice.members("USER_LIST")[0]
    assert said["users"] == sorted([alice.id, bob])
    rows = {r["user_id"]: r for r in said["online"]}  # type: ignore[attr-defined]
    assert rows[alice.id] == {"user_id": alice.id, "server_id": a.id, "display_name": "Alice"}
    assert rows[bob]["server_id"] == b.id
    assert "more" not in said


@pytest.mark.spec("6")
def test_a_long_list_comes_in_parts_and_says_that_there_is_more(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    alice.features = ()
    for n in range(1_600):
        advertise(b, f"u{n}", b.key)
    alice.features = ("bind/1",)
    alice.say("LIST_REQUEST", {}, to=a.id)
    first, last = alice.members("USER_LIST")
    assert (first.get("more"), last.get("more")) == (True, None)
    users = [*first["users"], *last["users"]]  # type: ignore[misc]
    assert len(users) == 1_601
    assert users == sorted(users)


@pytest.mark.spec("12")
@pytest.mark.threat("S3")
def test_a_long_list_costs_as_much_of_the_rate_as_it_makes_work(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    for n in range(3_000):
        advertise(b, f"u{n}", b.key)
    alice = mesh.user(a, "alice")
    alice.clear()
    for _ in range(30):
        alice.say("LIST_REQUEST", {})
    assert len(alice.said("USER_LIST")) == 5 * 3  # of a burst of 120, each costs 21
    assert "RATE_LIMITED" in alice.errors()


@pytest.mark.spec("6")
def test_a_key_that_is_known_here_is_answered_with_the_directorys_word(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, key = advertise(b, "bob")
    for name in ("PUBKEY_REQUEST", "GET_PUBKEY"):
        alice.clear()
        alice.say(name, {"user_id": bob})
        said = alice.members("PUBKEY_RESPONSE")[0]
        assert (said["user_id"], said["pubkey"]) == (bob, key.public.text)
        text = signing.directory(bob, key.public.fingerprint, 1)
        assert signing.verify(a.key.public, str(said["directory_sig"]), text)


@pytest.mark.spec("6")
def test_a_key_that_is_not_known_here_is_asked_of_the_users_server(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice, carol = mesh.user(a, "alice"), mesh.user(a, "carol")
    bob, key = an_id("bob"), mesh.suite.generate()
    b.say("USER_ADVERTISE", advert_of(bob, b.id, None))
    for asker in (alice, carol):
        asker.say("PUBKEY_REQUEST", {"user_id": bob})
    assert len(b.said("PUBKEY_REQUEST")) == 1
    b.say("PUBKEY_RESPONSE", {"user_id": bob, "pubkey": key.public.text}, to=a.id)
    for asker in (alice, carol):
        assert asker.members("PUBKEY_RESPONSE")[0]["pubkey"] == key.public.text
    b.clear()
    alice.say("PUBKEY_REQUEST", {"user_id": bob})
    assert not b.said("PUBKEY_REQUEST")


@pytest.mark.spec("6")
@pytest.mark.threat("I3")
def test_only_the_users_server_answers_for_their_key_and_nobody_else_spoils_it(
    mesh: Mesh, a: Server
) -> None:
    b, m = linked_server(mesh, a, "b"), linked_server(mesh, a, "m", port=9010)
    alice = mesh.user(a, "alice")
    bob, key = an_id("bob"), mesh.suite.generate()
    b.say("USER_ADVERTISE", advert_of(bob, b.id, None))
    alice.say("PUBKEY_REQUEST", {"user_id": bob})
    m.say("PUBKEY_RESPONSE", {"user_id": bob, "pubkey": m.key.public.text}, to=a.id)
    b.say("PUBKEY_RESPONSE", {"user_id": bob, "pubkey": "no key"}, to=a.id)
    assert not alice.said("PUBKEY_RESPONSE")
    b.say("PUBKEY_RESPONSE", {"user_id": bob, "pubkey": key.public.text}, to=a.id)
    assert alice.members("PUBKEY_RESPONSE")[0]["pubkey"] == key.public.text


@pytest.mark.spec("6")
def test_a_key_nobody_asked_for_is_not_taken(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    bob = an_id("bob")
    b.say("USER_ADVERTISE", advert_of(bob, b.id, None))
    b.say("PUBKEY_RESPONSE", {"user_id": bob, "pubkey": b.key.public.text}, to=a.id)
    assert bob not in {r.user_id for r in a.disk if isinstance(r, Account)}


@pytest.mark.spec("6")
def test_a_question_that_nobody_answers_in_5_s_is_user_not_found(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob = an_id("bob")
    b.say("USER_ADVERTISE", advert_of(bob, b.id, None))
    alice.say("PUBKEY_REQUEST", {"user_id": bob})
    mesh.run(6)
    error = alice.members("ERROR")[0]
    assert (error["code"], error["user_id"]) == ("USER_NOT_FOUND", bob)
    assert not a.node._directory._asking


@pytest.mark.spec("6")
def test_the_answer_is_not_said_to_a_link_that_is_gone(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob = an_id("bob")
    b.say("USER_ADVERTISE", advert_of(bob, b.id, None))
    alice.say("PUBKEY_REQUEST", {"user_id": bob})
    alice.drop()
    heard = len(alice.heard)
    b.say("PUBKEY_RESPONSE", {"user_id": bob, "pubkey": b.key.public.text}, to=a.id)
    assert len(alice.heard) == heard


@pytest.mark.spec("6")
@pytest.mark.threat("S3")
def test_a_server_is_not_asked_back_what_it_asked(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    b.say("USER_ADVERTISE", advert_of(an_id("bob"), b.id, None))
    b.clear()
    b.say("PUBKEY_REQUEST", {"user_id": an_id("bob")}, to=a.id)
    assert [e.type for e in b.heard] == ["ERROR"]
