"""`mailbox/1` at one server, its peers played by hand (sections 9, 11 and 12)."""

from __future__ import annotations

import pytest

from socp.node.calls import Registered
from socp.node.events import CommitFailed
from socp.node.records import Account, Mail, MailHanded, MailSettled, MailState
from socp.wire import base64url, limits
from socp.wire.features import BIND, LINK_AUTH, MAILBOX, SERVER_FEATURES
from socp.wire.msg_ref import msg_ref
from tests.node.callers import Caller
from tests.node.cast import advertise, deliver_of, linked_server
from tests.node.mesh import KEEPER_FEATURES, Mesh, Peer, Server, an_id, message

DAY_MS = 24 * 3_600_000


def keeper(mesh: Mesh, server: Server, name: str, like: Peer | None = None) -> Peer:
    """A proven user of `mailbox/1`; `like`: the same person again."""
    mesh.wall += 1  # the newest attach wins
    return mesh.user(server, name, features=KEEPER_FEATURES, key=like.key if like else None)


def says(author: Peer, reader: str, text: bytes = b"hello", **more: object) -> str:
    """A MSG_DIRECT; its msg_ref."""
    ts = author.mesh.wall
    said = {**message(author, reader, text, ts), **more}
    author.say("MSG_DIRECT", said, to=reader, ts=ts)
    return msg_ref(base64url.decode(str(said["ciphertext"])), author.id, reader, ts)


def acks(peer: Peer, ref: str) -> list[object]:
    return [ack.get("status") for ack in peer.members("ACK") if ack["msg_ref"] == ref]


def waiting(server: Server) -> int:
    return server.node.status().mail


@pytest.mark.spec("9")
def test_a_message_is_queued_then_delivered_when_its_reader_says_so(mesh: Mesh, a: Server) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    ref = says(alice, bob.id)
    assert acks(alice, ref) == ["queued"]
    assert len(bob.said("USER_DELIVER")) == 1
    assert waiting(a) == 1
    bob.say("ACK", {"msg_ref": ref}, to=a.id)
    assert acks(alice, ref) == ["queued", "delivered"]
    assert waiting(a) == 0
    assert MailSettled(bob.id, ref, MailState.DELIVERED) in a.disk


@pytest.mark.spec("11")
@pytest.mark.threat("M14")
def test_an_unsigned_ack_deletes_nothing(mesh: Mesh, a: Server) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    ref = says(alice, bob.id)
    bob.say("ACK", {"msg_ref": ref}, to=a.id, signed=False)
    bob.say("ACK", {"msg_ref": ref}, to=a.id, sign_with=mesh.suite.generate())
    bob.say("ACK", {"msg_ref": ref}, to=a.id, bind=False)
    assert waiting(a) == 1
    assert acks(alice, ref) == ["queued"]


@pytest.mark.spec("11")
@pytest.mark.threat("M14")
def test_nobody_acknowledges_anothers_mail(mesh: Mesh, a: Server) -> None:
    alice, bob, mallory = (keeper(mesh, a, name) for name in ("alice", "bob", "mallory"))
    ref = says(alice, bob.id)
    mallory.say("ACK", {"msg_ref": ref}, to=a.id)
    alice.say("ACK", {"msg_ref": ref}, to=a.id)
    linked_server(mesh, a, "m", features=SERVER_FEATURES).say("ACK", {"msg_ref": ref}, to=a.id)
    assert waiting(a) == 1


@pytest.mark.spec("11")
@pytest.mark.threat("I1")
def test_who_proved_nothing_is_given_mail_at_three_hellos_and_deletes_none(
    mesh: Mesh, a: Server
) -> None:
    alice = keeper(mesh, a, "alice")
    bob = mesh.user(a, "bob", features=())
    bob.drop()
    ref = says(alice, bob.id)
    assert acks(alice, ref) == ["queued"]
    for given in (1, 1, 1, 0, 0):
        again = mesh.user(a, "bob", features=(), key=bob.key)
        assert len(again.said("USER_DELIVER")) == given
        again.say("ACK", {"msg_ref": ref}, to=a.id)
        assert waiting(a) == 1
        again.drop()
    assert acks(alice, ref) == ["queued"]
    proven = keeper(mesh, a, "bob", bob)
    assert len(proven.said("USER_DELIVER")) == 1
    proven.say("ACK", {"msg_ref": ref}, to=a.id)
    assert waiting(a) == 0


@pytest.mark.spec("11")
def test_a_plain_client_who_is_there_is_written_to_and_nothing_is_kept(
    mesh: Mesh, a: Server
) -> None:
    alice, bob = keeper(mesh, a, "alice"), mesh.user(a, "bob", features=())
    assert acks(alice, says(alice, bob.id)) == ["delivered"]
    assert waiting(a) == 0
    assert not [r for r in a.disk if isinstance(r, Mail)]


@pytest.mark.spec("11")
def test_what_comes_while_a_page_is_on_its_way_comes_after_it(mesh: Mesh, a: Server) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    for n in range(200):
        if n % 20 == 0:
            mesh.run(1)
        says(alice, bob.id, b"%d" % n)
    again = keeper(mesh, a, "bob", bob)
    says(alice, bob.id, b"last")
    got = [frame.members["ciphertext"] for frame in again.said("USER_DELIVER")]
    wanted = [message(alice, bob.id, b"%d" % n)["ciphertext"] for n in range(200)]
    assert got == [*wanted, message(alice, bob.id, b"last")["ciphertext"]]


@pytest.mark.spec("11")
@pytest.mark.threat("M2")
def test_the_same_message_again_is_acknowledged_again_and_kept_once(mesh: Mesh, a: Server) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    ts = mesh.wall
    said = {**message(alice, bob.id, ts=ts), "late": True}
    for _ in range(3):
        alice.say("MSG_DIRECT", said, to=bob.id, ts=ts)
    assert waiting(a) == 1
    assert [ack.get("status") for ack in alice.members("ACK")][1:] == ["queued"] * 3
    again = keeper(mesh, a, "bob", bob)
    ref = msg_ref(base64url.decode(str(said["ciphertext"])), alice.id, bob.id, ts)
    again.say("ACK", {"msg_ref": ref}, to=a.id)
    alice.say("MSG_DIRECT", said, to=bob.id, ts=ts)
    assert acks(alice, ref)[-1] == "delivered"
    assert len(again.said("USER_DELIVER")) == 1


@pytest.mark.spec("11")
@pytest.mark.threat("M2")
def test_the_same_message_after_a_restart_is_known(mesh: Mesh, a: Server) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    ts = mesh.wall
    said = message(alice, bob.id, ts=ts)
    alice.say("MSG_DIRECT", said, to=bob.id, ts=ts)
    mesh.kill(a)
    mesh.restart(a)
    mesh.run(1)
    again = keeper(mesh, a, "alice", alice)
    again.say("MSG_DIRECT", said, to=bob.id, ts=ts)
    assert waiting(a) == 1
    assert again.members("ACK")[-1]["status"] == "queued"


@pytest.mark.spec("11")
@pytest.mark.parametrize(("days", "taken"), [(1, True), (29, True), (31, False)])
def test_a_late_message_may_be_thirty_days_old(
    mesh: Mesh, a: Server, days: int, taken: bool
) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    ts = mesh.wall - days * DAY_MS
    said = {**message(alice, bob.id, ts=ts), "late": True}
    alice.say("MSG_DIRECT", said, to=bob.id, ts=ts)
    assert alice.errors() == ([] if taken else ["BAD_FRAME"])
    assert len(bob.said("USER_DELIVER")) == taken


@pytest.mark.spec("11")
@pytest.mark.parametrize("features", [(), (LINK_AUTH, BIND)])
def test_who_has_no_mailbox_may_not_be_late(
    mesh: Mesh, a: Server, features: tuple[str, ...]
) -> None:
    alice, bob = mesh.user(a, "alice", features=features), keeper(mesh, a, "bob")
    ts = mesh.wall - DAY_MS
    alice.say("MSG_DIRECT", {**message(alice, bob.id, ts=ts), "late": True}, to=bob.id, ts=ts)
    assert alice.errors() == ["BAD_FRAME"]


@pytest.mark.spec("11")
def test_late_messages_and_what_follows_them_keep_their_order(mesh: Mesh, a: Server) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    texts = [b"%d" % n for n in range(6)]
    for n, text in enumerate(texts):
        ts = mesh.wall - (DAY_MS - n if n % 2 == 0 else 0) + n
        alice.say(
            "MSG_DIRECT", {**message(alice, bob.id, text, ts), "late": True}, to=bob.id, ts=ts
        )
    got = [frame.members["ciphertext"] for frame in bob.said("USER_DELIVER")]
    assert got == [message(alice, bob.id, text)["ciphertext"] for text in texts]


@pytest.mark.spec("9")
@pytest.mark.threat("S8")
def test_what_could_not_be_stored_is_refused_and_may_come_again(mesh: Mesh, a: Server) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    ref = says(alice, bob.id)
    mail = next(r for r in a.disk if isinstance(r, Mail))
    mesh.event(a, CommitFailed((mail,), "socp.db: the disk is full; free some space"))
    error = alice.members("ERROR")[-1]
    assert (error["code"], error["msg_ref"]) == ("TIMEOUT", ref)
    assert "the disk is full" in str(error["detail"])
    assert "/" not in str(error["detail"])
    assert waiting(a) == 0
    says(alice, bob.id)
    assert waiting(a) == 1


@pytest.mark.threat("S8")
def test_nobody_is_attached_whose_account_could_not_be_stored(mesh: Mesh, a: Server) -> None:
    alice = keeper(mesh, a, "alice")
    account = next(r for r in a.disk if isinstance(r, Account))
    mesh.event(a, CommitFailed((account,), "the disk is full"))
    assert alice.errors() == ["TIMEOUT"]
    assert alice.closed == 1013
    a.disk.clear()
    again = keeper(mesh, a, "alice", alice)
    assert again.said("ACK")
    assert [r for r in a.disk if isinstance(r, Account)]


# --- other servers ------------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_mail_from_a_server_is_acknowledged_queued_then_delivered(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b", features=SERVER_FEATURES)
    bob = keeper(mesh, a, "bob")
    alice, key = advertise(b, "alice")
    said = deliver_of(key, alice, bob.id, mesh.wall)
    b.say("SERVER_DELIVER", said, to=a.id)
    ref = msg_ref(base64url.decode(str(said["ciphertext"])), alice, bob.id, mesh.wall)
    assert acks(b, ref) == ["queued"]
    bob.say("ACK", {"msg_ref": ref}, to=a.id)
    assert acks(b, ref) == ["queued", "delivered"]
    b.say("SERVER_DELIVER", said, to=a.id)
    assert acks(b, ref)[-1] == "delivered"


@pytest.mark.spec("11")
def test_a_release_is_taken_whatever_its_age_from_any_server_by_its_authors_word(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b", features=SERVER_FEATURES)
    other = linked_server(mesh, a, "other", features=SERVER_FEATURES, port=9010)
    bob = keeper(mesh, a, "bob")
    alice, key = advertise(b, "alice")
    ts = mesh.wall - 20 * DAY_MS
    said = {**deliver_of(key, alice, bob.id, ts), "queued": True}
    other.say("SERVER_DELIVER", said, to=a.id, ts=ts)
    assert len(bob.said("USER_DELIVER")) == 1
    unheard = mesh.suite.generate()
    said = {**deliver_of(unheard, an_id("unheard"), bob.id, ts), "queued": True}
    other.say("SERVER_DELIVER", said, to=a.id, ts=ts)
    assert len(bob.said("USER_DELIVER")) == 2
    assert an_id("unheard") not in {r.user_id for r in a.disk if isinstance(r, Account)}


@pytest.mark.spec("11")
@pytest.mark.threat("I2")
def test_a_release_that_its_author_did_not_sign_is_refused(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b", features=SERVER_FEATURES)
    bob = keeper(mesh, a, "bob")
    alice, key = advertise(b, "alice")
    mallory = mesh.suite.generate()
    for forged in (
        deliver_of(mallory, alice, bob.id, mesh.wall),
        {**deliver_of(mallory, alice, bob.id, mesh.wall), "sender_pub": key.public.text},
        {**deliver_of(key, alice, an_id("carol"), mesh.wall), "user_id": bob.id},
    ):
        b.say("SERVER_DELIVER", {**forged, "queued": True}, to=a.id)
    assert b.errors() == ["BAD_KEY", "INVALID_SIG", "INVALID_SIG"]
    assert not bob.said("USER_DELIVER")


@pytest.mark.spec("11")
def test_without_queued_an_old_message_of_a_server_is_refused(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b", features=SERVER_FEATURES)
    bob = keeper(mesh, a, "bob")
    alice, key = advertise(b, "alice")
    ts = mesh.wall - DAY_MS
    b.say("SERVER_DELIVER", deliver_of(key, alice, bob.id, ts), to=a.id, ts=ts)
    assert b.errors() == ["BAD_FRAME"]


@pytest.mark.spec("11")
def test_mail_for_a_home_that_is_linked_goes_there_and_is_kept_until_its_ack(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b", features=SERVER_FEATURES)
    alice = keeper(mesh, a, "alice")
    bob, _ = advertise(b, "bob", attach_ts=mesh.wall)
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, ts=mesh.wall + 1)
    ref = says(alice, bob)
    assert acks(alice, ref) == ["queued"]
    assert len(b.said("SERVER_DELIVER")) == 1
    assert waiting(a) == 1
    b.say("ACK", {"msg_ref": ref, "status": "queued"}, to=a.id)
    assert waiting(a) == 0
    b.say("ACK", {"msg_ref": ref, "status": "delivered"}, to=a.id)
    assert acks(alice, ref) == ["queued", "delivered"]


@pytest.mark.spec("11")
def test_what_a_home_does_not_take_now_is_tried_again_and_what_it_refuses_is_told(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b", features=SERVER_FEATURES)
    alice = keeper(mesh, a, "alice")
    bob, _ = advertise(b, "bob", attach_ts=mesh.wall)
    ref = says(alice, bob)
    b.say("ERROR", {"code": "MAILBOX_FULL", "detail": "", "msg_ref": ref}, to=a.id)
    assert waiting(a) == 1
    b.clear()
    mesh.run(31)
    (again,) = b.said("SERVER_DELIVER")
    assert again.members["queued"] is True
    b.say("ERROR", {"code": "BAD_KEY", "detail": "not his", "msg_ref": ref}, to=a.id)
    assert waiting(a) == 0
    assert alice.members("ERROR")[-1]["msg_ref"] == ref


@pytest.mark.spec("11")
def test_a_silent_home_is_handed_its_mail_again(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b", features=SERVER_FEATURES)
    alice = keeper(mesh, a, "alice")
    bob, _ = advertise(b, "bob", attach_ts=mesh.wall)
    says(alice, bob)
    for _ in range(12):
        b.say("HEARTBEAT", {}, to=a.id)
        mesh.run(10)
    assert len(b.said("SERVER_DELIVER")) >= 2
    assert waiting(a) == 1


@pytest.mark.spec("5")
def test_a_server_that_asks_the_wrong_one_is_told_where_the_reader_moved(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b", features=SERVER_FEATURES)
    c = linked_server(mesh, a, "c", features=SERVER_FEATURES, port=9010)
    alice, key = advertise(b, "alice")
    carol, _ = advertise(c, "carol")
    b.say("SERVER_DELIVER", deliver_of(key, alice, carol, mesh.wall), to=a.id)
    error = b.members("ERROR")[-1]
    assert (error["code"], error["moved_to"]) == ("USER_NOT_FOUND", c.id)


@pytest.mark.spec("5")
def test_mail_goes_where_a_home_says_that_the_reader_moved(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b", features=SERVER_FEATURES)
    c = linked_server(mesh, a, "c", features=SERVER_FEATURES, port=9010)
    alice = keeper(mesh, a, "alice")
    bob, _ = advertise(b, "bob", attach_ts=mesh.wall)
    ref = says(alice, bob)
    c.clear()
    moved: dict[str, object] = {
        "code": "USER_NOT_FOUND",
        "detail": "",
        "msg_ref": ref,
        "moved_to": c.id,
    }
    b.say("ERROR", moved, to=a.id)
    (deliver,) = c.said("SERVER_DELIVER")
    assert deliver.members["user_id"] == bob
    c.say("ERROR", {**moved, "moved_to": b.id}, to=a.id)
    assert waiting(a) == 1
    assert len(c.said("SERVER_DELIVER")) == 1


@pytest.mark.spec("11")
@pytest.mark.threat("I11")
def test_a_claimant_gets_a_copy_and_the_home_keeps_the_mail_whatever_they_acknowledge(
    mesh: Mesh, a: Server
) -> None:
    m = linked_server(mesh, a, "m", features=SERVER_FEATURES)
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    advertise(m, "bob", bob.key, ts=mesh.wall + 2)
    ref = says(alice, bob.id)
    assert len(m.said("SERVER_DELIVER")) == 1
    m.say("ACK", {"msg_ref": ref, "status": "delivered"}, to=a.id)
    assert waiting(a) == 1
    assert acks(alice, ref) == ["queued"]
    m.say("USER_REMOVE", {"user_id": bob.id, "server_id": m.id}, ts=mesh.wall + 3)
    again = keeper(mesh, a, "bob", bob)
    assert len(again.said("USER_DELIVER")) == 1


@pytest.mark.spec("9")
def test_for_a_home_without_a_mailbox_nothing_is_kept(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = keeper(mesh, a, "alice")
    bob, _ = advertise(b, "bob")
    assert acks(alice, says(alice, bob)) == [None]
    assert "queued" not in b.members("SERVER_DELIVER")[-1]
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, ts=mesh.wall + 1)
    says(alice, bob, b"again")
    assert alice.errors() == ["USER_NOT_FOUND"]
    assert waiting(a) == 0


# --- bounds -------------------------------------------------------------------------------------


@pytest.mark.spec("12")
@pytest.mark.threat("S5")
def test_one_author_fills_half_a_mailbox_and_leaves_room_for_others(mesh: Mesh, a: Server) -> None:
    object.__setattr__(a.node._boxes.bounds, "messages", 4)
    alice, bob, mallory = (keeper(mesh, a, name) for name in ("alice", "bob", "mallory"))
    bob.drop()
    for n in range(5):
        says(mallory, bob.id, b"%d" % n)
    assert mallory.errors() == ["MAILBOX_FULL"] * 3
    says(alice, bob.id, b"hello")
    assert alice.errors() == []
    assert waiting(a) == 3


@pytest.mark.spec("12")
@pytest.mark.threat("S12")
def test_a_full_mailbox_tells_nothing_against_the_server_that_brings_mail(
    mesh: Mesh, a: Server
) -> None:
    object.__setattr__(a.node._boxes.bounds, "messages", 2)
    b = linked_server(mesh, a, "b", features=SERVER_FEATURES)
    bob = keeper(mesh, a, "bob")
    bob.drop()
    alice, key = advertise(b, "alice")
    for n in range(200):
        b.say(
            "SERVER_DELIVER",
            deliver_of(key, alice, bob.id, mesh.wall, text=b"%03d" % n * 200),
            to=a.id,
        )
    assert set(b.errors()) == {"MAILBOX_FULL"}
    assert b.closed is None


@pytest.mark.spec("12")
def test_acks_do_not_count_among_the_frames_of_a_user(mesh: Mesh, a: Server) -> None:
    bob = keeper(mesh, a, "bob")
    for n in range(500):
        bob.say("ACK", {"msg_ref": f"{n}"}, to=a.id)
    assert bob.errors() == []
    assert bob.closed is None


@pytest.mark.spec("11")
def test_what_was_handed_to_a_plain_client_is_noted_once_the_socket_took_it(
    mesh: Mesh, a: Server
) -> None:
    alice, bob = keeper(mesh, a, "alice"), mesh.user(a, "bob", features=())
    bob.drop()
    says(alice, bob.id)
    mail = next(r for r in a.disk if isinstance(r, Mail))
    mesh.user(a, "bob", features=(), key=bob.key)
    assert [r for r in a.disk if isinstance(r, MailHanded)] == [MailHanded(bob.id, mail.seq)]


def test_the_features_of_a_server_say_that_it_keeps_mail() -> None:
    assert MAILBOX in SERVER_FEATURES
    assert limits.MAILBOX_DAYS == 30


@pytest.mark.spec("11")
def test_mail_for_somebody_registered_who_never_came_is_kept_for_them(
    mesh: Mesh, a: Server
) -> None:
    ann = Caller(mesh, a, "ann", mesh.suite.generate())
    ann.got(ann.register(), Registered)
    alice = keeper(mesh, a, "alice")
    ref = says(alice, ann.user_id)
    assert acks(alice, ref) == ["queued"]
    ann_comes = mesh.user(a, "ann", features=KEEPER_FEATURES, key=ann.key)
    assert len(ann_comes.said("USER_DELIVER")) == 1


@pytest.mark.spec("9")
def test_what_a_home_says_later_against_mail_that_it_took_reaches_its_author(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b", features=SERVER_FEATURES)
    alice = keeper(mesh, a, "alice")
    bob, _ = advertise(b, "bob", attach_ts=mesh.wall)
    ref = says(alice, bob)
    b.say("ACK", {"msg_ref": ref, "status": "queued"}, to=a.id)
    for _ in range(2):
        b.say("ERROR", {"code": "NOT_ALLOWED", "detail": "expired", "msg_ref": ref}, to=a.id)
    (error,) = [m for m in alice.members("ERROR") if m["msg_ref"] == ref]
    assert (error["code"], error["detail"]) == ("NOT_ALLOWED", "expired")


@pytest.mark.spec("9")
def test_what_a_home_says_later_against_mail_reaches_the_server_that_brought_it(
    mesh: Mesh, a: Server
) -> None:
    b, c = (
        linked_server(mesh, a, name, features=SERVER_FEATURES, port=9009 + n)
        for n, name in enumerate("bc")
    )
    alice, key = advertise(b, "alice")
    bob = keeper(mesh, a, "bob")
    bob.drop()
    said = deliver_of(key, alice, bob.id, mesh.wall)
    b.say("SERVER_DELIVER", said, to=a.id)
    ref = msg_ref(base64url.decode(str(said["ciphertext"])), alice, bob.id, mesh.wall)
    advertise(c, "bob", bob.key, attach_ts=mesh.wall + 1)
    c.say("ACK", {"msg_ref": ref, "status": "queued"}, to=a.id)
    c.say("ERROR", {"code": "NOT_ALLOWED", "detail": "expired", "msg_ref": ref}, to=a.id)
    (error,) = b.members("ERROR")
    assert (error["msg_ref"], error["detail"]) == (ref, "expired")


@pytest.mark.spec("11")
def test_what_a_reader_did_not_acknowledge_is_handed_out_again_on_their_next_link(
    mesh: Mesh, a: Server
) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    refs = [says(alice, bob.id, b"%d" % n) for n in range(3)]
    bob.say("ACK", {"msg_ref": refs[1]}, to=a.id)
    bob.drop()
    again = keeper(mesh, a, "bob", bob)
    assert len(again.said("USER_DELIVER")) == 2
    for ref in refs:
        again.say("ACK", {"msg_ref": ref}, to=a.id)
    assert waiting(a) == 0


@pytest.mark.spec("11")
def test_mail_never_goes_back_to_the_server_that_brought_it(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b", features=SERVER_FEATURES)
    bob = mesh.user(a, "bob", features=())
    bob.drop()
    alice, key = advertise(b, "alice")
    b.say("SERVER_DELIVER", deliver_of(key, alice, bob.id, mesh.wall), to=a.id)
    assert waiting(a) == 1
    advertise(b, "bob", bob.key)
    assert not b.said("SERVER_DELIVER")
    assert waiting(a) == 1


@pytest.mark.spec("11")
def test_what_a_plain_client_was_given_is_acknowledged_to_a_server_that_brings_it_again(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b", features=SERVER_FEATURES)
    bob = mesh.user(a, "bob", features=())
    alice, key = advertise(b, "alice")
    said = deliver_of(key, alice, bob.id, mesh.wall)
    ref = msg_ref(base64url.decode(str(said["ciphertext"])), alice, bob.id, mesh.wall)
    for more in ({}, {}, {"queued": True}):
        b.say("SERVER_DELIVER", {**said, **more}, to=a.id)
    assert acks(b, ref) == ["delivered"] * 3
    assert len(bob.said("USER_DELIVER")) == 1
