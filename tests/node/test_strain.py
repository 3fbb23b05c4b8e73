"""Whose message is refused while too much waits for a signature (section 12; threat S3)."""

from __future__ import annotations

import pytest

from socp.node.effects import Level
from socp.node.events import SigningStrained, Strain
from socp.node.refusals import ERRORS_BURST
from socp.node.strain import SERVER_BURST, SHARE_BURST, SHARE_PER_S, SLOW_MS
from tests.keys import SpiedKey
from tests.node.cast import advertise, deliver_of, linked_server
from tests.node.mesh import USER_FEATURES, Mesh, Peer, Server, message
from tests.node.test_fast_sig import fast_server, fast_user
from tests.node.test_transfers import start_of


def strained(mesh: Mesh, server: Server, strain: Strain) -> None:
    mesh.event(server, SigningStrained(strain))


def write(author: Peer, reader: Peer, count: int) -> int:
    """Say so many messages; how many were refused."""
    author.clear()
    for n in range(count):
        author.say("MSG_DIRECT", message(author, reader.id, b"%d" % n), to=reader.id)
        author.mesh.wall += 1
    return author.errors().count("RATE_LIMITED")


def plain_pair(mesh: Mesh, a: Server) -> tuple[Peer, Peer]:
    return mesh.user(a, "alice", features=()), mesh.user(a, "bob", features=())


@pytest.mark.spec("12")
@pytest.mark.threat("S3")
def test_who_says_more_than_a_person_is_refused_while_others_would_wait(
    mesh: Mesh, a: Server
) -> None:
    alice, bob = plain_pair(mesh, a)
    strained(mesh, a, Strain.SOME)
    assert write(alice, bob, SHARE_BURST) == 0
    assert write(alice, bob, 5) == 5
    assert write(bob, alice, 5) == 0, "another one's share is their own"
    mesh.mono += 1000
    assert write(alice, bob, SHARE_PER_S + 1) == 1
    strained(mesh, a, Strain.NONE)
    assert write(alice, bob, 5) == 0


@pytest.mark.spec("12")
def test_a_share_counts_what_was_said_before_too(mesh: Mesh, a: Server) -> None:
    alice, bob = plain_pair(mesh, a)
    assert write(alice, bob, SHARE_BURST) == 0
    strained(mesh, a, Strain.SOME)
    assert write(alice, bob, 1) == 1


@pytest.mark.spec("12")
def test_where_the_queue_is_full_nobody_adds_to_it(mesh: Mesh, a: Server) -> None:
    alice, bob = plain_pair(mesh, a)
    strained(mesh, a, Strain.FULL)
    assert write(alice, bob, 1) == 1
    assert not bob.said("USER_DELIVER")


@pytest.mark.spec("12")
@pytest.mark.threat("S3")
@pytest.mark.parametrize("what", ["MSG_PUBLIC_CHANNEL", "LIST_REQUEST", "PUBKEY_REQUEST"])
def test_all_that_is_answered_with_a_signature_waits_as_messages_do(
    mesh: Mesh, a: Server, what: str
) -> None:
    alice, bob = plain_pair(mesh, a)
    strained(mesh, a, Strain.FULL)
    alice.clear()
    if what == "MSG_PUBLIC_CHANNEL":
        alice.say(what, message(alice, "public"), to="public")
    else:
        alice.say(what, {"user_id": bob.id})
    assert ([e.type for e in alice.heard], alice.errors()) == (["ERROR"], ["RATE_LIMITED"])
    assert not bob.said("MSG_PUBLIC_CHANNEL")


@pytest.mark.spec("12")
def test_a_v13_author_is_told_each_time_in_words_that_are_signed_once(
    mesh: Mesh, a: Server
) -> None:
    alice, bob = plain_pair(mesh, a)
    strained(mesh, a, Strain.FULL)
    assert write(alice, bob, 60) == 60
    assert len({str(members) for members in alice.members("ERROR")}) == 1
    warned = [note for note in a.notes if note.level is Level.WARNING]
    assert len(warned) <= ERRORS_BURST, "the log is not theirs to fill"


@pytest.mark.spec("11")
def test_on_a_bound_link_the_refusal_names_the_message(mesh: Mesh, a: Server) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    strained(mesh, a, Strain.FULL)
    assert write(alice, bob, 1) == 1
    assert alice.members("ERROR")[-1]["msg_ref"]


@pytest.mark.spec("11")
def test_what_a_session_key_signs_goes_on_whatever_waits() -> None:
    mesh = Mesh(fast=True)
    a = mesh.server("a")
    (alice, _), (bob, _) = fast_user(mesh, a, "alice"), fast_user(mesh, a, "bob")
    plain = mesh.user(a, "carol", features=USER_FEATURES)
    strained(mesh, a, Strain.FULL)
    assert write(alice, bob, 40) == 0
    assert write(alice, plain, 1) == 1, "what she reads takes the other key"


@pytest.mark.spec("8")
def test_a_file_is_slowed_and_not_refused(mesh: Mesh, a: Server) -> None:
    alice, bob = plain_pair(mesh, a)
    strained(mesh, a, Strain.SOME)
    alice.say("FILE_START", start_of(alice), to=bob.id)
    assert bob.said("FILE_START")
    assert a.paused_ms[alice.link] == SLOW_MS


@pytest.mark.spec("6")
def test_a_message_between_v13_users_takes_two_signatures_and_a_post_to_all_two(
    mesh: Mesh,
) -> None:
    key = SpiedKey(mesh.suite.generate())
    a = mesh.server("a", key=key)
    alice, bob = plain_pair(mesh, a)
    for n in range(5):
        mesh.user(a, f"other {n}", features=())
    before = len(key.signed)
    assert write(alice, bob, 10) == 0
    assert (len(key.signed) - before, len(bob.said("USER_DELIVER"))) == (20, 10)
    before = len(key.signed)
    alice.say("MSG_PUBLIC_CHANNEL", message(alice, "public"), to="public")
    assert (len(key.signed) - before, len(bob.said("MSG_PUBLIC_CHANNEL"))) == (2, 1)


@pytest.mark.spec("12")
@pytest.mark.threat("S3")
@pytest.mark.parametrize("kind", ["PUBKEY_REQUEST", "SERVER_DELIVER"])
def test_a_server_that_makes_us_sign_without_end_is_read_slower_alone(
    mesh: Mesh, a: Server, kind: str
) -> None:
    b, c = linked_server(mesh, a, "b"), linked_server(mesh, a, "c", port=9010)
    bob = mesh.user(a, "bob")
    carol, key = advertise(b, "carol")
    strained(mesh, a, Strain.SOME)
    for n in range(SERVER_BURST + 1):
        assert b.link not in a.paused_ms
        said: dict[str, object] = {"user_id": bob.id}
        if kind == "SERVER_DELIVER":
            said = deliver_of(key, carol, bob.id, mesh.wall, text=b"%d" % n)
        b.say(kind, said, to=a.id)
    assert a.paused_ms[b.link] == SLOW_MS
    c.say("PUBKEY_REQUEST", {"user_id": bob.id}, to=a.id)
    assert c.link not in a.paused_ms
    assert not b.errors()


@pytest.mark.spec("12")
def test_a_server_is_read_at_its_pace_where_session_keys_sign(mesh: Mesh, a: Server) -> None:
    mesh.fast = True
    mesh.renew(a)
    b, _ = fast_server(mesh, a, "b")
    bob, _ = fast_user(mesh, a, "bob")
    carol, key = advertise(b, "carol")
    strained(mesh, a, Strain.FULL)
    for n in range(SERVER_BURST + 5):
        b.say("SERVER_DELIVER", deliver_of(key, carol, bob.id, mesh.wall, text=b"%d" % n), to=a.id)
    assert len(bob.said("USER_DELIVER")) == SERVER_BURST + 5
    assert b.link not in a.paused_ms
