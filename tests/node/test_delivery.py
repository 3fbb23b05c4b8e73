"""MSG_DIRECT, USER_DELIVER and SERVER_DELIVER (sections 5, 6 and 9)."""

from __future__ import annotations

import pytest

from socp.node.budget import Budget
from socp.node.pending import ROW_BYTES
from socp.wire import base64url
from socp.wire.msg_ref import msg_ref
from tests.node.cast import advert_of, advertise, deliver_of, linked_server
from tests.node.mesh import Mesh, Peer, Server, an_id, message


def ref_of(author: Peer, said: dict[str, object], to: str, ts: int) -> str:
    return msg_ref(base64url.decode(str(said["ciphertext"])), author.id, to, ts)


@pytest.mark.spec("6")
def test_a_message_to_somebody_here_is_delivered_and_acknowledged(mesh: Mesh, a: Server) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    ts = mesh.wall - 1000
    said = message(alice, bob.id, ts=ts)
    alice.say("MSG_DIRECT", said, to=bob.id, ts=ts)
    frame = bob.said("USER_DELIVER")[0]
    assert (frame.from_, frame.to, frame.ts) == (a.id, bob.id, ts)
    assert frame.members["sender"] == alice.id
    assert frame.members["orig_ts"] == ts
    assert all(frame.members[k] == said[k] for k in ("ciphertext", "sender_pub", "content_sig"))
    ack = alice.members("ACK")[-1]
    assert (ack["msg_ref"], ack["status"]) == (ref_of(alice, said, bob.id, ts), "delivered")


@pytest.mark.spec("5")
def test_a_message_across_servers_keeps_its_time_and_is_queued_then_delivered(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, _ = three
    alice, bob = mesh.user(a, "alice"), mesh.user(b, "bob")
    ts = mesh.wall - 60_000
    said = message(alice, bob.id, ts=ts)
    alice.say("MSG_DIRECT", said, to=bob.id, ts=ts)
    frame = bob.said("USER_DELIVER")[0]
    assert (frame.from_, frame.ts, frame.members["sender"]) == (b.id, ts, alice.id)
    acks = [
        ack for ack in alice.members("ACK") if ack["msg_ref"] == ref_of(alice, said, bob.id, ts)
    ]
    assert [ack["status"] for ack in acks] == ["queued", "delivered"]


@pytest.mark.spec("6")
def test_a_message_to_somebody_nowhere_is_user_not_found(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice")
    said = message(alice, an_id("bob"))
    alice.say("MSG_DIRECT", said, to=an_id("bob"))
    error = alice.members("ERROR")[-1]
    assert error["code"] == "USER_NOT_FOUND"
    assert error["msg_ref"] == ref_of(alice, said, an_id("bob"), mesh.wall)


@pytest.mark.spec("6")
def test_a_message_that_found_nobody_may_be_said_again_as_it_was(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice")
    bob_key = mesh.suite.generate()
    said, ts = message(alice, an_id("bob")), mesh.wall
    alice.say("MSG_DIRECT", said, to=an_id("bob"), ts=ts)
    bob = mesh.user(a, "bob", key=bob_key)
    alice.say("MSG_DIRECT", said, to=bob.id, ts=ts)
    assert len(bob.said("USER_DELIVER")) == 1


@pytest.mark.spec("6")
@pytest.mark.threat("I2")
@pytest.mark.parametrize("kind", ["MSG_DIRECT", "MSG_PUBLIC_CHANNEL", "FILE_END"])
def test_nobody_speaks_as_another_user(mesh: Mesh, a: Server, kind: str) -> None:
    alice, bob, mallory = (mesh.user(a, n) for n in ("alice", "bob", "mallory"))
    to = "public" if kind == "MSG_PUBLIC_CHANNEL" else bob.id
    forged = {**message(alice, to), "file_id": an_id("file")}
    bob.clear()
    mallory.clear()
    mallory.say(kind, forged, to=to, from_=alice.id)
    mallory.say(kind, {**forged, "sender": alice.id}, to=to)
    assert mallory.errors() == ["NOT_ALLOWED", "NOT_ALLOWED"]
    assert bob.heard == []


@pytest.mark.spec("6")
@pytest.mark.threat("I2")
def test_nobody_writes_with_anothers_key(mesh: Mesh, a: Server) -> None:
    alice, bob, mallory = (mesh.user(a, n) for n in ("alice", "bob", "mallory"))
    bob.clear()
    for to in (bob.id, "public"):
        kind = "MSG_PUBLIC_CHANNEL" if to == "public" else "MSG_DIRECT"
        said = {**message(mallory, to), "sender_pub": alice.key.public.text}
        mallory.say(kind, said, to=to)
    assert mallory.errors() == ["BAD_KEY", "BAD_KEY"]
    assert bob.heard == []


@pytest.mark.spec("6")
@pytest.mark.parametrize("to", ["public", "*", "bob", an_id("bob").upper()])
def test_a_direct_message_goes_to_a_user_id(mesh: Mesh, a: Server, to: str) -> None:
    alice = mesh.user(a, "alice")
    alice.say("MSG_DIRECT", message(alice, an_id("bob")), to=to)
    assert alice.errors() == ["BAD_FRAME"]


@pytest.mark.spec("5")
@pytest.mark.threat("I2")
def test_a_delivery_is_refused_unless_its_from_is_where_the_sender_is(
    mesh: Mesh, a: Server
) -> None:
    b, m = linked_server(mesh, a, "b"), linked_server(mesh, a, "m", port=9010)
    alice, carol = mesh.user(a, "alice"), mesh.user(a, "carol")
    bob, key = advertise(b, "bob")
    m.clear()
    m.say("SERVER_DELIVER", deliver_of(key, bob, alice.id, mesh.wall), to=a.id)
    m.say("SERVER_DELIVER", deliver_of(carol.key, carol.id, alice.id, mesh.wall), to=a.id)
    m.say("SERVER_DELIVER", deliver_of(m.key, an_id("unheard"), alice.id, mesh.wall), to=a.id)
    assert m.errors() == ["NOT_ALLOWED"] * 3
    assert not alice.said("USER_DELIVER")


@pytest.mark.spec("5")
def test_the_home_of_somebody_away_may_deliver_for_them(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, key = advertise(b, "bob")
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, ts=mesh.wall + 1)
    b.say("SERVER_DELIVER", deliver_of(key, bob, alice.id, mesh.wall), to=a.id)
    assert alice.said("USER_DELIVER")


@pytest.mark.spec("5")
@pytest.mark.threat("I2")
@pytest.mark.parametrize("sender_pub", ["other", ""])
def test_a_delivery_needs_the_pinned_key_of_its_sender(
    mesh: Mesh, a: Server, sender_pub: str
) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, key = advertise(b, "bob")
    other = mesh.suite.generate().public.text if sender_pub else ""
    b.clear()
    said = {**deliver_of(key, bob, alice.id, mesh.wall), "sender_pub": other}
    b.say("SERVER_DELIVER", said, to=a.id)
    assert b.errors() == ["BAD_KEY"]
    assert not alice.said("USER_DELIVER")


@pytest.mark.spec("5")
def test_the_first_key_that_verifies_is_pinned_for_a_sender_advertised_without_one(
    mesh: Mesh, a: Server
) -> None:
    from socp.node.records import Account

    b = linked_server(mesh, a, "b")
    alice, bob, key = mesh.user(a, "alice"), an_id("bob"), mesh.suite.generate()
    b.say("USER_ADVERTISE", advert_of(bob, b.id, None))
    wrong = {**deliver_of(key, bob, alice.id, mesh.wall), "content_sig": "AAAA"}
    b.say("SERVER_DELIVER", wrong, to=a.id)
    assert bob not in {r.user_id for r in a.disk if isinstance(r, Account)}
    b.say("SERVER_DELIVER", deliver_of(key, bob, alice.id, mesh.wall), to=a.id)
    pins = {r.user_id: r.pubkey for r in a.disk if isinstance(r, Account)}
    assert pins[bob] == key.public.text


@pytest.mark.spec("5")
def test_where_two_times_disagree_the_one_that_content_sig_covers_counts(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, key = advertise(b, "bob")
    ts = mesh.wall - 2000
    b.say("SERVER_DELIVER", deliver_of(key, bob, alice.id, ts), to=a.id)
    assert alice.said("USER_DELIVER")[-1].ts == ts
    b.clear()
    b.say("SERVER_DELIVER", {**deliver_of(key, bob, alice.id, ts), "orig_ts": ts - 1}, to=a.id)
    assert b.errors() == ["INVALID_SIG"]


@pytest.mark.spec("2")
@pytest.mark.threat("M2")
def test_an_author_time_out_of_the_window_is_refused_whatever_the_envelope_says(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, key = advertise(b, "bob")
    b.clear()
    old = mesh.wall - 600_000
    b.say("SERVER_DELIVER", deliver_of(key, bob, alice.id, old), to=a.id)
    b.say("SERVER_DELIVER", deliver_of(key, bob, alice.id, old), to=a.id, ts=old)
    assert b.errors() == ["BAD_FRAME", "BAD_FRAME"]
    assert not alice.said("USER_DELIVER")


@pytest.mark.spec("5")
def test_a_delivery_for_somebody_elsewhere_goes_on_unchanged(mesh: Mesh, a: Server) -> None:
    b, c = linked_server(mesh, a, "b"), linked_server(mesh, a, "c", port=9010)
    bob, key = advertise(b, "bob")
    carol, _ = advertise(c, "carol")
    frame = b.say("SERVER_DELIVER", deliver_of(key, bob, carol, mesh.wall), to=a.id)
    passed = c.said("SERVER_DELIVER")[0]
    assert (passed.from_, passed.to, passed.payload, passed.sig) == (
        b.id,
        a.id,
        frame.payload,
        frame.sig,
    )


@pytest.mark.spec("5")
def test_a_delivery_that_a_third_server_passes_on_is_taken_under_the_key_of_its_from(
    mesh: Mesh, a: Server
) -> None:
    b, c = linked_server(mesh, a, "b"), linked_server(mesh, a, "c", port=9010)
    alice, key = advertise(b, "alice")
    bob = mesh.user(a, "bob")
    said = deliver_of(key, alice, bob.id, mesh.wall)
    c.clear()
    c.say("SERVER_DELIVER", said, to=a.id, from_=b.id)
    assert (c.errors(), bob.said("USER_DELIVER")) == (["INVALID_SIG"], [])
    c.say("SERVER_DELIVER", said, to=a.id, from_=b.id, sign_with=b.key)
    assert len(bob.said("USER_DELIVER")) == 1


@pytest.mark.spec("5")
def test_a_delivery_never_goes_back_where_it_came_from(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    bob, key = advertise(b, "bob")
    carol, _ = advertise(b, "carol")
    b.clear()
    b.say("SERVER_DELIVER", deliver_of(key, bob, carol, mesh.wall), to=a.id)
    assert (b.errors(), b.said("SERVER_DELIVER")) == (["USER_NOT_FOUND"], [])


@pytest.mark.spec("5")
def test_an_error_about_a_message_handed_over_reaches_its_author(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, _ = advertise(b, "bob")
    said = message(alice, bob)
    alice.say("MSG_DIRECT", said, to=bob)
    ref = ref_of(alice, said, bob, mesh.wall)
    b.say("ERROR", {"code": "USER_NOT_FOUND", "msg_ref": ref}, to=a.id)
    error = alice.members("ERROR")[-1]
    assert (error["code"], error["msg_ref"]) == ("USER_NOT_FOUND", ref)
    b.say("ERROR", {"code": "USER_NOT_FOUND", "msg_ref": ref}, to=a.id)
    assert len(alice.errors()) == 1


@pytest.mark.spec("5")
@pytest.mark.threat("I3")
def test_an_error_counts_only_from_the_server_the_message_went_to(mesh: Mesh, a: Server) -> None:
    b, m = linked_server(mesh, a, "b"), linked_server(mesh, a, "m", port=9010)
    alice = mesh.user(a, "alice")
    bob, _ = advertise(b, "bob")
    said = message(alice, bob)
    alice.say("MSG_DIRECT", said, to=bob)
    ref = ref_of(alice, said, bob, mesh.wall)
    m.say("ERROR", {"code": "USER_NOT_FOUND", "msg_ref": ref, "moved_to": m.id}, to=a.id)
    assert (alice.errors(), m.said("SERVER_DELIVER")) == ([], [])


@pytest.mark.spec("5")
def test_a_message_is_sent_again_to_where_the_user_moved(mesh: Mesh, a: Server) -> None:
    b, c = linked_server(mesh, a, "b"), linked_server(mesh, a, "c", port=9010)
    alice = mesh.user(a, "alice")
    bob, _ = advertise(b, "bob")
    said = message(alice, bob)
    alice.say("MSG_DIRECT", said, to=bob)
    ref = ref_of(alice, said, bob, mesh.wall)
    b.say("ERROR", {"code": "USER_NOT_FOUND", "msg_ref": ref, "moved_to": c.id}, to=a.id)
    assert c.members("SERVER_DELIVER")[0]["ciphertext"] == said["ciphertext"]
    assert not alice.errors()
    c.say("ERROR", {"code": "USER_NOT_FOUND", "msg_ref": ref, "moved_to": b.id}, to=a.id)
    assert alice.errors() == ["USER_NOT_FOUND"]
    assert len(b.said("SERVER_DELIVER")) == 1


@pytest.mark.spec("5")
def test_an_error_passes_back_along_the_way_the_message_came(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, c = three
    alice = mesh.user(a, "alice")
    d = linked_server(mesh, b, "d")
    dave, _ = advertise(d, "dave")
    assert dave not in {r.user_id for r in a.disk if hasattr(r, "user_id")}
    alice.say("MSG_DIRECT", message(alice, dave), to=dave)
    assert alice.errors() == ["USER_NOT_FOUND"]
    assert c.linked()


@pytest.mark.spec("12")
@pytest.mark.threat("S3")
def test_messages_handed_over_are_remembered_for_a_bounded_time_and_size(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Budget, "pending", 10 * ROW_BYTES)
    a = mesh.server("a")
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, _ = advertise(b, "bob")
    for n in range(30):
        alice.say("MSG_DIRECT", message(alice, bob, b"%d" % n), to=bob)
    table = a.node._delivery._pending
    assert len(table) == 10
    mesh.run(31)
    assert len(table) == 0
    assert table._bytes == 0


@pytest.mark.spec("12")
def test_bytes_kept_for_sending_again_are_bounded_and_the_author_still_hears(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Budget, "pending", ROW_BYTES + 100)
    a = mesh.server("a")
    b, c = linked_server(mesh, a, "b"), linked_server(mesh, a, "c", port=9010)
    alice = mesh.user(a, "alice")
    bob, _ = advertise(b, "bob")
    said = message(alice, bob)
    alice.say("MSG_DIRECT", said, to=bob)
    ref = ref_of(alice, said, bob, mesh.wall)
    b.say("ERROR", {"code": "USER_NOT_FOUND", "msg_ref": ref, "moved_to": c.id}, to=a.id)
    assert not c.said("SERVER_DELIVER")
    assert alice.errors() == ["USER_NOT_FOUND"]


@pytest.mark.spec("5")
@pytest.mark.parametrize("name", ["msg_ts", "cts", "original_ts"])
def test_the_authors_time_has_other_names_elsewhere(mesh: Mesh, a: Server, name: str) -> None:
    b = linked_server(mesh, a, "b", features=())
    alice = mesh.user(a, "alice")
    bob, key = advertise(b, "bob")
    ts = mesh.wall - 5000
    said = deliver_of(key, bob, alice.id, ts)
    said[name] = said.pop("orig_ts")
    b.say("SERVER_DELIVER", said, to=a.id)
    assert alice.said("USER_DELIVER")[-1].ts == ts
