"""The public channel as servers carry it: posts, key shares, versions (section 7)."""

from __future__ import annotations

import pytest

from socp.node.records import ChannelShare, ChannelVersion
from tests.node.cast import advert_of, advertise, linked_server, share_of
from tests.node.mesh import Mesh, Server, an_id, message

KEEPS = ("link-auth/1", "bind/1", "mailbox/1")
HOUR = 3_600_000


def version_of(server: Server) -> int:
    versions = [r.version for r in server.disk if isinstance(r, ChannelVersion)]
    return max(versions, default=0)


@pytest.mark.spec("7")
def test_a_post_reaches_all_members_everywhere_but_its_author(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, c = three
    alice, others = mesh.user(a, "alice"), [mesh.user(s, s.name * 2) for s in (a, b, c)]
    said = message(alice, "public")
    frame = alice.say("MSG_PUBLIC_CHANNEL", said, to="public", ts=mesh.wall - 10)
    assert alice.errors() == ["INVALID_SIG"]  # its content_sig is over another ts
    frame = alice.say("MSG_PUBLIC_CHANNEL", said, to="public")
    for other in others:
        heard = other.said("MSG_PUBLIC_CHANNEL")[0]
        assert (heard.from_, heard.to, heard.ts) == (alice.id, "public", mesh.wall)
        assert heard.payload == frame.payload
    assert not alice.said("MSG_PUBLIC_CHANNEL")
    assert len(str(alice.members("ACK")[-1]["msg_ref"])) == 43


@pytest.mark.spec("7")
def test_each_server_puts_its_own_sig_on_the_hop(mesh: Mesh, a: Server) -> None:
    from socp.crypto.signing import verify_transport

    b, c = linked_server(mesh, a, "b"), linked_server(mesh, a, "c", port=9010)
    alice = mesh.user(a, "alice")
    alice.say("MSG_PUBLIC_CHANNEL", message(alice, "public"), to="public")
    for peer in (b, c):
        assert verify_transport(a.key.public, peer.said("MSG_PUBLIC_CHANNEL")[0])


@pytest.mark.spec("7")
@pytest.mark.threat("I2")
def test_a_post_by_way_of_a_server_stands_on_its_authors_content_sig(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, key = advertise(b, "bob")
    author = mesh.open_socket(mesh.server("x"), "bob", key=key)
    said = message(author, "public")
    forged = {**said, "content_sig": message(author, "public", b"other")["content_sig"]}
    b.clear()
    b.say("MSG_PUBLIC_CHANNEL", forged, to="public", from_=bob, bind=False)
    b.say("MSG_PUBLIC_CHANNEL", {**said, "sender_pub": b.key.public.text}, to="public", from_=bob)
    b.say("MSG_PUBLIC_CHANNEL", said, to="*", from_=bob, bind=False)
    assert b.errors() == ["INVALID_SIG", "BAD_KEY", "BAD_FRAME"]
    assert not alice.said("MSG_PUBLIC_CHANNEL")
    b.say("MSG_PUBLIC_CHANNEL", said, to="public", from_=bob, bind=False)
    assert len(alice.said("MSG_PUBLIC_CHANNEL")) == 1


@pytest.mark.spec("7")
def test_on_a_link_with_features_the_hop_must_be_signed_and_else_may_be_the_authors(
    mesh: Mesh, a: Server
) -> None:
    for name, features, taken in (("b", ("link-auth/1", "bind/1"), 0), ("c", (), 1)):
        server = linked_server(mesh, a, name, features=features, port=9000 + taken)
        reader = mesh.user(a, f"reader {name}")
        user, key = advertise(server, f"author {name}")
        author = mesh.open_socket(mesh.server(f"x{name}"), f"author {name}", key=key)
        said = message(author, "public")
        server.say("MSG_PUBLIC_CHANNEL", said, to="public", from_=user, bind=False, sign_with=key)
        assert len(reader.said("MSG_PUBLIC_CHANNEL")) == taken


@pytest.mark.spec("7")
def test_a_post_by_a_user_nobody_ever_advertised_is_dropped(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    author = mesh.open_socket(mesh.server("x"), "nobody", key=b.key)
    b.clear()
    said = message(author, "public")
    b.say("MSG_PUBLIC_CHANNEL", said, to="public", from_=author.id, bind=False)
    assert b.heard == []
    assert not alice.said("MSG_PUBLIC_CHANNEL")


@pytest.mark.spec("7")
def test_a_newcomer_is_added_everywhere_with_the_version_that_stands(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, _ = three
    alice = mesh.user(a, "alice")
    bob = mesh.user(b, "bob")
    add = alice.said("PUBLIC_CHANNEL_ADD")[-1]
    assert (add.from_, add.members["add"]) == (b.id, [bob.id])
    assert add.members.get("if_version", 0) == 0


@pytest.mark.spec("7")
def test_a_share_reaches_its_member_and_the_wrap_is_told_to_all(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, c = three
    alice, bob, carol = mesh.user(a, "alice"), mesh.user(b, "bob"), mesh.user(c, "carol")
    frame = alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, bob.id))
    assert bob.said("PUBLIC_CHANNEL_KEY_SHARE")[0].payload == frame.payload
    assert not carol.said("PUBLIC_CHANNEL_KEY_SHARE")
    for peer in (alice, bob, carol):
        updated = peer.members("PUBLIC_CHANNEL_UPDATED")[-1]
        assert updated["version"] == 1
        assert [w["member_id"] for w in updated["wraps"]] == [bob.id]  # type: ignore[attr-defined]
    assert [version_of(s) for s in (a, b, c)] == [1, 1, 1]


@pytest.mark.spec("7")
def test_a_share_waits_for_its_member_across_hellos_and_restarts(mesh: Mesh, a: Server) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    bob.drop()
    frame = alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, bob.id))
    again = mesh.user(a, "bob", key=bob.key)
    assert again.said("PUBLIC_CHANNEL_KEY_SHARE")[0].payload == frame.payload
    assert not again.said("PUBLIC_CHANNEL_ADD")
    mesh.kill(a)
    mesh.restart(a)
    again = mesh.user(a, "bob", key=bob.key)
    assert again.said("PUBLIC_CHANNEL_KEY_SHARE")[0].payload == frame.payload


@pytest.mark.spec("7")
def test_who_lacks_the_version_that_stands_is_asked_for(mesh: Mesh, a: Server) -> None:
    alice, bob, carol = (mesh.user(a, n) for n in ("alice", "bob", "carol"))
    alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, alice.id, bob.id))
    alice.clear()
    mesh.run(6)
    assert alice.members("PUBLIC_CHANNEL_ADD")[0]["add"] == [carol.id]
    assert alice.members("PUBLIC_CHANNEL_ADD")[0]["if_version"] == 1


@pytest.mark.spec("7")
def test_a_new_link_hears_the_version_and_who_is_here(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice")
    alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, alice.id, version=7))
    b = linked_server(mesh, a, "b")
    assert b.members("PUBLIC_CHANNEL_UPDATED")[0]["version"] == 7
    assert b.members("PUBLIC_CHANNEL_ADD")[0]["add"] == [alice.id]


@pytest.mark.spec("7")
@pytest.mark.threat("M10")
def test_a_share_must_be_by_its_author_whose_key_is_pinned(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    alice.clear()
    good = share_of(alice, bob.id)
    alice.say("PUBLIC_CHANNEL_KEY_SHARE", {**good, "creator_pub": bob.key.public.text})
    alice.say("PUBLIC_CHANNEL_KEY_SHARE", {**good, "content_sig": "AAAA"})
    alice.say("PUBLIC_CHANNEL_KEY_SHARE", good, signed=False)
    assert alice.errors() == ["BAD_KEY", "INVALID_SIG", "INVALID_SIG"]
    b.clear()
    forged = share_of(b, bob.id)
    b.say("PUBLIC_CHANNEL_KEY_SHARE", forged, from_=alice.id)
    elsewhere = share_of(b, an_id("nobody of ours"))
    b.say("PUBLIC_CHANNEL_KEY_SHARE", elsewhere, from_=an_id("unheard"))
    assert b.errors() == ["BAD_KEY"]
    assert not bob.said("PUBLIC_CHANNEL_KEY_SHARE")
    assert version_of(a) == 0


@pytest.mark.spec("7")
@pytest.mark.threat("M10")
def test_a_share_by_somebody_never_heard_of_is_kept_for_ours_who_can_ask_where_it_came_from(
    mesh: Mesh, a: Server
) -> None:
    b, bob = linked_server(mesh, a, "b"), mesh.user(a, "bob")
    bob.drop()
    alice = mesh.open_socket(mesh.server("x"), "alice")
    forged = {**share_of(alice, bob.id), "creator_pub": b.key.public.text}
    b.say("PUBLIC_CHANNEL_KEY_SHARE", forged, from_=alice.id)
    assert b.errors() == ["INVALID_SIG"]
    b.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, bob.id), from_=alice.id, ts=mesh.wall - HOUR)
    again = mesh.user(a, "bob", key=bob.key)
    assert [s.from_ for s in again.said("PUBLIC_CHANNEL_KEY_SHARE")] == [alice.id]
    b.clear()
    again.say("PUBKEY_REQUEST", {"user_id": alice.id})
    assert [asked["user_id"] for asked in b.members("PUBKEY_REQUEST")] == [alice.id]


@pytest.mark.spec("7")
@pytest.mark.spec("11")
def test_the_newest_five_versions_wait_for_a_member_and_come_oldest_first(
    mesh: Mesh, a: Server
) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    bob.drop()
    for version in (3, 1, 2, 7, 6, 5, 4):
        alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, bob.id, version=version))
    for _ in range(2):
        again = mesh.user(a, "bob", key=bob.key)
        shares = again.members("PUBLIC_CHANNEL_KEY_SHARE")
        assert [share["version"] for share in shares] == [3, 4, 5, 6, 7]
        assert not again.said("PUBLIC_CHANNEL_ADD")
        again.drop()
        mesh.kill(a)
        mesh.restart(a)


@pytest.mark.spec("7")
@pytest.mark.spec("11")
def test_a_share_for_somebody_away_goes_to_their_home_now_or_when_it_links(
    mesh: Mesh, a: Server
) -> None:
    b, c = linked_server(mesh, a, "b", features=KEEPS), linked_server(mesh, a, "c", port=9010)
    bob, _ = advertise(b, "bob")
    mesh.run(1)
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id})
    alice = mesh.user(a, "alice")
    for peer in (b, c):
        peer.clear()
    first = alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, bob))
    assert [s.payload for s in b.said("PUBLIC_CHANNEL_KEY_SHARE")] == [first.payload]
    assert not c.said("PUBLIC_CHANNEL_KEY_SHARE")
    b.drop()
    alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, bob, version=2))
    mesh.run(600)
    b = linked_server(mesh, a, "b", key=b.key, features=KEEPS)
    told = [s.members["version"] for s in b.said("PUBLIC_CHANNEL_KEY_SHARE")]
    assert told == [1, 2]  # it may have died before it kept the first
    mesh.run(70)
    b.drop()
    b = linked_server(mesh, a, "b", key=b.key, features=KEEPS)
    assert not b.said("PUBLIC_CHANNEL_KEY_SHARE")


@pytest.mark.spec("7")
def test_who_lacks_a_new_version_is_asked_for_5_s_later_while_a_share_may_be_on_its_way(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b", features=KEEPS)
    bob, _ = advertise(b, "bob")
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, ts=mesh.wall + 1)
    alice, carol = mesh.user(a, "alice"), mesh.user(a, "carol")
    alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, alice.id, bob))
    b.clear()
    mesh.run(4)
    assert not b.said("PUBLIC_CHANNEL_ADD")
    mesh.run(2)
    assert [members["add"] for members in b.members("PUBLIC_CHANNEL_ADD")] == [[carol.id]]


@pytest.mark.spec("7")
@pytest.mark.threat("M13")
def test_a_version_counts_only_if_it_is_at_most_1000_above_the_highest_known(
    mesh: Mesh, a: Server
) -> None:
    b, c = linked_server(mesh, a, "b"), linked_server(mesh, a, "c", port=9010)
    alice = mesh.user(a, "alice")
    for peer in (alice, b, c):
        peer.clear()
    alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, alice.id, version=1_001))
    b.say("PUBLIC_CHANNEL_UPDATED", {"version": 2**53 - 1})
    assert (alice.errors(), b.errors(), c.heard) == (["BAD_FRAME"], ["BAD_FRAME"], [])
    assert version_of(a) == 0
    b.say("PUBLIC_CHANNEL_UPDATED", {"version": 1_000})
    alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, alice.id, version=2_000))
    assert version_of(a) == 2_000


@pytest.mark.spec("7")
def test_a_lower_version_never_takes_the_place_of_a_higher(mesh: Mesh, a: Server) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, bob.id, version=5))
    alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, bob.id, version=4))
    bob.drop()
    again = mesh.user(a, "bob", key=bob.key)
    assert again.members("PUBLIC_CHANNEL_KEY_SHARE")[-1]["version"] == 5
    assert version_of(a) == 5


@pytest.mark.spec("7")
def test_a_foreign_share_for_several_goes_whole_to_each_and_once(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    carol, _ = advertise(b, "carol")
    dora, _ = advertise(b, "dora")
    said = share_of(alice, bob.id, carol, dora, bob.id, bob.id, carol)
    frame = alice.say("PUBLIC_CHANNEL_KEY_SHARE", said)
    for peer in (b, bob):
        assert [e.payload for e in peer.said("PUBLIC_CHANNEL_KEY_SHARE")] == [frame.payload]


@pytest.mark.spec("12")
@pytest.mark.threat("S3")
def test_a_share_too_long_to_keep_is_passed_on_and_not_stored(mesh: Mesh, a: Server) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    said = {**share_of(alice, bob.id), "junk": "x" * 50_000}
    alice.say("PUBLIC_CHANNEL_KEY_SHARE", said)
    assert bob.said("PUBLIC_CHANNEL_KEY_SHARE")
    assert not [r for r in a.disk if isinstance(r, ChannelShare)]


@pytest.mark.spec("7")
def test_adds_and_updates_of_others_are_passed_on_once(mesh: Mesh, a: Server) -> None:
    b, c = linked_server(mesh, a, "b"), linked_server(mesh, a, "c", port=9010)
    alice = mesh.user(a, "alice")
    alice.clear()
    b.say("USER_ADVERTISE", advert_of(an_id("bob"), b.id, b.key))
    for _ in range(3):
        b.say("PUBLIC_CHANNEL_ADD", {"add": [an_id("bob")], "if_version": 0})
    for peer in (alice, c):
        assert len([e for e in peer.said("PUBLIC_CHANNEL_ADD") if e.from_ == b.id]) == 1
    assert not [e for e in b.said("PUBLIC_CHANNEL_ADD") if e.from_ == b.id]


@pytest.mark.spec("2")
@pytest.mark.threat("M2")
def test_shares_of_another_hour_are_refused(mesh: Mesh, a: Server) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    for ts, errors in ((mesh.wall - HOUR, ["BAD_FRAME"]), (mesh.wall, [])):
        alice.clear()
        alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, bob.id), ts=ts)
        assert alice.errors() == errors
    assert len(bob.said("PUBLIC_CHANNEL_KEY_SHARE")) == 1


@pytest.mark.spec("4")
@pytest.mark.parametrize("kind", ["MSG_PUBLIC_CHANNEL", "PUBLIC_CHANNEL_KEY_SHARE"])
def test_an_author_who_can_be_no_user_is_refused(mesh: Mesh, a: Server, kind: str) -> None:
    bob, b = mesh.user(a, "bob"), linked_server(mesh, a, "b")
    for nobody in ("x" * 36, an_id("x").upper()):
        author = mesh.open_socket(mesh.server(nobody), "x", id=nobody)
        said = share_of(author, bob.id)
        if kind == "MSG_PUBLIC_CHANNEL":
            said = {**message(author, "public"), "queued": True}
        b.say(kind, said, to="public", from_=nobody, bind=False)
    assert b.errors() == ["BAD_FRAME"] * 2
    assert not bob.said(kind)
