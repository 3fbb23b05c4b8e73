"""A file whose reader has just moved on: its author is told, and begins again (section 11)."""

from __future__ import annotations

import pytest

from tests.node.cast import Members, advertise, linked_server
from tests.node.mesh import Mesh, Peer, Server, an_id
from tests.node.test_transfers import chunk_of, start_of

FILE = str(start_of()["file_id"])


@pytest.fixture
def b(mesh: Mesh, a: Server) -> Peer:
    """The server where Bob was when A heard of him last."""
    peer = linked_server(mesh, a, "b")
    advertise(peer, "bob")
    return peer


def begin(author: Peer, ts_later_ms: int = 0) -> None:
    author.mesh.wall += ts_later_ms
    author.say("FILE_START", start_of(author), to=an_id("bob"))


def refuse(server: Peer, *, code: str = "USER_NOT_FOUND", of: str = "FILE_CHUNK") -> None:
    """As a server does that was told by a session key what goes no further."""
    error: Members = {
        "code": code,
        "detail": "gone",
        "msg_ref": FILE,
        "of": of,
        "moved_to": an_id("c"),
    }
    server.say("ERROR", error, to=server.server.id)


def told(author: Peer) -> list[tuple[object, object, object]]:
    found = [(m["code"], m["msg_ref"], m.get("of", "")) for m in author.members("ERROR")]
    author.clear()
    return found


@pytest.mark.spec("11")
def test_its_author_is_told_once_for_each_time_they_began(mesh: Mesh, a: Server, b: Peer) -> None:
    alice = mesh.user(a, "alice")
    begin(alice)
    assert b.said("FILE_START")
    alice.say("FILE_CHUNK", chunk_of(), to=an_id("bob"))
    alice.clear()
    for _ in range(3):
        refuse(b)
    assert told(alice) == [("USER_NOT_FOUND", FILE, "FILE_CHUNK")]
    begin(alice, 5_000)
    alice.clear()
    refuse(b, of="FILE_START")
    assert told(alice) == [("USER_NOT_FOUND", FILE, "FILE_START")]


@pytest.mark.spec("11")
@pytest.mark.threat("S6")
def test_only_who_was_handed_the_file_can_say_so_and_only_that(
    mesh: Mesh, a: Server, b: Peer
) -> None:
    m = linked_server(mesh, a, "m", port=9010)
    alice = mesh.user(a, "alice")
    begin(alice)
    alice.clear()
    refuse(m)
    refuse(b, code="BAD_FRAME")
    assert told(alice) == []
    refuse(b, of="anything they like")
    assert told(alice) == [("USER_NOT_FOUND", FILE, "")]


@pytest.mark.spec("11")
def test_an_author_who_left_is_told_nothing(mesh: Mesh, a: Server, b: Peer) -> None:
    alice = mesh.user(a, "alice")
    begin(alice)
    alice.drop()
    again = mesh.user(a, "alice", key=alice.key)
    again.clear()
    refuse(b)
    assert told(again) == []
