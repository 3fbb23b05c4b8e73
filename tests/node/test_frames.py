"""Envelopes, clocks and what was seen before (sections 2, 4 and 9)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.node.cast import (
    Members,
    admit,
    advert_of,
    advertise,
    deliver_of,
    linked_server,
    server_socket,
)
from tests.node.mesh import Mesh, Server, an_id, message

ROOT = Path(__file__).resolve().parents[2]
FIVE_MIN = 300_000


@pytest.mark.spec("2")
def test_an_unknown_type_is_named_and_the_link_stays(mesh: Mesh, a: Server) -> None:
    for peer in (mesh.user(a, "alice"), linked_server(mesh, a, "b")):
        peer.clear()
        peer.say("GROUP_CALL", {})
        assert peer.errors() == ["UNKNOWN_TYPE"]
        assert "GROUP_CALL" in str(peer.members("ERROR")[0]["detail"])
        assert peer.closed is None


@pytest.mark.spec("2")
def test_unknown_members_are_no_error(mesh: Mesh, a: Server) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    alice.say("MSG_DIRECT", {**message(alice, bob.id), "mood": 1.5}, to=bob.id)
    assert bob.said("USER_DELIVER")


@pytest.mark.spec("2")
@pytest.mark.threat("S3")
@pytest.mark.parametrize("kind", ["ACK", "ERROR"])
def test_an_ack_or_error_is_never_answered_whatever_is_wrong_with_it(
    mesh: Mesh, a: Server, kind: str
) -> None:
    wrong: list[dict[str, object]] = [{"msg_ref": 5}, {"code": []}, {"bind": {"type": "x"}}]
    for peer in (mesh.user(a, "alice"), linked_server(mesh, a, "b")):
        peer.clear()
        for members in wrong:
            peer.say(kind, members, bind=False)
            peer.say(kind, members, from_=an_id("other"))
            peer.say(kind, {}, signed=False)
            peer.say(kind, {}, bind=False)
        assert peer.heard == []


@pytest.mark.spec("2")
@pytest.mark.parametrize(("late", "word"), [(FIVE_MIN + 7_500, "behind"), (-FIVE_MIN - 1, "ahead")])
def test_a_message_out_of_the_window_is_told_by_how_much_its_clock_is_off(
    mesh: Mesh, a: Server, late: int, word: str
) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    ts = mesh.wall - late
    alice.clear()
    alice.say("MSG_DIRECT", message(alice, bob.id, ts=ts), to=bob.id, ts=ts)
    error = alice.members("ERROR")[0]
    assert error["code"] == "BAD_FRAME"
    assert f"{abs(late) // 1000}.{abs(late) % 1000:03d} s {word}" in str(error["detail"])
    assert not bob.said("USER_DELIVER")


@pytest.mark.spec("2")
def test_a_message_at_the_edge_of_the_window_is_taken(mesh: Mesh, a: Server) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    for ts in (mesh.wall - FIVE_MIN, mesh.wall + FIVE_MIN):
        alice.say("MSG_DIRECT", message(alice, bob.id, ts=ts), to=bob.id, ts=ts)
    assert len(bob.said("USER_DELIVER")) == 2


@pytest.mark.spec("2")
@pytest.mark.threat("M2")
def test_a_hello_of_last_week_is_refused(mesh: Mesh, a: Server) -> None:
    peer = mesh.open_socket(a, "alice")
    peer.say("USER_HELLO", {"pubkey": peer.key.public.text}, ts=mesh.wall - 7 * 86_400_000)
    assert (peer.errors(), peer.closed) == (["BAD_FRAME"], 1008)


def read(kind: str) -> Members:
    """The members of an example of this type; what is signed in it is by nobody."""
    cases = json.loads((ROOT / "vectors/wire/frames.json").read_text())["cases"]
    members = next(case["payload"] for case in cases if case["type"] == kind)
    return {name: value for name, value in members.items() if name != "bind"}


@pytest.mark.spec("2")
@pytest.mark.threat("M2")
@pytest.mark.parametrize("late", [FIVE_MIN + 1, -FIVE_MIN - 1], ids=["late", "early"])
@pytest.mark.parametrize(
    ("who", "kind"),
    [
        ("user", "FILE_START"),
        ("user", "FILE_CHUNK"),
        ("user", "FILE_END"),
        ("user", "PUBLIC_CHANNEL_KEY_SHARE"),
        ("user", "PRESENCE_WATCH"),
        ("user", "KEY_ROTATE"),
        ("user", "KEY_REVOKE"),
        ("user", "SESSION_KEY"),
        ("server", "PUBLIC_CHANNEL_ADD"),
        ("server", "PUBLIC_CHANNEL_UPDATED"),
        ("server", "PUBLIC_CHANNEL_KEY_SHARE"),
        ("server", "SERVER_ANNOUNCE"),
        ("server", "PRESENCE_SYNC"),
        ("server", "SESSION_KEY"),
    ],
)
def test_a_frame_that_changes_state_is_refused_out_of_the_window(
    mesh: Mesh, a: Server, who: str, kind: str, late: int
) -> None:
    peer = mesh.user(a, "alice") if who == "user" else linked_server(mesh, a, "b")
    peer.clear()
    peer.say(kind, read(kind), to=a.id, ts=mesh.wall - late)
    (error,) = peer.members("ERROR")
    assert error["code"] == "BAD_FRAME"
    assert ("behind" if late > 0 else "ahead") in str(error["detail"])


@pytest.mark.spec("2")
@pytest.mark.parametrize(
    ("who", "kind"),
    [
        ("user", "LIST_REQUEST"),
        ("user", "PUBKEY_REQUEST"),
        ("server", "PUBKEY_REQUEST"),
        ("server", "KEY_HISTORY"),
    ],
)
def test_what_only_asks_or_stands_on_its_own_signature_may_be_of_any_time(
    mesh: Mesh, a: Server, who: str, kind: str
) -> None:
    peer = mesh.user(a, "alice") if who == "user" else linked_server(mesh, a, "b")
    peer.clear()
    peer.say(kind, read(kind), to=a.id, ts=mesh.wall - 2 * FIVE_MIN)
    assert "BAD_FRAME" not in peer.errors()


@pytest.mark.spec("2")
def test_an_advert_of_any_age_counts_in_a_snapshot(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, _ = advertise(b, "bob", ts=mesh.wall - 7 * 86_400_000)
    assert alice.members("USER_ADVERTISE")[-1]["user_id"] == bob


@pytest.mark.spec("2")
def test_presence_more_than_5_min_ahead_is_a_bad_frame(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    b.clear()
    advertise(b, "bob", ts=mesh.wall + FIVE_MIN + 1000)
    b.say(
        "USER_REMOVE", {"user_id": an_id("bob"), "server_id": b.id}, ts=mesh.wall + FIVE_MIN + 1000
    )
    assert b.errors() == ["BAD_FRAME", "BAD_FRAME"]


@pytest.mark.spec("2")
@pytest.mark.threat("M2")
def test_presence_that_is_not_newer_for_its_origin_and_user_is_dropped(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, key = advertise(b, "bob", ts=mesh.wall)
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, ts=mesh.wall + 1)
    alice.clear()
    advertise(b, "bob", key, ts=mesh.wall)
    advertise(b, "bob", key, ts=mesh.wall + 1)
    assert not alice.heard
    advertise(b, "bob", key, ts=mesh.wall + 2)
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, ts=mesh.wall + 2)
    assert [e.type for e in alice.heard] == ["USER_ADVERTISE"]


@pytest.mark.spec("2")
@pytest.mark.threat("M2")
def test_no_server_can_push_out_the_order_of_anothers_presence(mesh: Mesh, a: Server) -> None:
    from socp.node import presence

    b, m = linked_server(mesh, a, "b"), linked_server(mesh, a, "m", port=9010)
    bob, key = advertise(b, "bob", ts=mesh.wall)
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, ts=mesh.wall + 1)
    few = presence.ORDER_PER_SERVER
    try:
        presence.ORDER_PER_SERVER = 5
        for n in range(30):
            m.say("USER_REMOVE", {"user_id": an_id(f"u{n}"), "server_id": m.id})
    finally:
        presence.ORDER_PER_SERVER = few
    alice = mesh.user(a, "alice")
    advertise(b, "bob", key, ts=mesh.wall)
    assert not alice.said("USER_ADVERTISE")


@pytest.mark.spec("4")
@pytest.mark.threat("M2")
def test_a_message_said_twice_is_delivered_once_and_acknowledged_twice(
    mesh: Mesh, a: Server
) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    alice.clear()
    said = message(alice, bob.id)
    for _ in range(2):
        alice.say("MSG_DIRECT", dict(said), to=bob.id)  # its sig differs, PSS is random
    acks = alice.members("ACK")
    assert len(acks) == 2
    assert acks[0]["msg_ref"] == acks[1]["msg_ref"]
    assert len(bob.said("USER_DELIVER")) == 1


@pytest.mark.spec("4")
def test_the_same_payload_to_another_user_is_another_message(mesh: Mesh, a: Server) -> None:
    alice, bob, carol = (mesh.user(a, name) for name in ("alice", "bob", "carol"))
    said = message(alice, bob.id)
    alice.say("MSG_DIRECT", said, to=bob.id, bind=False)
    alice.say("MSG_DIRECT", said, to=carol.id, bind=False)
    assert bob.said("USER_DELIVER")
    assert carol.said("USER_DELIVER")


@pytest.mark.spec("4")
@pytest.mark.threat("M2")
def test_a_delivery_is_remembered_for_as_long_as_its_ts_would_be_taken(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b")
    bob, key = advertise(b, "bob")
    alice = mesh.user(a, "alice")
    ts = mesh.wall + FIVE_MIN - 1000
    frame = b.say("SERVER_DELIVER", deliver_of(key, bob, alice.id, ts), to=a.id, ts=ts)
    mesh.run(590)
    b.say("SERVER_DELIVER", dict(frame.members), to=a.id, ts=ts, bind=False)
    assert len(alice.said("USER_DELIVER")) == 1


@pytest.mark.spec("4")
@pytest.mark.threat("S6")
def test_a_post_that_comes_by_two_ways_is_shown_once(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, c = three
    alice, bob, carol = mesh.user(a, "alice"), mesh.user(b, "bob"), mesh.user(c, "carol")
    alice.say("MSG_PUBLIC_CHANNEL", message(alice, "public"), to="public")
    assert len(bob.said("MSG_PUBLIC_CHANNEL")) == len(carol.said("MSG_PUBLIC_CHANNEL")) == 1
    assert not alice.said("MSG_PUBLIC_CHANNEL")


@pytest.mark.spec("9")
@pytest.mark.parametrize(
    ("kind", "to"), [("MSG_DIRECT", an_id("nobody")), ("MSG_PUBLIC_CHANNEL", "*")]
)
def test_every_refusal_of_a_message_names_it(mesh: Mesh, a: Server, kind: str, to: str) -> None:
    from socp.wire import base64url
    from socp.wire.msg_ref import msg_ref

    alice = mesh.user(a, "alice")
    alice.clear()
    said = message(alice, "public" if kind == "MSG_PUBLIC_CHANNEL" else to)
    alice.say(kind, said, to="public" if to == "*" else to, sign_with=None)
    raw = base64url.decode(str(said["ciphertext"]))
    answer = alice.members("ERROR") + alice.members("ACK")
    addressee = "public" if to == "*" else to
    assert answer[0]["msg_ref"] == msg_ref(raw, alice.id, addressee, mesh.wall)


@pytest.mark.spec("9")
def test_a_message_with_a_wrong_key_or_author_is_named_in_its_refusal(
    mesh: Mesh, a: Server
) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    alice.clear()
    said = message(alice, bob.id)
    alice.say("MSG_DIRECT", {**said, "sender_pub": bob.key.public.text}, to=bob.id)
    alice.say("MSG_DIRECT", {**said, "sender": bob.id}, to=bob.id)
    assert alice.errors() == ["BAD_KEY", "NOT_ALLOWED"]
    assert all(len(str(e["msg_ref"])) == 43 for e in alice.members("ERROR"))


@pytest.mark.spec("9")
def test_each_of_many_messages_to_somebody_away_gets_its_error(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice")
    alice.clear()
    for n in range(60):
        text = f"{n}".encode()
        alice.say("MSG_DIRECT", message(alice, an_id("away"), text), to=an_id("away"))
    refs = {str(e["msg_ref"]) for e in alice.members("ERROR")}
    assert alice.errors() == ["USER_NOT_FOUND"] * 60
    assert len(refs) == 60


@pytest.mark.spec("9")
def test_a_file_frame_is_named_by_its_file_and_type(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice")
    alice.clear()
    alice.say("FILE_END", {"file_id": an_id("file")}, to=an_id("away"))
    error = alice.members("ERROR")[0]
    assert (error["msg_ref"], error["of"]) == (an_id("file"), "FILE_END")


@pytest.mark.spec("2")
def test_garbage_is_answered_with_what_and_where(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice")
    alice.clear()
    alice.raw(b'{"type":"LIST_REQUEST","type":"X"}')
    assert alice.errors() == ["BAD_FRAME"]
    assert alice.closed is None


@pytest.mark.spec("2")
@pytest.mark.parametrize("who", ["SERVER_HELLO_JOIN", "SERVER_HELLO_LINK", "SERVER_ANNOUNCE"])
def test_a_servers_hello_must_verify_under_its_own_key(mesh: Mesh, a: Server, who: str) -> None:
    key = mesh.suite.generate()
    admit(mesh, a, key)
    peer = mesh.open_socket(a, "b", key=key)
    members: dict[str, object] = {"host": "h", "port": 1, "pubkey": key.public.text}
    peer.say(who, members, sign_with=mesh.suite.generate())
    assert (peer.errors(), peer.closed) == (["INVALID_SIG"], 1008)
    unsigned = mesh.open_socket(a, "b", key=key)
    unsigned.say(who, members, signed=False)
    assert (unsigned.errors(), unsigned.closed) == (["INVALID_SIG"], 1008)


@pytest.mark.spec("2")
def test_what_is_relayed_keeps_its_bytes(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    from socp.wire import base64url
    from socp.wire.canonical import canonical
    from socp.wire.envelope import encode

    ts = mesh.wall
    members = {**advert_of(an_id("bob"), b.id, b.key), "new": [1, 2.50]}
    members["bind"] = {"type": "USER_ADVERTISE", "from": b.id, "to": "*", "ts": ts}
    text = json.dumps(members, indent=1).encode()
    sig = base64url.encode(b.key.sign(canonical(members)))
    b.raw(encode("USER_ADVERTISE", b.id, "*", ts, text, sig))
    assert alice.said("USER_ADVERTISE")[-1].payload == text


@pytest.mark.spec("5")
def test_a_server_of_the_past_with_a_hello_by_another_name_is_understood(
    mesh: Mesh, a: Server
) -> None:
    key = mesh.suite.generate()
    admit(mesh, a, key)
    peer = server_socket(mesh, a, "b", features=(), key=key, hello="PEER_HELLO_LINK")
    assert peer.members("ACK")[0]["msg_ref"] == "SERVER_HELLO_LINK"
