"""Who is told that somebody lacks the channel's key, where many are online (section 7)."""

from __future__ import annotations

import pytest

from socp.crypto.keys import PrivateKey
from socp.node import public_channel
from socp.wire.features import GOSSIP, PRESENCE
from tests.node.cast import advertise, linked_server, share_of
from tests.node.mesh import USER_FEATURES, Mesh, Peer, Server, an_id

WATCHES = (*USER_FEATURES, PRESENCE)
GOSSIPS = ("link-auth/1", "bind/1", GOSSIP)
FEW = 250


def watcher(mesh: Mesh, server: Server, name: str) -> Peer:
    return mesh.user(server, name, features=WATCHES)


def turns(peer: Peer, newcomer: Peer | None = None) -> list[object]:
    """Our place in line, as each ADD (for the newcomer) that came said it; None of one that went to
    everybody."""
    adds = peer.members("PUBLIC_CHANNEL_ADD")
    return [m.get("turn") for m in adds if newcomer is None or m["add"] == [newcomer.id]]


def all_turns(people: list[Peer], newcomer: Peer) -> list[object]:
    return sorted((turn for peer in people for turn in turns(peer, newcomer)), key=str)


def crowd(mesh: Mesh, server: Server, features: tuple[str, ...] = GOSSIPS) -> Peer:
    """Another server, so many users of which are online that not all can hear of all."""
    peer = linked_server(mesh, server, "b", features=features)
    key = mesh.suite.generate()
    for n in range(FEW):
        advertise(peer, f"u{n}", key)
    peer.clear()
    return peer


def with_a_key(people: list[Peer], author: Peer) -> None:
    author.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(author, *(peer.id for peer in people)))
    author.mesh.run(10)  # a new version is asked for once more after 5 s
    for peer in (author, *people):
        peer.clear()


@pytest.mark.spec("7")
def test_where_few_are_online_all_hear_of_a_newcomer_and_that_they_were_served(
    mesh: Mesh, a: Server
) -> None:
    people = [watcher(mesh, a, f"w{n}") for n in range(5)]
    with_a_key(people[1:], people[0])
    newcomer = watcher(mesh, a, "newcomer")
    assert [turns(peer) for peer in people] == [[None]] * 5
    people[0].say("PUBLIC_CHANNEL_KEY_SHARE", share_of(people[0], newcomer.id))
    assert all(peer.said("PUBLIC_CHANNEL_UPDATED") for peer in people)


@pytest.mark.spec("7")
def test_where_many_are_online_one_who_has_the_key_is_told_and_then_more(
    mesh: Mesh, a: Server
) -> None:
    crowd(mesh, a)
    people = [watcher(mesh, a, f"w{n}") for n in range(8)]
    with_a_key(people[1:7], people[0])
    people[7].clear()
    newcomer = watcher(mesh, a, "newcomer")
    mesh.run(0.25)
    assert turns(newcomer) == [None]
    told = [peer for peer in people if turns(peer)]
    assert [turns(peer) for peer in told] == [[0]]
    assert told[0] in people[1:7]  # of the others the server does not know that they have it
    mesh.run(1.8)
    assert all_turns(people, newcomer) == [0, 0]
    mesh.run(1.5)
    assert all_turns(people, newcomer) == [0, 0, 0, 1]
    told[0].say("PUBLIC_CHANNEL_KEY_SHARE", share_of(told[0], newcomer.id))
    mesh.run(10)
    named = [peer for peer in people if turns(peer, newcomer)]
    assert len(named) == 4
    assert all(peer.said("PUBLIC_CHANNEL_UPDATED") for peer in named)
    hears_too = (people[0], people[7])  # they lack it themselves, as far as the server knows
    others = [peer for peer in people if peer not in (*named, *hears_too)]
    assert others
    assert not any(peer.said("PUBLIC_CHANNEL_UPDATED") for peer in others)


@pytest.mark.spec("7")
@pytest.mark.parametrize(("away_s", "told"), [(20, [0]), (62, [])], ids=["soon", "too late"])
def test_where_many_are_online_who_has_the_key_is_told_when_they_come_for_a_minute(
    mesh: Mesh, a: Server, away_s: int, told: list[int]
) -> None:
    crowd(mesh, a)
    old = mesh.user(a, "old", features=())
    holder = watcher(mesh, a, "w")
    with_a_key([holder], old)
    holder.drop()
    newcomer = watcher(mesh, a, "newcomer")
    mesh.run(away_s)
    back = mesh.user(a, "w", key=holder.key, features=WATCHES)
    mesh.run(1.5)
    assert turns(back, newcomer) == told


@pytest.mark.spec("7")
def test_where_many_are_online_those_who_come_in_a_tick_are_named_in_one_frame(
    mesh: Mesh, a: Server
) -> None:
    crowd(mesh, a)
    old = mesh.user(a, "old", features=())
    holder = watcher(mesh, a, "w")
    with_a_key([holder], old)
    came = [watcher(mesh, a, f"n{n}") for n in range(5)]
    came.pop().drop()
    old.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(old, came[0].id))
    mesh.run(0.25)
    lacking = sorted(peer.id for peer in came[1:])
    for peer in (old, holder):
        assert [m["add"] for m in peer.members("PUBLIC_CHANNEL_ADD")] == [lacking]


@pytest.mark.spec("7")
def test_who_has_no_presence_1_hears_of_every_newcomer_as_ever(mesh: Mesh, a: Server) -> None:
    crowd(mesh, a)
    old, watching = mesh.user(a, "old", features=()), watcher(mesh, a, "w")
    with_a_key([watching], old)
    newcomer = watcher(mesh, a, "newcomer")
    mesh.run(0.25)
    old.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(old, newcomer.id))
    assert turns(old) == [None]
    assert old.said("PUBLIC_CHANNEL_UPDATED")


@pytest.mark.spec("7")
def test_another_servers_newcomer_is_named_here_when_nobody_served_them_there(
    mesh: Mesh, a: Server
) -> None:
    b = crowd(mesh, a)
    people = [watcher(mesh, a, f"w{n}") for n in range(3)]
    with_a_key(people[1:], people[0])
    served, unserved = an_id("u1"), an_id("u2")
    for user_id in (served, unserved):
        b.say("PUBLIC_CHANNEL_ADD", {"add": [user_id], "if_version": 1}, to="*")
    wraps = [{"member_id": served, "wrapped_key": "c2VhbGVk"}]
    b.say("PUBLIC_CHANNEL_UPDATED", {"version": 1, "wraps": wraps}, to="*")
    assert not any(turns(peer) for peer in people)
    mesh.run(2)
    named = [m["add"] for peer in people for m in peer.members("PUBLIC_CHANNEL_ADD")]
    assert [served] not in named
    assert named.count([unserved]) == 1


@pytest.mark.spec("7")
def test_a_new_version_is_told_to_all(mesh: Mesh, a: Server) -> None:
    b = crowd(mesh, a)
    people = [watcher(mesh, a, f"w{n}") for n in range(4)]
    author = people.pop(0)
    with_a_key(people, author)
    b.say("PUBLIC_CHANNEL_UPDATED", {"version": 3, "wraps": []}, to="*")
    assert [peer.members("PUBLIC_CHANNEL_UPDATED")[0]["version"] for peer in people] == [3] * 3
    b.say("PUBLIC_CHANNEL_UPDATED", {"version": 2, "wraps": []}, to="*")
    assert [len(peer.said("PUBLIC_CHANNEL_UPDATED")) for peer in people] == [1] * 3


# --- between servers ------------------------------------------------------------------------------


def holders(mesh: Mesh, server: Server) -> tuple[Peer, Peer]:
    """Two users, one of whom was given the key by the other."""
    alice, bob = watcher(mesh, server, "alice"), watcher(mesh, server, "bob")
    alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, alice.id, bob.id))
    return alice, bob


@pytest.mark.spec("7")
def test_a_server_that_knows_the_same_key_is_not_told_of_who_has_it(mesh: Mesh, a: Server) -> None:
    holders(mesh, a)
    b = linked_server(mesh, a, "b", features=GOSSIPS)
    (said,) = b.members("PUBLIC_CHANNEL_UPDATED")
    b.say("PUBLIC_CHANNEL_UPDATED", {"version": 1, "wraps": [], "keys": said["keys"]}, to=a.id)
    assert not b.said("PUBLIC_CHANNEL_ADD")
    carol = watcher(mesh, a, "carol")
    c = linked_server(mesh, a, "c", features=GOSSIPS, port=9010)
    assert c.members("PUBLIC_CHANNEL_ADD")[0]["add"] == [carol.id]


@pytest.mark.spec("7")
def test_a_server_that_knows_another_key_is_told_of_everybody(mesh: Mesh, a: Server) -> None:
    alice, bob = holders(mesh, a)
    b = linked_server(mesh, a, "b", features=GOSSIPS)
    b.say("PUBLIC_CHANNEL_UPDATED", {"version": 1, "wraps": [], "keys": ["b3RoZXI"]}, to=a.id)
    assert b.members("PUBLIC_CHANNEL_ADD")[0]["add"] == sorted((alice.id, bob.id))


@pytest.mark.spec("7")
def test_a_server_without_gossip_1_is_told_of_everybody_at_once(mesh: Mesh, a: Server) -> None:
    alice, bob = holders(mesh, a)
    b = linked_server(mesh, a, "b")
    assert b.members("PUBLIC_CHANNEL_ADD")[0]["add"] == sorted((alice.id, bob.id))
    assert "keys" not in b.members("PUBLIC_CHANNEL_UPDATED")[0]


@pytest.mark.spec("7")
@pytest.mark.threat("S6")
def test_so_many_keys_are_said_as_fit_and_where_there_are_more_none(
    mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_channel, "KEYS_SAID", 2)
    alice = watcher(mesh, a, "alice")
    for n, said in enumerate((1, 2, 0)):
        share = share_of(alice, alice.id)
        alice.say("PUBLIC_CHANNEL_KEY_SHARE", {**share, "channel_pub": f"key {n}"})
        b = linked_server(mesh, a, f"b{n}", features=GOSSIPS, port=9010 + n)
        keys = b.members("PUBLIC_CHANNEL_UPDATED")[0].get("keys", [])
        assert isinstance(keys, list)
        assert len(keys) == said


@pytest.mark.spec("7")
def test_which_version_stands_at_the_other_end_of_a_new_link_goes_no_further_unless_it_is_news(
    mesh: Mesh, a: Server
) -> None:
    holders(mesh, a)
    b = linked_server(mesh, a, "b", features=GOSSIPS)
    c = linked_server(mesh, a, "c", port=9010)
    for version in (1, 2):
        c.clear()
        b.say("PUBLIC_CHANNEL_UPDATED", {"version": version, "wraps": [], "keys": []}, to=a.id)
        assert len(c.said("PUBLIC_CHANNEL_UPDATED")) == version - 1


@pytest.mark.spec("11")
def test_who_lacks_a_key_waits_on_a_new_link_as_presence_does(mesh: Mesh, a: Server) -> None:
    c = linked_server(mesh, a, "c", features=GOSSIPS, port=9010)
    mesh.run(6)
    b = linked_server(mesh, a, "b", features=GOSSIPS)
    b.say("PUBLIC_CHANNEL_ADD", {"add": [an_id("x")], "if_version": 0}, to="*")
    assert not c.said("PUBLIC_CHANNEL_ADD")
    mesh.run(5.3)
    assert len(c.said("PUBLIC_CHANNEL_ADD")) == 1


@pytest.mark.spec("11")
def test_what_is_said_of_keys_is_not_passed_on_to_who_hears_it_from_its_origin(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b", features=GOSSIPS)
    c = linked_server(mesh, a, "c", features=GOSSIPS, port=9010)
    mesh.run(6)
    add = {"add": [an_id("x")], "if_version": 0}
    b.say("PUBLIC_CHANNEL_ADD", add, to="*")
    assert len(c.said("PUBLIC_CHANNEL_ADD")) == 1
    c.say("HEARTBEAT", {"links": [a.id, b.id]}, to=a.id)
    mesh.run(0.1)
    b.say("PUBLIC_CHANNEL_ADD", add, to="*")
    assert len(c.said("PUBLIC_CHANNEL_ADD")) == 1


# --- the list -------------------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_a_page_tells_how_many_are_online_and_how_many_signed_what(mesh: Mesh, a: Server) -> None:
    wendy = watcher(mesh, a, "wendy")
    mesh.user(a, "old", features=())
    key: PrivateKey = mesh.suite.generate()
    b = linked_server(mesh, a, "b")
    advertise(b, "elsewhere", key)
    wendy.say("LIST_REQUEST", {"after": "", "limit": 1})
    (page,) = wendy.members("USER_LIST")
    assert page["more"] is True
    signs = {name: int(f"{name}/1" in WATCHES) for name in ("hybrid", "content")}
    everybody = page["everybody"]
    assert isinstance(everybody, dict)
    digest = everybody.pop("digest")
    assert everybody == {"online": 3, **signs}
    wendy.clear()
    wendy.say("LIST_REQUEST", {"after": "", "limit": 5, "unless": digest})
    mesh.user(a, "late")
    wendy.say("LIST_REQUEST", {"after": "", "limit": 5, "unless": digest})
    answers = [len(page["users"]) for page in wendy.members("USER_LIST")]  # type: ignore[arg-type]
    assert answers == [0, 4]
    wendy.clear()
    wendy.say("LIST_REQUEST", {})
    assert all("everybody" not in part for part in wendy.members("USER_LIST"))
