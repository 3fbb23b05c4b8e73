"""Files for somebody who is away, whose home is another server (sections 8 and 11)."""

from __future__ import annotations

import pytest

from socp.node import file_mail
from socp.node.file_mail import SILENCE_MS
from socp.node.records import MailDropped
from socp.wire import limits
from socp.wire.features import SERVER_FEATURES
from tests.node.cast import advertise, linked_server
from tests.node.mesh import Mesh, Peer, Server, an_id
from tests.node.test_files_again import CHUNKS, goes_on, start_again, statuses
from tests.node.test_mailbox import keeper, says, waiting
from tests.node.test_transfers import FILE, chunk_of, file_frames, start_of

pytestmark = pytest.mark.spec("11")
WHOLE = ["FILE_START", *["FILE_CHUNK"] * CHUNKS, "FILE_END"]
Three = tuple[Server, Server, Server]


def test_a_file_for_somebody_away_is_kept_by_their_home(mesh: Mesh, three: Three) -> None:
    a, b, _ = three
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, b, "bob")
    bob.drop()
    start_again(alice, bob.id)
    goes_on(alice, bob.id)
    mesh.run(2)
    assert statuses(alice) == [("FILE_START", "queued"), ("FILE_END", "queued")]
    assert (waiting(a), waiting(b)) == (0, CHUNKS + 2)
    bob = keeper(mesh, b, "bob", bob)
    assert file_frames(bob) == WHOLE
    bob.say("ACK", {"msg_ref": FILE, "of": "FILE_END"}, to=b.id)
    assert waiting(b) == 0


def test_a_file_for_a_home_that_is_gone_waits_and_is_handed_over_when_it_is_back(
    mesh: Mesh, three: Three
) -> None:
    a, b, _ = three
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, b, "bob")
    mesh.run(2)
    mesh.kill(b)
    mesh.run(1)
    start_again(alice, bob.id)
    goes_on(alice, bob.id)
    assert statuses(alice) == [("FILE_START", "queued"), ("FILE_END", "queued")]
    assert waiting(a) == CHUNKS + 2
    mesh.restart(b)
    mesh.run(90)
    assert (waiting(a), waiting(b)) == (0, CHUNKS + 2)
    bob = keeper(mesh, b, "bob", bob)
    assert file_frames(bob) == WHOLE


def released(home: Peer, author: str, reader: str, *, first: int = 0, start: bool = True) -> None:
    """A server hands over a file that it kept."""
    more = {"sender": author, "user_id": reader, "queued": True}
    to = home.server.id
    if start:
        home.say("FILE_START", {**start_of(), "total": CHUNKS, **more}, to=to)
    for index in range(first, CHUNKS):
        home.say("FILE_CHUNK", {**chunk_of(index), **more}, to=to)
    home.say("FILE_END", {"file_id": FILE, **more}, to=to)


@pytest.fixture
def b(mesh: Mesh, a: Server) -> Peer:
    return linked_server(mesh, a, "b", features=SERVER_FEATURES)


@pytest.fixture
def alice(mesh: Mesh, b: Peer) -> str:
    """A user of `b`."""
    return advertise(b, "alice", attach_ts=mesh.wall)[0]


def told(peer: Peer) -> list[tuple[object, object]]:
    return [(m["of"], m.get("status")) for m in peer.members("ACK") if m["msg_ref"] == FILE]


def test_each_frame_that_is_handed_over_is_acknowledged_and_kept_once(
    mesh: Mesh, a: Server, b: Peer, alice: str
) -> None:
    bob = keeper(mesh, a, "bob")
    bob.drop()
    for _ in range(2):  # the second time its acknowledgements were lost
        b.clear()
        released(b, alice, bob.id)
        assert told(b) == [(kind, "queued") for kind in WHOLE]
        assert waiting(a) == CHUNKS + 2
    bob = keeper(mesh, a, "bob", bob)
    assert file_frames(bob) == WHOLE
    bob.say("ACK", {"msg_ref": FILE, "of": "FILE_END"}, to=a.id)
    b.clear()
    released(b, alice, bob.id)
    assert {status for _, status in told(b)} == {"delivered"}
    assert waiting(a) == 0


def test_what_follows_a_manifest_that_is_not_here_is_asked_for_from_there(
    mesh: Mesh, a: Server, b: Peer, alice: str
) -> None:
    bob = keeper(mesh, a, "bob")
    bob.drop()
    released(b, alice, bob.id, start=False)
    errors = b.members("ERROR")
    assert {(m["code"], m["msg_ref"]) for m in errors} == {("TIMEOUT", FILE)}
    assert "begin again from there" in str(errors[0]["detail"])
    assert "Refused FILE_CHUNK of" in a.log()
    assert waiting(a) == 0


def test_a_hand_over_that_breaks_off_begins_again_from_the_start(
    mesh: Mesh, a: Server, b: Peer, alice: str
) -> None:
    bob = keeper(mesh, a, "bob")
    bob.drop()
    more = {"sender": alice, "user_id": bob.id, "queued": True}
    b.say("FILE_START", {**start_of(), "total": CHUNKS, **more}, to=a.id)
    b.say("FILE_CHUNK", {**chunk_of(0), **more}, to=a.id)
    assert waiting(a) == 2
    b.drop()
    assert waiting(a) == 0
    again = linked_server(mesh, a, "b", features=SERVER_FEATURES, key=b.key)
    released(again, alice, bob.id)
    assert told(again) == [(kind, "queued") for kind in WHOLE]
    assert file_frames(keeper(mesh, a, "bob", bob)) == WHOLE


def test_a_file_for_somebody_who_moved_is_answered_with_where_they_are(
    mesh: Mesh, a: Server, b: Peer, alice: str
) -> None:
    c = linked_server(mesh, a, "c", features=SERVER_FEATURES, port=9010)
    carol, _ = advertise(c, "carol", attach_ts=mesh.wall)
    released(b, alice, carol)
    (first, *_) = b.members("ERROR")
    assert (first["code"], first["msg_ref"]) == ("USER_NOT_FOUND", FILE)
    assert not told(b)


@pytest.mark.threat("S5")
def test_a_file_larger_than_half_a_mailbox_is_refused_with_what_it_takes(
    mesh: Mesh, a: Server
) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    size = 1_000 * limits.MIB
    big = start_of(alice, size=size, wrapped_key="AAAA", chunk_bytes=limits.FILE_CHUNK_BYTES)
    alice.say("FILE_START", big, to=bob.id, ts=mesh.wall)
    (error,) = alice.members("ERROR")
    assert (error["code"], error["msg_ref"]) == ("TOO_LARGE", FILE)
    assert "send it when they are online" in str(error["detail"])
    assert waiting(a) == 0


@pytest.mark.threat("S5")
def test_a_file_for_which_there_is_no_room_left_is_refused_before_it_begins(
    mesh: Mesh, a: Server
) -> None:
    object.__setattr__(a.node._boxes.bounds, "messages", 6)  # three of one author: this file
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    says(alice, bob.id)
    start_again(alice, bob.id)
    (error,) = alice.members("ERROR")
    assert (error["code"], error["msg_ref"]) == ("MAILBOX_FULL", FILE)
    assert "send it when they are online" in str(error["detail"])
    assert waiting(a) == 1
    assert not [each for each in a.disk if isinstance(each, MailDropped)]


def test_a_file_that_its_author_does_not_go_on_with_for_two_minutes_is_forgotten(
    mesh: Mesh, a: Server
) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    start_again(alice, bob.id)
    for _ in range(3):
        alice.say("HEARTBEAT", {}, to=a.id)
        mesh.run(35)
    alice.say("FILE_CHUNK", chunk_of(0), to=bob.id)
    mesh.run(20)
    assert waiting(a) == 2  # its last word was 20 s ago
    mesh.run(SILENCE_MS // 1000 - 19)
    assert waiting(a) == 0
    assert MailDropped(bob.id, FILE) in a.disk
    alice.clear()
    alice.say("FILE_CHUNK", chunk_of(1), to=bob.id)
    assert alice.errors() == ["USER_NOT_FOUND"]


def test_a_part_that_the_disk_does_not_take_takes_the_whole_file_with_it(
    mesh: Mesh, a: Server
) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    start_again(alice, bob.id)
    alice.say("FILE_CHUNK", chunk_of(0), to=bob.id)
    a.disk_fault = "disk full"
    alice.say("FILE_CHUNK", chunk_of(1), to=bob.id)
    a.disk_fault = ""
    assert alice.errors() == ["TIMEOUT"]
    assert waiting(a) == 0
    assert file_frames(keeper(mesh, a, "bob", bob)) == []


def test_a_part_for_somebody_else_than_its_manifest_is_refused_by_their_name(
    mesh: Mesh, a: Server
) -> None:
    alice, bob, carol = (keeper(mesh, a, name) for name in ("alice", "bob", "carol"))
    bob.drop()
    carol.drop()
    start_again(alice, bob.id)
    alice.say("FILE_CHUNK", chunk_of(0), to=carol.id)
    (error,) = alice.members("ERROR")
    assert (error["code"], error["msg_ref"]) == ("USER_NOT_FOUND", FILE)
    assert str(error["detail"]).startswith(carol.id)
    assert waiting(a) == 1


def test_a_file_for_somebody_whom_nobody_keeps_anything_for_is_refused_by_their_name(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b")
    alice = keeper(mesh, a, "alice")
    bob, _ = advertise(b, "bob")
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, ts=mesh.wall + 1)
    alice.say("FILE_START", start_of(alice), to=bob)
    (error,) = alice.members("ERROR")
    assert (error["code"], error["msg_ref"]) == ("USER_NOT_FOUND", FILE)
    assert str(error["detail"]).startswith(bob)


@pytest.mark.spec("12")
@pytest.mark.threat("S5")
def test_no_server_takes_all_places_of_files_on_their_way(
    mesh: Mesh, a: Server, b: Peer, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_mail, "KEPT_MAX", 4)
    carol, bob = keeper(mesh, a, "carol"), keeper(mesh, a, "bob")
    bob.drop()
    begun = {"sender": alice, "user_id": bob.id, "queued": True}
    for n in range(5):
        b.say("FILE_START", {**start_of(), "file_id": an_id(f"{n}"), **begun}, to=a.id)
    assert b.errors() == ["RATE_LIMITED"]
    for n in range(5, 8):
        said = {**start_of(carol), "file_id": an_id(f"{n}")}
        carol.say("FILE_START", said, to=bob.id)
    assert (statuses(carol), carol.errors()) == ([], ["RATE_LIMITED"])
    queued = [ack["msg_ref"] for ack in carol.members("ACK") if ack.get("status") == "queued"]
    assert queued == [an_id("5"), an_id("6")]
    dropped = [record.msg_ref for record in a.disk if isinstance(record, MailDropped)]
    assert dropped == [an_id("0"), an_id("1")]
