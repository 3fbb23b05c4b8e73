"""A file that is begun again after it broke off, live and into a mailbox (sections 8 and 11)."""

from __future__ import annotations

import pytest

from socp.node.records import MAIL_PART_LAST, Mail, MailDropped
from tests.node.mesh import Mesh, Peer, Server
from tests.node.test_mailbox import keeper, waiting
from tests.node.test_transfers import FILE, Members, chunk_of, file_frames, start_of

CHUNKS = 3


def start_again(author: Peer, to: str) -> None:
    """The manifest with another `ts` and the file's key wrapped once more."""
    author.mesh.wall += 1
    wrapped: Members = {"wrapped_key": f"{author.mesh.wall}", "chunk_bytes": 262_144, "total": 3}
    author.say("FILE_START", start_of(author, **wrapped), to=to, ts=author.mesh.wall)


def goes_on(author: Peer, to: str, first: int = 0) -> None:
    for index in range(first, CHUNKS):
        author.say("FILE_CHUNK", chunk_of(index), to=to)
    author.say("FILE_END", {"file_id": FILE}, to=to)


def statuses(author: Peer) -> list[tuple[object, object]]:
    return [
        (ack["of"], ack.get("status", ""))
        for ack in author.members("ACK")
        if ack["msg_ref"] == FILE and ack["of"] != "FILE_CHUNK"
    ]


def parts_kept(server: Server) -> list[int]:
    return [record.part for record in server.disk if isinstance(record, Mail)]


@pytest.mark.spec("8")
@pytest.mark.parametrize("where", ["here", "at another server"])
def test_a_file_to_somebody_present_may_begin_again_as_often_as_it_breaks(
    mesh: Mesh, three: tuple[Server, Server, Server], where: str
) -> None:
    a, b, _ = three
    alice = keeper(mesh, a, "alice")
    bob = keeper(mesh, a if where == "here" else b, "bob")
    start_again(alice, bob.id)
    alice.say("FILE_CHUNK", chunk_of(0), to=bob.id)
    for _ in range(3):
        alice.drop()
        alice = keeper(mesh, a, "alice", alice)
        start_again(alice, bob.id)
    goes_on(alice, bob.id, first=1)
    starts, chunks = ["FILE_START"], ["FILE_CHUNK"]
    assert file_frames(bob) == [*starts, *chunks, *starts * 3, *chunks * 2, "FILE_END"]
    assert alice.errors() == []
    assert waiting(a) == waiting(b) == 0


@pytest.mark.spec("8")
def test_a_reader_who_went_and_came_back_gets_the_rest_live(mesh: Mesh, a: Server) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    start_again(alice, bob.id)
    alice.say("FILE_CHUNK", chunk_of(0), to=bob.id)
    bob.drop()
    alice.say("FILE_CHUNK", chunk_of(1), to=bob.id)
    assert alice.errors() == ["USER_NOT_FOUND"]
    bob = keeper(mesh, a, "bob", bob)
    start_again(alice, bob.id)
    goes_on(alice, bob.id, first=1)
    assert file_frames(bob) == ["FILE_START", "FILE_CHUNK", "FILE_CHUNK", "FILE_END"]
    assert waiting(a) == 0


@pytest.mark.spec("11")
def test_what_its_author_left_unfinished_is_kept_anew_when_it_begins_again(
    mesh: Mesh, a: Server
) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    start_again(alice, bob.id)
    alice.say("FILE_CHUNK", chunk_of(0), to=bob.id)
    alice.drop()
    assert waiting(a) == 0
    alice = keeper(mesh, a, "alice", alice)
    start_again(alice, bob.id)
    goes_on(alice, bob.id)
    assert statuses(alice) == [("FILE_START", "queued"), ("FILE_END", "queued")]
    bob = keeper(mesh, a, "bob", bob)
    assert file_frames(bob) == ["FILE_START", *["FILE_CHUNK"] * CHUNKS, "FILE_END"]


@pytest.mark.spec("11")
def test_begun_again_on_the_same_link_it_goes_on_and_takes_no_room_twice(
    mesh: Mesh, a: Server
) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    for _ in range(3):
        start_again(alice, bob.id)
        alice.say("FILE_CHUNK", chunk_of(0), to=bob.id)
    goes_on(alice, bob.id)
    assert alice.errors() == []
    assert parts_kept(a) == [0, 1, 2, 3, MAIL_PART_LAST]
    assert waiting(a) == CHUNKS + 2


@pytest.mark.spec("11")
@pytest.mark.parametrize("leaves", [False, True])
def test_a_whole_file_that_begins_again_is_acknowledged_and_neither_kept_twice_nor_lost(
    mesh: Mesh, a: Server, leaves: bool
) -> None:
    """Its author missed the answer to its end."""
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    start_again(alice, bob.id)
    goes_on(alice, bob.id)
    alice.drop()
    alice = keeper(mesh, a, "alice", alice)
    start_again(alice, bob.id)
    if leaves:
        alice.say("FILE_CHUNK", chunk_of(0), to=bob.id)
        alice.drop()
    else:
        goes_on(alice, bob.id)
        assert statuses(alice) == [("FILE_START", "queued"), ("FILE_END", "queued")]
    assert waiting(a) == len(parts_kept(a)) == CHUNKS + 2
    assert not [record for record in a.disk if isinstance(record, MailDropped)]
    bob = keeper(mesh, a, "bob", bob)
    assert file_frames(bob) == ["FILE_START", *["FILE_CHUNK"] * CHUNKS, "FILE_END"]


@pytest.mark.spec("11")
def test_who_was_given_a_file_and_asks_for_it_once_more_is_kept_it_once_more(
    mesh: Mesh, a: Server
) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    start_again(alice, bob.id)
    goes_on(alice, bob.id)
    bob = keeper(mesh, a, "bob", bob)
    bob.say("ACK", {"msg_ref": FILE, "of": "FILE_END"}, to=a.id)
    assert waiting(a) == 0
    bob.drop()
    start_again(alice, bob.id)
    goes_on(alice, bob.id)
    bob = keeper(mesh, a, "bob", bob)
    assert file_frames(bob) == ["FILE_START", *["FILE_CHUNK"] * CHUNKS, "FILE_END"]


@pytest.mark.spec("12")
@pytest.mark.threat("S5")
def test_a_file_begun_again_and_again_adds_nothing_to_what_is_held(mesh: Mesh, a: Server) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    for _ in range(100):
        start_again(alice, bob.id)
    assert alice.errors() == []
    assert waiting(a) == 1
    alice.drop()
    assert waiting(a) == 0


@pytest.mark.spec("8")
@pytest.mark.parametrize("ends", [False, True])
def test_a_files_name_is_not_taken_for_another_reader(mesh: Mesh, a: Server, ends: bool) -> None:
    """It would be acknowledged as kept, and the other reader get nothing."""
    alice = keeper(mesh, a, "alice")
    bob, carol = keeper(mesh, a, "bob"), keeper(mesh, a, "carol")
    for reader in (bob, carol):
        reader.drop()
    start_again(alice, bob.id)
    if ends:
        goes_on(alice, bob.id)
    alice.clear()
    start_again(alice, carol.id)
    assert (statuses(alice), alice.errors()) == ([], ["BAD_FRAME"])
    assert {mail.user_id for mail in a.disk if isinstance(mail, Mail)} == {bob.id}
