"""`bind/1`: what sig covers besides the payload (section 11)."""

from __future__ import annotations

import pytest

from socp.wire import base64url
from socp.wire.canonical import canonical
from socp.wire.envelope import encode
from tests.node.cast import advert_of, advertise, deliver_of, linked_server, share_of
from tests.node.mesh import Mesh, Peer, Server, an_id, message


def bound_elsewhere(peer: Peer, kind: str, members: dict[str, object], **other: object) -> None:
    """A frame that is signed for one envelope and sent in another."""
    sent = {"type": kind, "from": peer.id, "to": "*", "ts": peer.mesh.wall}
    payload = canonical({**members, "bind": {**sent, **other}})
    sig = base64url.encode(peer.key.sign(payload))
    peer.raw(encode(kind, peer.id, "*", peer.mesh.wall, payload, sig))


@pytest.mark.spec("11")
@pytest.mark.threat("M1")
@pytest.mark.parametrize(
    "other",
    [
        {"type": "USER_REMOVE"},
        {"from": an_id("x")},
        {"to": an_id("x")},
        {"ts": 1_760_000_000_001},
    ],
    ids=["cross-type", "cross-author", "cross-recipient", "re-timed"],
)
def test_a_frame_signed_for_another_envelope_is_invalid_sig(
    mesh: Mesh, a: Server, other: dict[str, object]
) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    b.clear()
    alice.clear()
    bound_elsewhere(b, "USER_ADVERTISE", advert_of(an_id("bob"), b.id, b.key), **other)
    bound_elsewhere(alice, "LIST_REQUEST", {}, **other)
    assert (b.errors(), alice.errors()) == (["INVALID_SIG"], ["INVALID_SIG"])
    assert not alice.said("USER_ADVERTISE")


@pytest.mark.spec("11")
@pytest.mark.threat("M1")
def test_bind_that_is_there_must_fit_even_where_it_is_not_due(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b", features=())
    alice = mesh.user(a, "alice", features=())
    bob = mesh.user(a, "bob")
    for peer in (alice, b, bob):
        peer.clear()
    bound_elsewhere(b, "USER_ADVERTISE", advert_of(an_id("x"), b.id, b.key), ts=1)
    bound_elsewhere(alice, "MSG_PUBLIC_CHANNEL", message(alice, "public"), ts=1)
    wrong = {"type": "MSG_DIRECT", "from": alice.id, "to": alice.id, "ts": mesh.wall}
    alice.say("MSG_DIRECT", {**message(alice, bob.id), "bind": wrong}, to=bob.id)
    assert (b.errors(), alice.errors()) == (["INVALID_SIG"], ["INVALID_SIG"] * 2)
    assert not bob.heard


@pytest.mark.spec("11")
@pytest.mark.threat("M1")
def test_a_servers_frames_on_a_bound_link_must_carry_it(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, key = advertise(b, "bob")
    b.clear()
    b.say("HEARTBEAT", {}, to=a.id, bind=False)
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, bind=False, ts=mesh.wall + 1)
    b.say("SERVER_DELIVER", deliver_of(key, bob, alice.id, mesh.wall), to=a.id, bind=False)
    b.say("PUBLIC_CHANNEL_ADD", {"add": [bob]}, bind=False)
    b.say("PUBKEY_REQUEST", {"user_id": bob}, to=a.id, bind=False)
    assert b.errors() == ["INVALID_SIG"] * 5
    assert not alice.said("USER_DELIVER")


@pytest.mark.spec("11")
@pytest.mark.threat("M1")
def test_a_frame_for_another_server_is_not_taken_from_this_link(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, key = advertise(b, "bob")
    b.clear()
    b.say("SERVER_DELIVER", deliver_of(key, bob, alice.id, mesh.wall), to=an_id("elsewhere"))
    b.say("HEARTBEAT", {}, to=an_id("elsewhere"))
    assert b.errors() == ["INVALID_SIG"] * 2
    assert not alice.said("USER_DELIVER")


@pytest.mark.spec("11")
@pytest.mark.threat("M1")
def test_forwarded_presence_of_an_origin_with_bind_must_carry_it(mesh: Mesh, a: Server) -> None:
    b, c = linked_server(mesh, a, "b"), linked_server(mesh, a, "c", port=9010)
    alice = mesh.user(a, "alice")
    c.clear()
    said = advert_of(an_id("bob"), b.id, b.key)
    c.say("USER_ADVERTISE", said, from_=b.id, sign_with=b.key, bind=False)
    assert c.errors() == ["INVALID_SIG"]
    assert not alice.said("USER_ADVERTISE")


@pytest.mark.spec("11")
@pytest.mark.threat("M14")
@pytest.mark.parametrize("kind", ["ACK", "LIST_REQUEST", "PUBKEY_REQUEST"])
def test_on_a_bound_link_a_users_frame_needs_a_valid_sig(mesh: Mesh, a: Server, kind: str) -> None:
    alice = mesh.user(a, "alice")
    alice.clear()
    said: dict[str, object] = {"user_id": alice.id, "msg_ref": "x"}
    alice.say(kind, said, signed=False)
    alice.say(kind, said, sign_with=mesh.suite.generate())
    alice.say(kind, said, bind=False)
    expected = [] if kind == "ACK" else ["INVALID_SIG"] * 3
    assert [e.type for e in alice.heard] == ["ERROR"] * len(expected)
    assert alice.errors() == expected
    assert "INVALID_SIG" in a.log()


@pytest.mark.spec("11")
def test_messages_and_files_need_no_sig_of_the_hop(mesh: Mesh, a: Server) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    alice.clear()
    alice.say("MSG_DIRECT", message(alice, bob.id), to=bob.id, signed=False, bind=False)
    alice.say("MSG_PUBLIC_CHANNEL", message(alice, "public"), to="public", signed=False)
    alice.say("FILE_END", {"file_id": an_id("f")}, to=bob.id, signed=False, bind=False)
    assert not alice.errors()
    assert bob.said("USER_DELIVER")


@pytest.mark.spec("11")
def test_a_key_share_needs_no_bind_and_travels_on_unchanged(mesh: Mesh, a: Server) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    frame = alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, bob.id), bind=False)
    passed = bob.said("PUBLIC_CHANNEL_KEY_SHARE")[0]
    assert (passed.payload, passed.sig) == (frame.payload, frame.sig)


@pytest.mark.spec("11")
def test_a_v13_user_needs_neither_sig_nor_bind(mesh: Mesh, a: Server) -> None:
    alice, bob = mesh.user(a, "alice", features=()), mesh.user(a, "bob", features=())
    alice.say("LIST_REQUEST", {}, signed=False)
    alice.say("MSG_DIRECT", message(alice, bob.id), to=bob.id, signed=False)
    assert not alice.errors()
    assert "bind" not in bob.members("USER_DELIVER")[0]


@pytest.mark.spec("11")
def test_what_we_say_on_a_bound_link_is_bound(mesh: Mesh, a: Server) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    alice.say("MSG_DIRECT", message(alice, bob.id), to=bob.id)
    alice.say("LIST_REQUEST", {})
    alice.say("LIST_REQUEST", {}, signed=False)
    for peer in (alice, bob):
        for frame in peer.heard[1:]:
            assert frame.members["bind"] == {
                "type": frame.type,
                "from": frame.from_,
                "to": frame.to,
                "ts": frame.ts,
            }


@pytest.mark.spec("11")
def test_a_heartbeat_or_an_error_of_a_user_need_not_be_signed(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice")
    alice.clear()
    for kind in ("HEARTBEAT", "ERROR"):
        alice.say(kind, {"code": "BAD_FRAME"}, to=a.id, signed=False, bind=False)
    assert alice.heard == []
    assert "Refused" not in a.log()
