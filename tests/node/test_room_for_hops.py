"""What goes on from server to server and to its reader gets longer on its way: it must not become
more than the next one takes (sections 1 and 12; threat S12)."""

from __future__ import annotations

import pytest

from socp.crypto import content_sig
from socp.wire import base64url, limits
from socp.wire.canonical import canonical
from socp.wire.envelope import encode
from socp.wire.features import PRESENCE
from tests.node.cast import Members, advert_of, advertise, linked_server, share_of
from tests.node.mesh import USER_FEATURES, Mesh, Peer, Server, an_id
from tests.node.test_mailbox import keeper, waiting
from tests.node.test_transfers import chunk_of

pytestmark = [pytest.mark.spec("12"), pytest.mark.threat("S12")]
KINDS = ["MSG_DIRECT", "MSG_PUBLIC_CHANNEL", "FILE_CHUNK", "PUBLIC_CHANNEL_KEY_SHARE"]
ROOM = 2 * limits.HOP_BYTES
Three = tuple[Server, Server, Server]


def members_of(kind: str, author: Peer, reader: Peer, size: int) -> Members:
    """What a frame of this kind says that holds; of about so many bytes."""
    text, ts = bytes(max(0, size - 2_500) // 4 * 3), author.mesh.wall
    said: Members = {"sender_pub": author.key.public.text, "ciphertext": base64url.encode(text)}
    match kind:
        case "MSG_DIRECT":
            sig = content_sig.sign_direct(author.key, text, author.id, reader.id, ts)
            return {**said, "content_sig": sig}
        case "MSG_PUBLIC_CHANNEL":
            sig = content_sig.sign_public(author.key, text, author.id, ts)
            return {**said, "content_sig": sig}
        case "FILE_CHUNK":
            return {**chunk_of(), "ciphertext": base64url.encode(text)}
    return {**share_of(author, reader.id), "channel_priv_box": base64url.encode(text)}


def say_long(author: Peer, kind: str, reader: Peer, size: int, filler: str = "x") -> None:
    """The frame, filled up to so many bytes by an unknown member."""
    to = "public" if kind == "MSG_PUBLIC_CHANNEL" else reader.id
    said = members_of(kind, author, reader, size if filler == "x" else 0)
    head = len(encode(kind, author.id, to, author.mesh.wall, canonical({**said, "more": ""}), ""))
    text = canonical(said)[:-1] + b',"more":"' + (filler * (size - head)).encode() + b'"}'
    author.raw(encode(kind, author.id, to, author.mesh.wall, text, ""))


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_that_leaves_no_room_for_the_next_hop_is_refused(
    mesh: Mesh, three: Three, kind: str
) -> None:
    a, b, _ = three
    alice, bob = mesh.user(a, "alice", features=()), mesh.user(b, "bob")
    linked = a.linked()
    for size, filler in ((limits.FRAME_BYTES, "x"), (limits.FRAME_BYTES // 3, "\x7f")):
        say_long(alice, kind, bob, size, filler)
    assert alice.errors() == ["TOO_LARGE"] * 2
    assert (alice.closed, a.linked()) == (None, linked)
    assert not [e for e in bob.heard if len(e.payload) > limits.FRAME_BYTES // 3]


@pytest.mark.parametrize("kind", KINDS)
def test_the_longest_that_is_taken_arrives_in_a_frame(mesh: Mesh, three: Three, kind: str) -> None:
    a, b, _ = three
    alice, bob = mesh.user(a, "alice", features=()), mesh.user(b, "bob")
    say_long(alice, kind, bob, limits.FRAME_BYTES - ROOM)
    assert alice.errors() == []
    longest = max(len(envelope.payload) for envelope in bob.heard)
    assert longest > limits.FRAME_BYTES - ROOM - 4_000


def test_the_longest_message_waits_for_its_reader_and_arrives(mesh: Mesh, three: Three) -> None:
    a, b, _ = three
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, b, "bob")
    mesh.run(2)
    mesh.kill(b)
    said = members_of("MSG_DIRECT", alice, bob, limits.FRAME_BYTES - ROOM - 6_000)
    alice.say("MSG_DIRECT", said, to=bob.id)
    assert (alice.errors(), waiting(a)) == ([], 1)
    mesh.restart(b)
    mesh.run(90)
    assert len(keeper(mesh, b, "bob", bob).said("USER_DELIVER")) == 1


def test_a_share_does_not_grow_by_its_sig(mesh: Mesh, a: Server) -> None:
    """Nobody verifies it: it travels on as it came, and each character of it may take twice."""
    b = linked_server(mesh, a, "b")
    bob, _ = advertise(b, "bob")
    alice = mesh.user(a, "alice", features=())
    text = canonical(share_of(alice, bob))
    for chars, refused in ((200_000, 1), (683, 1)):
        kind, sig = "PUBLIC_CHANNEL_KEY_SHARE", "\u20ac" * chars
        said = {"type": kind, "from": alice.id, "to": "public", "ts": mesh.wall, "sig": sig}
        head = str(said).replace("'", '"').encode()[:-1]
        alice.raw(head + b',"payload":' + text + b"}")
        assert len(alice.errors()) == refused
    assert len(b.said("PUBLIC_CHANNEL_KEY_SHARE")) == 1


@pytest.mark.threat("S5")
def test_a_goodbye_takes_no_more_than_a_hello(mesh: Mesh, a: Server) -> None:
    """It is kept, and said to whoever asks."""
    b = linked_server(mesh, a, "b")
    bob, _ = advertise(b, "bob")
    said: Members = {"user_id": bob, "server_id": b.id, "more": "x" * 16_384}
    b.say("USER_REMOVE", said, ts=mesh.wall + 1)
    assert b.errors() == ["TOO_LARGE"]
    assert bob in a.node.whereabouts()


@pytest.mark.spec("6")
def test_a_list_comes_in_parts_that_fit_whatever_people_are_called(mesh: Mesh, a: Server) -> None:
    b, key = linked_server(mesh, a, "b"), mesh.suite.generate()
    for n in range(400):
        advert = advert_of(an_id(f"{n}"), b.id, key, name="\U0001f600" * 256)
        b.say("USER_ADVERTISE", advert)
    alice = mesh.user(a, "alice", features=(*USER_FEATURES, PRESENCE))
    alice.say("LIST_REQUEST", {})
    parts = alice.members("USER_LIST")
    assert [part.get("more", False) for part in parts] == [True, False]
    whole = [user for part in parts for user in part["users"]]  # type: ignore[attr-defined]
    assert whole == sorted({*whole}) == sorted(a.node.whereabouts())
    paged: list[str] = []
    more = True
    while more:
        alice.say("LIST_REQUEST", {"after": paged[-1] if paged else "", "limit": limits.LIST_PAGE})
        page = alice.members("USER_LIST")[-1]
        paged += page["users"]  # type: ignore[arg-type]
        more = bool(page.get("more", False))
    assert paged == whole
