"""Files on their way, to one and to all (section 8)."""

from __future__ import annotations

import pytest

from socp.wire import limits
from tests.node.cast import advertise, linked_server
from tests.node.mesh import Mesh, Peer, Server, an_id

FILE = an_id("file")
Members = dict[str, object]


def start_of(author: Peer | None = None, **more: object) -> Members:
    members: Members = {"file_id": FILE, "name": "a.txt", "size": 3, "sha256": "0" * 64, **more}
    if author is not None:
        members["sender_pub"] = author.key.public.text
    return members


def chunk_of(index: int = 0) -> Members:
    return {"file_id": FILE, "index": index, "ciphertext": "AAAA"}


def send(author: Peer, to: str, prefix: str = "") -> None:
    author.say(f"{prefix}FILE_START", start_of(author), to=to)
    author.say(f"{prefix}FILE_CHUNK", chunk_of(), to=to)
    author.say(f"{prefix}FILE_END", {"file_id": FILE}, to=to)


TYPES = ["FILE_START", "FILE_CHUNK", "FILE_END"]


def file_frames(peer: Peer) -> list[str]:
    return [e.type for e in peer.heard if e.type.startswith("FILE_")]


@pytest.mark.spec("8")
@pytest.mark.parametrize("prefix", ["", "USER_", "SERVER_"])
def test_a_file_to_somebody_here_arrives_under_our_own_names(
    mesh: Mesh, a: Server, prefix: str
) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    alice.clear()
    send(alice, bob.id, prefix)
    assert file_frames(bob) == TYPES
    for frame in bob.heard[-3:]:
        assert (frame.from_, frame.to, frame.members["sender"]) == (alice.id, bob.id, alice.id)
        assert "bind" not in frame.members
    acks = alice.members("ACK")
    assert [(m["msg_ref"], m["of"], m["status"]) for m in acks] == [
        (FILE, "FILE_START", "delivered"),
        (FILE, "FILE_END", "delivered"),
    ]


@pytest.mark.spec("8")
def test_a_file_across_servers_arrives_with_the_authors_members_and_time(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, _ = three
    alice, bob = mesh.user(a, "alice"), mesh.user(b, "bob")
    said = start_of(alice, mood="kept")
    alice.say("FILE_START", said, to=bob.id, ts=mesh.wall - 5)
    frame = bob.said("FILE_START")[0]
    assert (frame.from_, frame.ts) == (alice.id, mesh.wall - 5)
    assert frame.members == {**said, "sender": alice.id}
    assert "status" not in alice.members("ACK")[-1]


@pytest.mark.spec("8")
def test_between_servers_file_frames_are_the_hops_own(mesh: Mesh, a: Server) -> None:
    from socp.crypto.signing import verify_transport

    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, _ = advertise(b, "bob")
    send(alice, bob)
    assert file_frames(b) == TYPES
    for frame in b.heard[-3:]:
        assert (frame.from_, frame.to) == (a.id, b.id)
        assert (frame.members["sender"], frame.members["user_id"]) == (alice.id, bob)
        assert frame.members["bind"] == {
            "type": frame.type,
            "from": a.id,
            "to": b.id,
            "ts": frame.ts,
        }
        assert verify_transport(a.key.public, frame)


@pytest.mark.spec("8")
def test_a_file_to_all_reaches_every_member_once(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, c = three
    alice, others = mesh.user(a, "alice"), [mesh.user(s, s.name * 2) for s in (a, b, c)]
    send(alice, "public")
    for other in others:
        assert file_frames(other) == TYPES
    assert file_frames(alice) == []


@pytest.mark.spec("8")
def test_a_file_for_somebody_nowhere_is_refused_by_its_id(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice")
    send(alice, an_id("away"))
    assert [(m["code"], m["msg_ref"], m["of"]) for m in alice.members("ERROR")] == [
        ("USER_NOT_FOUND", FILE, kind) for kind in TYPES
    ]


@pytest.mark.spec("8")
@pytest.mark.parametrize("to", ["*", "bob", ""])
def test_a_file_goes_to_a_user_or_to_all(mesh: Mesh, a: Server, to: str) -> None:
    alice = mesh.user(a, "alice")
    alice.say("FILE_END", {"file_id": FILE}, to=to or "-")
    assert alice.errors() == ["BAD_FRAME"]


@pytest.mark.spec("12")
@pytest.mark.threat("S4")
def test_a_file_over_1_gib_is_too_large_from_wherever_it_comes(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, _ = advertise(b, "bob")
    b.clear()
    big = start_of(size=limits.FILE_BYTES + 1)
    alice.say("FILE_START", big, to=bob)
    b.say("FILE_START", {**big, "sender": bob, "user_id": alice.id}, to=a.id)
    b.say("FILE_START", big, to="public", from_=bob, bind=False)
    assert alice.errors() == ["TOO_LARGE"]
    assert b.errors() == ["TOO_LARGE", "TOO_LARGE"]
    assert file_frames(alice) == []


@pytest.mark.spec("8")
@pytest.mark.threat("I2")
def test_a_file_frame_of_a_server_needs_a_sender_who_is_there(mesh: Mesh, a: Server) -> None:
    b, m = linked_server(mesh, a, "b"), linked_server(mesh, a, "m", port=9010)
    alice = mesh.user(a, "alice")
    bob, _ = advertise(b, "bob")
    m.clear()
    m.say("FILE_START", {**start_of(), "sender": bob, "user_id": alice.id}, to=a.id)
    m.say("FILE_START", start_of(), to=a.id)
    m.say("FILE_START", start_of(), to="public", from_=bob, bind=False)
    assert m.errors() == ["NOT_ALLOWED", "BAD_FRAME"]
    b.clear()
    said = {**start_of(), "sender": bob, "user_id": alice.id, "sender_pub": b.key.public.text}
    b.say("FILE_START", said, to=a.id)
    b.say(
        "FILE_START",
        {**start_of(), "sender_pub": b.key.public.text},
        to="public",
        from_=bob,
        bind=False,
    )
    assert b.errors() == ["BAD_KEY", "BAD_KEY"]
    assert file_frames(alice) == []


@pytest.mark.spec("8")
@pytest.mark.threat("M1")
def test_a_file_frame_between_servers_must_be_signed_and_bound(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, _ = advertise(b, "bob")
    b.clear()
    said = {**chunk_of(), "sender": bob, "user_id": alice.id}
    b.say("FILE_CHUNK", said, to=a.id, bind=False)
    b.say("FILE_CHUNK", said, to=a.id, sign_with=alice.key)
    b.say("FILE_CHUNK", chunk_of(), to="public", from_=bob, bind=False, sign_with=alice.key)
    assert b.errors() == ["INVALID_SIG"] * 3
    assert file_frames(alice) == []


@pytest.mark.spec("8")
@pytest.mark.threat("S12")
def test_a_file_frame_for_somebody_who_moved_goes_on_as_it_came_and_once(
    mesh: Mesh, a: Server
) -> None:
    b, c = linked_server(mesh, a, "b"), linked_server(mesh, a, "c", port=9010)
    bob, _ = advertise(b, "bob")
    carol, _ = advertise(c, "carol")
    for _ in range(3):
        frame = b.say("FILE_CHUNK", {**chunk_of(), "sender": bob, "user_id": carol}, to=a.id)
    passed = c.said("FILE_CHUNK")
    assert len(passed) == 1
    assert (passed[0].from_, passed[0].to, passed[0].payload) == (b.id, a.id, frame.payload)


@pytest.mark.spec("8")
def test_a_forwarded_file_frame_is_taken_under_the_key_of_its_from(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, _, _ = three
    b, c = linked_server(mesh, a, "d"), linked_server(mesh, a, "e", port=9010)
    alice = mesh.user(a, "alice")
    bob, _ = advertise(b, "bob")
    said = {**chunk_of(), "sender": bob, "user_id": alice.id}
    c.features = b.features
    bind = {"type": "FILE_CHUNK", "from": b.id, "to": c.id, "ts": mesh.wall}
    c.say("FILE_CHUNK", {**said, "bind": bind}, to=c.id, from_=b.id, sign_with=b.key, bind=False)
    assert len(alice.said("FILE_CHUNK")) == 1


@pytest.mark.spec("5")
@pytest.mark.parametrize("prefix", ["", "USER_", "SERVER_"])
def test_a_delivery_with_an_inner_type_is_the_file_frame_in_it(
    mesh: Mesh, a: Server, prefix: str
) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, _ = advertise(b, "bob")
    hop = {"sender": bob, "user_id": alice.id}
    for kind, members in (
        ("FILE_START", start_of()),
        ("FILE_CHUNK", chunk_of()),
        ("FILE_END", {"file_id": FILE}),
    ):
        b.say("SERVER_DELIVER", {**members, **hop, "inner_type": prefix + kind}, to=a.id)
    assert file_frames(alice) == TYPES
    assert alice.said("FILE_CHUNK")[0].members == {**chunk_of(), "sender": bob}


@pytest.mark.spec("5")
def test_an_inner_type_that_is_no_file_frame_is_unknown(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, _ = advertise(b, "bob")
    b.clear()
    said: Members = {"sender": bob, "user_id": alice.id, "inner_type": "USER_REMOVE"}
    b.say("SERVER_DELIVER", said, to=a.id)
    b.say("SERVER_DELIVER", {**said, "inner_type": "FILE_END"}, to=a.id)
    assert b.errors() == ["UNKNOWN_TYPE", "BAD_FRAME"]


@pytest.mark.spec("4")
@pytest.mark.threat("M2")
def test_a_start_or_end_said_twice_arrives_once_and_is_acknowledged_again(
    mesh: Mesh, a: Server
) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    alice.clear()
    for _ in range(2):
        alice.say("FILE_START", start_of(), to=bob.id)
        alice.say("FILE_END", {"file_id": FILE}, to=bob.id)
    assert file_frames(bob) == ["FILE_START", "FILE_END"]
    assert len(alice.said("ACK")) == 4


@pytest.mark.spec("12")
@pytest.mark.threat("S2")
def test_a_transfer_is_slowed_by_bytes_and_never_refused(mesh: Mesh, a: Server) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    big = {**chunk_of(), "ciphertext": "A" * 900_000}
    for n in range(2):
        alice.say("FILE_CHUNK", {**big, "index": n}, to=bob.id)
    assert alice.link not in a.paused_ms
    for n in range(2, 6):
        alice.say("FILE_CHUNK", {**big, "index": n}, to=bob.id)
    assert (alice.errors(), len(bob.said("FILE_CHUNK"))) == ([], 6)
    owed = 6 * 900_000 - limits.USER_BYTES_BURST
    assert a.paused_ms[alice.link] == pytest.approx(owed / limits.USER_BYTES_PER_S * 1000, rel=0.05)


@pytest.mark.spec("12")
@pytest.mark.threat("S3")
def test_small_chunks_cost_what_their_signatures_cost(mesh: Mesh, a: Server) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    for n in range(500):
        alice.say("FILE_CHUNK", chunk_of(n), to=bob.id)
    assert (alice.errors(), len(bob.said("FILE_CHUNK"))) == ([], 500)
    assert a.paused_ms[alice.link] > 900


@pytest.mark.spec("5")
@pytest.mark.threat("I3")
@pytest.mark.parametrize("kind", TYPES)
def test_a_server_that_keeps_nothing_releases_nothing(mesh: Mesh, a: Server, kind: str) -> None:
    """`queued` spares who says it neither the time window nor whose user the author is."""
    bob, home, other = mesh.user(a, "bob"), linked_server(mesh, a, "b"), linked_server(mesh, a, "c")
    alice, _ = advertise(home, "alice")
    said = {**(chunk_of() if kind == "FILE_CHUNK" else start_of()), "sender": alice}
    said |= {"user_id": bob.id, "queued": True}
    other.say(kind, said, to=a.id)
    home.say(kind, said, to=a.id, ts=mesh.wall - limits.TS_WINDOW_MS - 1)
    assert (other.errors(), home.errors()) == (["NOT_ALLOWED"], ["BAD_FRAME"])
    assert file_frames(bob) == []
    home.say(kind, said, to=a.id)
    assert file_frames(bob) == [kind]
