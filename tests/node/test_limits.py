"""Rates and bounds (section 12): what grows has an end, and what ended leaves nothing."""

from __future__ import annotations

import pytest

from socp.node import dialling, directory, presence, share_shelf
from socp.node.dedup import SeenIds
from socp.node.events import FrameRefused
from socp.wire.addresses import HostPort
from socp.wire.errors import Code, PeerFault
from tests.node.callers import Caller
from tests.node.cast import advert_of, advertise, hello_of, linked_server, share_of
from tests.node.mesh import Mesh, Peer, Server, an_id, load, message
from tests.node.test_mailbox import keeper, says


@pytest.mark.spec("12")
@pytest.mark.threat("S3")
def test_a_user_may_say_120_frames_at_once_and_30_a_second(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice")
    alice.clear()
    for _ in range(150):
        alice.say("HEARTBEAT", {})
    assert set(alice.errors()) == {"RATE_LIMITED"}
    alice.clear()
    mesh.mono += 1000
    for _ in range(30):
        alice.say("PUBKEY_REQUEST", {"user_id": alice.id})
    assert len(alice.said("PUBKEY_RESPONSE")) == 30
    assert alice.closed is None


@pytest.mark.spec("12")
@pytest.mark.threat("S3")
@pytest.mark.parametrize("what", ["frames", "garbage", "unknown"])
def test_who_goes_on_and_on_over_the_rate_is_cut(mesh: Mesh, a: Server, what: str) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    alice.clear()
    for _ in range(800):
        if what == "garbage":
            alice.raw(b"{}")
        else:
            alice.say("HEARTBEAT" if what == "frames" else "NO_SUCH", {})
    assert alice.closed == 1008
    assert len(alice.errors()) <= 25
    assert bob.closed is None


@pytest.mark.spec("12")
@pytest.mark.threat("S3")
def test_garbage_of_a_stranger_costs_one_unsigned_answer_and_the_link(
    mesh: Mesh, a: Server
) -> None:
    stranger = mesh.open_socket(a, "stranger")
    fault = PeerFault(Code.TOO_LARGE, "too large", close=1009)
    mesh.event(a, FrameRefused(stranger.link, fault))
    assert (stranger.errors(), stranger.closed) == (["TOO_LARGE"], 1009)
    assert stranger.said("ERROR")[0].sig == ""


@pytest.mark.spec("12")
@pytest.mark.threat("S3")
def test_hellos_are_limited_by_source_address_and_not_on_loopback(mesh: Mesh, a: Server) -> None:
    def hello(n: int, *, loopback: bool, address: str) -> list[str]:
        peer = mesh.open_socket(a, f"{address}{n}", loopback=loopback, address=address)
        peer.say("USER_HELLO", {"pubkey": peer.key.public.text})
        return peer.errors()

    far = [hello(n, loopback=False, address="203.0.113.1") for n in range(8)]
    assert far == [[]] * 5 + [["RATE_LIMITED"]] * 3
    assert hello(0, loopback=False, address="203.0.113.2") == []
    assert [hello(n, loopback=True, address="127.0.0.1") for n in range(8)] == [[]] * 8
    mesh.mono += 1000
    assert hello(9, loopback=False, address="203.0.113.1") == []
    line = [hello(n, loopback=False, address=f"2001:db8::{n:x}") for n in range(8)]
    assert line == far, "an IPv6 line counts as one address"


@pytest.mark.spec("12")
def test_buckets_of_addresses_are_bounded() -> None:
    from socp.node.pace import Buckets

    buckets = Buckets(1, 1, most=10)
    assert all(buckets.take(f"{n}", 0) for n in range(100))
    assert len(buckets._buckets) == 10
    assert not buckets.take("99", 0)


@pytest.mark.spec("4")
@pytest.mark.threat("M2")
def test_a_source_at_its_quota_of_seen_ids_is_refused_and_pushes_nobody_out() -> None:
    seen = SeenIds(quota=3)
    seen.add(b"honest", "b", 0)
    for n in range(3):
        seen.add(b"%d" % n, "m", 0)
    with pytest.raises(PeerFault, match="RATE_LIMITED"):
        seen.add(b"3", "m", 1)
    seen.add(b"0", "m", 1)  # nothing new
    assert b"honest" in seen
    seen.expire(600_000)
    assert len(seen) == 0
    seen.add(b"3", "m", 600_001)


@pytest.mark.spec("4")
@pytest.mark.threat("M2")
def test_where_all_seen_ids_are_full_who_said_little_goes_on_and_nothing_is_forgotten() -> None:
    seen = SeenIds(quota=100, most=6)
    for n in range(4):
        seen.add(b"m%d" % n, "m", 0)
    seen.add(b"b0", "b", 0)
    seen.add(b"c0", "c", 0)
    with pytest.raises(PeerFault, match="more than 1 frames"):  # 6 of 4 sources
        seen.add(b"m4", "m", 0)
    with pytest.raises(PeerFault, match="RATE_LIMITED"):
        seen.add(b"b1", "b", 0)
    seen.add(b"d0", "d", 0)
    assert len(seen) == 7
    assert b"m0" in seen


@pytest.mark.spec("4")
def test_what_is_refused_for_the_quota_is_not_delivered_as_well(mesh: Mesh, a: Server) -> None:
    a.node._seen._quota = 1
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    for n in range(2):
        alice.say("MSG_DIRECT", message(alice, bob.id, b"%d" % n), to=bob.id)
    assert alice.errors() == ["RATE_LIMITED"]
    assert len(bob.said("USER_DELIVER")) == 1


@pytest.mark.spec("12")
@pytest.mark.threat("S6")
def test_a_server_may_not_advertise_more_users_than_its_bound(
    mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "ONLINE_PER_SERVER", 3)
    b, c = linked_server(mesh, a, "b"), linked_server(mesh, a, "c", port=9010)
    for n in range(5):
        advertise(b, f"u{n}", b.key)
    assert b.errors() == ["RATE_LIMITED"] * 2
    advertise(c, "carol")
    assert not c.errors()


@pytest.mark.spec("12")
@pytest.mark.threat("S6")
@pytest.mark.parametrize("keyed", [True, False])
def test_users_that_one_server_makes_us_remember_are_bounded(
    mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch, keyed: bool
) -> None:
    monkeypatch.setattr(directory, "NEW_PINS_PER_SERVER", 3)
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    for n in range(6):
        user = an_id(f"u{n}")
        key = b.key if keyed else None
        b.say("USER_ADVERTISE", advert_of(user, b.id, key))
        b.say("USER_REMOVE", {"user_id": user, "server_id": b.id}, ts=mesh.wall + 1)
    assert b.errors() == ["RATE_LIMITED"] * 3
    assert len(a.node._directory.homes) == 3 + 1
    assert len(a.node._directory.accounts) == (3 if keyed else 0) + 1
    assert alice.closed is None


@pytest.mark.spec("12")
@pytest.mark.threat("S5")
def test_users_of_other_servers_leave_places_for_our_own(
    mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "ACCOUNTS_MAX", 8)
    b = linked_server(mesh, a, "b")
    for n in range(8):
        advertise(b, f"theirs {n}")
    assert b.errors() == ["RATE_LIMITED"] * 2
    for n in range(2):
        assert mesh.user(a, f"ours {n}").errors() == []
    assert mesh.user(a, "one more").errors() == ["RATE_LIMITED"]
    assert len(a.node.whereabouts()) == 8


@pytest.mark.spec("12")
def test_a_full_directory_takes_no_new_users_and_keeps_those_it_has(
    mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = mesh.user(a, "alice")
    alice.drop()
    monkeypatch.setattr(directory, "ACCOUNTS_MAX", 1)
    assert mesh.user(a, "bob").errors() == ["RATE_LIMITED"]
    assert mesh.user(a, "alice", key=alice.key).said("ACK")


def bare(mesh: Mesh, server: Server, name: str) -> Peer:
    """Says hello without a proof."""
    return mesh.user(server, name, features=())


def known(server: Server) -> set[str]:
    found = load(server.disk)
    ids = {each.user_id for each in found.accounts}
    assert {each.user_id for each in found.homes} <= ids
    return ids


@pytest.mark.threat("S5")
def test_in_a_full_directory_who_never_proved_a_key_gives_way_to_who_does(
    mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "ACCOUNTS_MAX", 4)
    alice = mesh.user(a, "alice")
    alice.drop()
    present = bare(mesh, a, "present")
    for name in ("one", "two"):
        bare(mesh, a, name).drop()
    assert bare(mesh, a, "three").errors() == ["RATE_LIMITED"], "the like of them wait a day"
    assert mesh.user(a, "bob").said("ACK")
    assert known(a) == {alice.id, present.id, an_id("two"), an_id("bob")}
    mesh.wall += directory.BARE_KEPT_MS
    assert bare(mesh, a, "three").said("ACK")
    assert known(a) == {alice.id, present.id, an_id("three"), an_id("bob")}
    assert mesh.user(a, "carol").errors() == ["RATE_LIMITED"], "all who are left are needed"
    mesh.restart(a)
    assert mesh.user(a, "carol").said("ACK"), "nobody is there any more"
    assert alice.id in known(a)


@pytest.mark.threat("S5")
def test_who_has_mail_waiting_or_a_password_does_not_give_way(
    mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = keeper(mesh, a, "alice")
    mail = bare(mesh, a, "mail")
    mail.drop()
    says(alice, mail.id)
    assert alice.errors() == []
    word = bare(mesh, a, "word")
    word.drop()
    Caller(mesh, a, "word", word.key).sets_password("correct horse battery")
    monkeypatch.setattr(directory, "ACCOUNTS_MAX", 3)
    assert mesh.user(a, "bob").errors() == ["RATE_LIMITED"]
    assert known(a) == {alice.id, mail.id, word.id}


@pytest.mark.spec("12")
def test_an_advert_that_is_too_long_to_keep_is_refused(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    b.clear()
    b.say("USER_ADVERTISE", {**advert_of(an_id("bob"), b.id, b.key), "x": "y" * 20_000})
    assert b.errors() == ["TOO_LARGE"]


@pytest.mark.spec("12")
def test_stored_shares_are_bounded(mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share_shelf, "SHARES_MAX", 3)
    users = [mesh.user(a, f"u{n}") for n in range(6)]
    for user in users:
        user.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(user, user.id))
    assert len(a.node._channel._shares) == 3


@pytest.mark.spec("12")
def test_key_questions_that_wait_are_bounded(
    mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "LOOKUPS_MAX", 3)
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    for n in range(6):
        b.say("USER_ADVERTISE", advert_of(an_id(f"u{n}"), b.id, None))
        alice.say("PUBKEY_REQUEST", {"user_id": an_id(f"u{n}")})
    assert alice.errors() == ["RATE_LIMITED"] * 3
    mesh.run(6)
    assert not a.node._directory._asking


@pytest.mark.spec("12")
def test_places_to_dial_are_bounded_and_dead_ones_make_room(
    mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialling, "TARGETS_MAX", 3)
    dials = a.node._dialling
    for n in range(6):
        dials.learn(HostPort("peer.example", 1000 + n), an_id(f"s{n}"))
    assert [t.address.port for t in dials._targets] == [1000, 1001, 1002]
    dials.failed(HostPort("peer.example", 1001), "refused", mesh.now())
    dials.learn(HostPort("peer.example", 2000), an_id("new"))
    assert [t.address.port for t in dials._targets] == [1000, 1002, 2000]


@pytest.mark.spec("12")
def test_a_server_has_one_learned_place_however_often_it_moves(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    for n in range(50):
        b.say("SERVER_ANNOUNCE", hello_of(b, port=7000 + n))
    assert [str(t.address) for t in a.node._dialling._targets] == ["peer.example:7049"]


@pytest.mark.spec("12")
@pytest.mark.threat("S1")
def test_links_that_end_leave_nothing_behind(mesh: Mesh, a: Server) -> None:
    node = a.node

    def sizes() -> tuple[int, ...]:
        return (
            len(node._links.all),
            len(node._links.users),
            len(node._links.servers),
            len(node._presence._online),
            len(node._presence._rolls),
            len(node._arrivals.newcomers),
            len(node._pairing.newcomers),
            len(node._directory._asking),
            len(node._delivery._pending),
            len(node._seen),
        )

    key = mesh.suite.generate()
    server_key = mesh.suite.generate()
    before = sizes()
    for _ in range(20):
        b = linked_server(mesh, a, "b", key=server_key)
        mesh.wall += 10
        bob, _ = advertise(b, "bob", server_key)
        b.say("USER_ADVERTISE", advert_of(an_id("keyless"), b.id, None))
        alice = mesh.user(a, "alice", key=key)
        alice.say("MSG_DIRECT", message(alice, bob), to=bob)
        alice.say("PUBKEY_REQUEST", {"user_id": an_id("keyless")})
        for peer in (alice, b, mesh.open_socket(a, "mute")):
            peer.drop()
    assert sizes()[:7] == before[:7]
    mesh.run(605)
    assert sizes() == before
    assert not node._seen._sources
