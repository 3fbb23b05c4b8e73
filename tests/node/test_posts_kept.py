"""Posts that are kept for members who were away and for servers that had no link (section 11)."""

from __future__ import annotations

import pytest

from socp.node.effects import Persist
from socp.node.emitter import Emitter
from socp.node.links import Links
from socp.node.post_log import PostLog
from socp.node.queries import Expired
from socp.node.records import Cursor, Post, PostsDropped, PostsHeld
from socp.wire import base64url
from socp.wire.features import SERVER_FEATURES
from socp.wire.msg_ref import msg_ref
from tests.node.cast import advertise, linked_server
from tests.node.mesh import KEEPER_FEATURES, START_MS, Mesh, Peer, Server, message

pytestmark = pytest.mark.spec("11")
DAY_MS = 24 * 3_600_000


@pytest.fixture
def alice(mesh: Mesh, a: Server) -> Peer:
    return member(mesh, a, "alice")


def member(mesh: Mesh, server: Server, name: str, like: Peer | None = None) -> Peer:
    """`like`: the same person comes back."""
    mesh.wall += 1  # the newest attach wins
    return mesh.user(server, name, features=KEEPER_FEATURES, key=like.key if like else None)


def posts(author: Peer, *texts: str, ts: int | None = None) -> list[str]:
    """The msg_refs of what they post, a millisecond apart."""
    refs = []
    for text in texts:
        author.mesh.wall += 1
        when = author.mesh.wall if ts is None else ts
        said = message(author, "public", text.encode(), when)
        author.say("MSG_PUBLIC_CHANNEL", said, to="public", ts=when)
        raw = base64url.decode(str(said["ciphertext"]))
        refs.append(msg_ref(raw, author.id, "public", when))
    return refs


def got(peer: Peer) -> list[str]:
    """The msg_refs of the posts that it heard, in their order."""
    return [
        msg_ref(base64url.decode(str(e.members["ciphertext"])), e.from_, "public", e.ts)
        for e in peer.said("MSG_PUBLIC_CHANNEL")
    ]


def acknowledges(peer: Peer, *refs: str) -> None:
    for ref in refs:
        peer.say("ACK", {"msg_ref": ref}, to=peer.server.id)


def refuses(peer: Peer, ref: str, code: str, *, ts: int | None = None) -> None:
    peer.say("ERROR", {"code": code, "detail": "", "msg_ref": ref}, to=peer.server.id, ts=ts)


# --- members ---


def test_who_was_away_gets_what_they_missed_in_order_once_and_none_of_their_own(
    mesh: Mesh, a: Server, alice: Peer
) -> None:
    bob = member(mesh, a, "bob")
    first = posts(alice, "one") + posts(bob, "two")
    assert got(bob) == first[:1]
    acknowledges(bob, first[0])
    mesh.run(2)
    bob.drop()
    missed = posts(alice, "three", "four")
    again = member(mesh, a, "bob", bob)
    assert got(again) == missed
    acknowledges(again, *missed)
    mesh.run(2)
    again.drop()
    assert got(member(mesh, a, "bob", bob)) == []


def test_what_was_not_acknowledged_comes_again(mesh: Mesh, a: Server, alice: Peer) -> None:
    bob = member(mesh, a, "bob")
    refs = posts(alice, "one", "two", "three")
    acknowledges(bob, refs[1], refs[2])  # the first is still owed, so all from there
    bob.drop()
    again = member(mesh, a, "bob", bob)
    assert got(again) == refs
    acknowledges(again, refs[0])
    again.drop()
    assert got(member(mesh, a, "bob", bob)) == refs[1:]


def test_somebody_new_gets_what_comes_from_now_on(mesh: Mesh, a: Server, alice: Peer) -> None:
    posts(alice, "before")
    carol = member(mesh, a, "carol")
    assert got(carol) == []
    refs = posts(alice, "after")
    assert got(carol) == refs
    carol.drop()
    assert got(member(mesh, a, "carol", carol)) == refs


def test_a_plain_client_is_given_each_post_once_whether_it_comes_back_or_not(
    mesh: Mesh, a: Server, alice: Peer
) -> None:
    bob = mesh.user(a, "bob")
    assert got(bob) == []
    seen = posts(alice, "one")
    assert got(bob) == seen
    bob.drop()
    missed = posts(alice, "two")
    again = mesh.user(a, "bob", key=bob.key)
    assert got(again) == missed
    again.drop()
    assert got(mesh.user(a, "bob", key=bob.key)) == []


def test_many_posts_come_page_by_page_and_a_new_one_after_them(
    mesh: Mesh, a: Server, alice: Peer
) -> None:
    bob = member(mesh, a, "bob")
    bob.drop()
    refs = []
    for n in range(150):
        if n % 20 == 0:
            mesh.run(1)
        refs += posts(alice, f"{n}")
    again = member(mesh, a, "bob", bob)
    refs += posts(alice, "last")
    assert got(again) == refs


def test_how_far_everybody_has_read_outlives_a_restart(mesh: Mesh, a: Server, alice: Peer) -> None:
    bob = member(mesh, a, "bob")
    refs = posts(alice, "one", "two")
    acknowledges(bob, refs[0])
    mesh.run(2)  # it is written once a second
    cursors = [record for record in a.disk if isinstance(record, Cursor)]
    assert cursors[-1].owner == bob.id
    mesh.kill(a)
    mesh.restart(a)
    assert got(member(mesh, a, "bob", bob)) == refs[1:]


def test_a_plain_client_that_was_here_when_a_server_crashed_gets_nothing_twice(
    mesh: Mesh, a: Server, alice: Peer
) -> None:
    bob = mesh.user(a, "bob")
    posts(alice, "one", "two")
    mesh.run(2)  # it is written once a second
    late = posts(alice, "three")
    mesh.kill(a)
    mesh.restart(a)
    assert got(mesh.user(a, "bob", key=bob.key)) == late


def test_what_the_disk_did_not_take_nobody_gets(mesh: Mesh, a: Server, alice: Peer) -> None:
    bob = member(mesh, a, "bob")
    a.disk_fault = "disk full"
    posts(alice, "lost")
    a.disk_fault = ""
    assert alice.errors() != []
    assert got(bob) == []
    refs = posts(alice, "kept")
    assert got(bob) == refs
    bob.drop()
    assert got(member(mesh, a, "bob", bob)) == refs


def test_a_post_that_could_not_go_out_for_days_is_taken_late_and_once(
    mesh: Mesh, a: Server, alice: Peer
) -> None:
    bob = member(mesh, a, "bob")
    ts = mesh.wall - 2 * DAY_MS
    said = {**message(alice, "public", b"late", ts), "late": True}
    ref = msg_ref(base64url.decode(str(said["ciphertext"])), alice.id, "public", ts)
    for _ in range(2):  # its answer was lost
        alice.say("MSG_PUBLIC_CHANNEL", said, to="public", ts=ts)
    answers = [(m["msg_ref"], m.get("status")) for m in alice.members("ACK")[1:]]
    assert answers == [(ref, "queued")] * 2
    assert got(bob) == [ref]


# --- servers ---


@pytest.fixture
def b(mesh: Mesh, a: Server) -> Peer:
    return linked_server(mesh, a, "b", features=SERVER_FEATURES)


def silent(peer: Peer, seconds: int) -> None:
    """It says nothing of what it was given, but that it lives."""
    for _ in range(seconds):
        peer.say("HEARTBEAT", {}, to=peer.server.id)
        peer.mesh.run(1)


def back(mesh: Mesh, a: Server, b: Peer) -> Peer:
    """The same server links again."""
    b.drop()
    return linked_server(mesh, a, "b", features=SERVER_FEATURES, key=b.key)


def test_a_server_that_was_away_gets_the_posts_of_our_users_as_releases(
    mesh: Mesh, a: Server, alice: Peer, b: Peer
) -> None:
    seen = posts(alice, "one")
    acknowledges(b, *seen)
    b.drop()
    missed = posts(alice, "two", "three")
    again = back(mesh, a, b)
    assert got(again) == missed
    assert [e.members["queued"] for e in again.said("MSG_PUBLIC_CHANNEL")] == [True, True]
    acknowledges(again, *missed)
    assert got(back(mesh, a, again)) == []


def test_a_server_is_not_given_what_came_by_way_of_others(
    mesh: Mesh, a: Server, alice: Peer, b: Peer
) -> None:
    c = linked_server(mesh, a, "c", features=SERVER_FEATURES, port=9010)
    dora, key = advertise(c, "dora", attach_ts=mesh.wall)
    author = mesh.open_socket(mesh.server("x"), "dora", key=key)
    b.drop()
    c.say("MSG_PUBLIC_CHANNEL", message(author, "public"), to="public", from_=dora, bind=False)
    assert len(got(alice)) == 1
    ours = posts(alice, "ours")
    assert got(back(mesh, a, b)) == ours


def test_a_server_that_says_nothing_for_a_minute_is_handed_it_again(
    mesh: Mesh, a: Server, alice: Peer, b: Peer
) -> None:
    refs = posts(alice, "one")
    assert got(b) == refs
    silent(b, 59)
    assert got(b) == refs
    silent(b, 10)
    assert got(b) == refs * 2
    assert b.said("MSG_PUBLIC_CHANNEL")[-1].members["queued"] is True
    silent(b, 50)
    assert got(b) == refs * 2
    silent(b, 20)
    assert got(b) == refs * 3
    acknowledges(b, *refs)
    silent(b, 90)
    assert got(b) == refs * 3


def test_a_server_that_comes_back_has_a_minute_too_before_it_is_handed_them_again(
    mesh: Mesh, a: Server, alice: Peer, b: Peer
) -> None:
    b.drop()
    mesh.run(120)
    missed = posts(alice, "one", "two")
    again = back(mesh, a, b)
    silent(again, 50)
    assert got(again) == missed
    silent(again, 20)
    assert got(again) == missed * 2


def test_what_a_server_cannot_take_now_is_offered_again_in_5_s(
    mesh: Mesh, a: Server, alice: Peer, b: Peer
) -> None:
    (ref,) = posts(alice, "one")
    refuses(b, ref, "NOT_STORED")
    mesh.run(4)
    assert got(b) == [ref]
    mesh.run(3)
    assert got(b) == [ref, ref]


def test_what_a_server_will_never_take_is_offered_once_more_as_a_release_and_then_no_more(
    mesh: Mesh, a: Server, alice: Peer, b: Peer
) -> None:
    """A live one may have been too old for it on its way: as a release its age does not matter."""
    (ref,) = posts(alice, "one")
    refuses(b, ref, "INVALID_SIG")
    mesh.run(7)
    assert got(b) == [ref, ref]
    refuses(b, ref, "INVALID_SIG")
    mesh.run(10)
    assert got(b) == [ref, ref]
    assert got(back(mesh, a, b)) == []


def test_an_error_about_a_post_that_it_was_never_given_changes_nothing(
    mesh: Mesh, a: Server, alice: Peer, b: Peer
) -> None:
    (ref,) = posts(alice, "one")
    refuses(b, "A" * 43, "NOT_STORED")
    mesh.run(10)
    assert got(b) == [ref]


def test_a_post_by_a_clock_ahead_is_released_when_it_is_due(
    mesh: Mesh, a: Server, alice: Peer, b: Peer
) -> None:
    b.drop()
    (ref,) = posts(alice, "from the future", ts=mesh.wall + 20_000)
    (now,) = posts(alice, "from now")
    again = back(mesh, a, b)
    assert got(again) == [now]
    silent(again, 19)
    assert got(again) == [now]
    silent(again, 8)
    assert got(again) == [now, ref, now]  # nothing of it was acknowledged
    acknowledges(again, ref, now)
    silent(again, 70)
    assert got(again) == [now, ref, now]


def test_a_release_is_acknowledged_each_time_and_kept_once_whatever_its_age(
    mesh: Mesh, a: Server, b: Peer
) -> None:
    bob = member(mesh, a, "bob")
    dora, key = advertise(b, "dora", attach_ts=mesh.wall)
    author = mesh.open_socket(mesh.server("x"), "dora", key=key)
    ts = mesh.wall - 3 * DAY_MS
    said = {**message(author, "public", b"old", ts), "queued": True}
    ref = msg_ref(base64url.decode(str(said["ciphertext"])), dora, "public", ts)
    for _ in range(2):
        b.say("MSG_PUBLIC_CHANNEL", said, to="public", from_=dora, ts=ts, bind=False)
    told = [(m["msg_ref"], m.get("status")) for m in b.members("ACK") if "msg_ref" in m]
    assert told[-2:] == [(ref, "queued")] * 2
    assert got(bob) == [ref]
    bob.drop()
    assert got(member(mesh, a, "bob", bob)) == [ref]


# --- the log ---


def a_post(seq: int, via: str = "") -> Post:
    """Of 100 bytes, with what it counts for besides."""
    return Post(seq, f"ref {seq}", "alice", START_MS, bytes(100), via, START_MS)


def kept_within(count: int, size: int) -> tuple[PostLog, list[int]]:
    """A log that five posts came to, and up to where posts were dropped."""
    emitter = Emitter("server")
    log = PostLog(emitter, Links(), PostsHeld(), (), count_max=count, size_max=size)
    for seq in range(1, 6):
        log.keep(a_post(seq))
    said = [each.record for each in emitter.take() if isinstance(each, Persist)]
    return log, [record.seq for record in said if isinstance(record, PostsDropped)]


@pytest.mark.threat("S5")
def test_the_oldest_posts_make_room_by_number_and_by_size() -> None:
    each = a_post(1).size
    for count, size, left in ((3, 100 * each, 3), (100, 2 * each, 2), (100, 3 * each - 1, 2)):
        log, dropped = kept_within(count, size)
        assert len(log) == left
        assert dropped == list(range(1, 6 - left))


def test_what_expired_is_counted_no_more() -> None:
    log, _ = kept_within(100, 100 * a_post(1).size)
    log.expired(Expired((), 2, 2 * a_post(1).size, posts_first_seq=3))
    assert len(log) == 3
    log.not_stored(a_post(4))
    assert len(log) == 2
    log.not_stored(a_post(4))
    assert len(log) == 2
    log.expired(Expired((), 2, 2 * a_post(1).size, posts_first_seq=0))
    assert len(log) == 0
