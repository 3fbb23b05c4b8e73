"""S6: a server that lies about who lacks the key of the public channel, who was given one, and
which ones it knows: others' users do not starve, ghosts are not served, nor do all answer at once.
"""

from __future__ import annotations

import pytest

from socp.channel import waits
from socp.wire.features import GOSSIP, PRESENCE
from tests.member.desk import WITH_MAILBOX, Desk
from tests.member.test_public import with_key
from tests.node.cast import advertise, linked_server, share_of
from tests.node.mesh import USER_FEATURES, Mesh, Peer, Server, an_id

GOSSIPS = ("link-auth/1", "bind/1", GOSSIP)
CROWD = 300
WATCHES = (*USER_FEATURES, PRESENCE)


@pytest.fixture
def mesh() -> Mesh:
    return Mesh()


@pytest.fixture
def a(mesh: Mesh) -> Server:
    return mesh.server("a")


def liar(mesh: Mesh, a: Server) -> Peer:
    """A server with so many users that not all hear of all."""
    b = linked_server(mesh, a, "b", features=GOSSIPS)
    key = mesh.suite.generate()
    for number in range(CROWD):
        advertise(b, f"u{number}", key)
    return b


def watchers(mesh: Mesh, a: Server, count: int) -> list[Peer]:
    """Users who have the key of the first one, and whom nobody else is named to yet."""
    people = [mesh.user(a, f"w{number}", features=WATCHES) for number in range(count)]
    share = share_of(people[0], *(peer.id for peer in people))
    people[0].say("PUBLIC_CHANNEL_KEY_SHARE", share)
    mesh.run(10)
    for peer in people:
        peer.clear()
    return people


def named(people: list[Peer]) -> list[object]:
    """Who was named to these as lacking the key, one list for each time."""
    return [m["add"] for peer in people for m in peer.members("PUBLIC_CHANNEL_ADD")]


def lacks(b: Peer, *user_ids: str, turn: int | None = None) -> None:
    add: dict[str, object] = {"add": list(user_ids), "if_version": 1}
    b.say("PUBLIC_CHANNEL_ADD", add if turn is None else {**add, "turn": turn}, to="*")


@pytest.mark.spec("7")
@pytest.mark.threat("S6")
def test_that_ours_was_given_a_key_is_not_anothers_to_say(mesh: Mesh, a: Server) -> None:
    b = liar(mesh, a)
    people = watchers(mesh, a, 8)
    newcomer = mesh.user(a, "newcomer", features=WATCHES)
    for _ in range(4):
        wraps = [{"member_id": newcomer.id, "wrapped_key": "bGllcw"}]
        b.say("PUBLIC_CHANNEL_UPDATED", {"version": 1, "wraps": wraps}, to="*")
        mesh.run(1.5)
    assert named(people).count([newcomer.id]) == 8


@pytest.mark.spec("7")
@pytest.mark.threat("S6")
def test_nobody_is_asked_for_users_that_a_server_does_not_have(mesh: Mesh, a: Server) -> None:
    b = liar(mesh, a)
    people = watchers(mesh, a, 3)
    lacks(b, an_id("nobody"), people[0].id)
    mesh.run(30)
    assert named(people) == []
    lacks(b, an_id("nobody"), an_id("u1"))
    mesh.run(3)
    assert named(people)[:1] == [[an_id("u1")]]


@pytest.mark.spec("7")
@pytest.mark.threat("S6")
def test_a_server_is_answered_at_a_pace_however_many_it_names(mesh: Mesh, a: Server) -> None:
    b = liar(mesh, a)
    people = watchers(mesh, a, 50)
    for number in range(100):
        lacks(b, an_id(f"u{number}"))
    mesh.run(10)
    assert 20 <= len(named(people)) <= 42
    lacks(b, *(an_id(f"u{number}") for number in range(CROWD)), *map(an_id, map(str, range(9_000))))
    mesh.run(60)
    assert max(len(m) for m in named(people) if isinstance(m, list)) <= 500


@pytest.mark.spec("7")
@pytest.mark.threat("S6")
def test_who_never_answers_keeps_no_newcomer_from_the_others(mesh: Mesh, a: Server) -> None:
    liar(mesh, a)
    people = watchers(mesh, a, 100)
    newcomer = mesh.user(a, "newcomer", features=WATCHES)
    mesh.run(20)
    told = [peer for peer in people if peer.said("PUBLIC_CHANNEL_ADD")]
    assert len(told) > 80
    assert named(people) == [[newcomer.id]] * len(told)


@pytest.mark.spec("7")
@pytest.mark.threat("S5", "S6")
def test_names_without_end_push_none_of_ours_out(mesh: Mesh, a: Server) -> None:
    b = liar(mesh, a)
    people = watchers(mesh, a, 8)
    newcomer = mesh.user(a, "newcomer", features=WATCHES)
    for start in range(0, 20_000, 5_000):
        lacks(b, *(an_id(f"ghost {start + number}") for number in range(5_000)))
    mesh.run(8)
    assert named(people) == [[newcomer.id]] * 8


@pytest.mark.spec("7")
@pytest.mark.threat("S6")
def test_what_a_server_says_of_its_keys_is_answered_once(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice", features=WATCHES)
    alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, alice.id))
    b = linked_server(mesh, a, "b", features=GOSSIPS)
    for number in range(20):
        keys = [f"a2V5{number:04}"]
        said: dict[str, object] = {"version": 1, "wraps": [], "keys": keys}
        b.say("PUBLIC_CHANNEL_UPDATED", said, to=a.id)
    assert [m["add"] for m in b.members("PUBLIC_CHANNEL_ADD")] == [[alice.id]]


@pytest.mark.spec("7")
@pytest.mark.threat("S6")
def test_keys_that_a_member_makes_up_do_not_pass_for_those_of_another_half(
    mesh: Mesh, a: Server
) -> None:
    mallory = mesh.user(a, "mallory", features=WATCHES)
    for number in range(9):
        said = {**share_of(mallory, mallory.id), "channel_pub": f"bWFkZSB1cA{number:02}"}
        mallory.say("PUBLIC_CHANNEL_KEY_SHARE", said)
    b = linked_server(mesh, a, "b", features=GOSSIPS)
    assert "keys" not in b.members("PUBLIC_CHANNEL_UPDATED")[0]
    assert b.members("PUBLIC_CHANNEL_ADD")[0]["add"] == [mallory.id]


# --- at a client ----------------------------------------------------------------------------------


def crowded(desk: Desk, online: int) -> None:
    everybody = {"online": online, "hybrid": 0, "content": 0, "digest": str(online)}
    desk.hears("USER_LIST", {"users": [], "more": True, "everybody": everybody})


@pytest.mark.spec("7")
@pytest.mark.threat("S6")
@pytest.mark.parametrize("case", ["to all", "by another", "by ours"])
def test_only_our_own_server_says_to_us_alone_that_it_is_our_turn(case: str) -> None:
    desk = Desk(server_features=(*WITH_MAILBOX, PRESENCE)).attaches()
    with_key(desk)
    friends = [desk.friend(f"f{number}").id for number in range(40)]
    desk.passes(70, tick_ms=1_000)
    before = len(desk.sent("PUBLIC_CHANNEL_KEY_SHARE"))
    late = next(each for each in friends if waits.holder_rank(each, desk.id, friends) > 5)
    add: dict[str, object] = {"add": [late], "if_version": 1, "turn": 0}
    if case == "by another":
        other = desk.suite.generate()
        desk.hears("PUBLIC_CHANNEL_ADD", add, from_=an_id("another"), key=other)
    else:
        desk.hears("PUBLIC_CHANNEL_ADD", add, to="*" if case == "to all" else "")
    desk.passes(0.4)
    answered = len(desk.sent("PUBLIC_CHANNEL_KEY_SHARE")) > before
    assert answered is (case == "by ours")


@pytest.mark.spec("7")
@pytest.mark.threat("S6")
def test_our_turn_gives_a_key_to_nobody_who_would_not_get_it_else() -> None:
    desk = Desk(server_features=(*WITH_MAILBOX, PRESENCE)).attaches()
    with_key(desk)
    alice = desk.friend("alice")
    desk.goes(alice)
    desk.passes(30, tick_ms=1_000)
    before = len(desk.sent("PUBLIC_CHANNEL_KEY_SHARE"))
    for name in (alice.id, an_id("nobody"), desk.id):
        desk.hears("PUBLIC_CHANNEL_ADD", {"add": [name], "if_version": 1, "turn": 0})
    desk.passes(30, tick_ms=1_000)
    assert len(desk.sent("PUBLIC_CHANNEL_KEY_SHARE")) == before


@pytest.mark.spec("11")
@pytest.mark.threat("S6")
def test_a_server_that_counts_to_and_fro_does_not_have_us_ask_in_circles() -> None:
    desk = Desk(server_features=(*WITH_MAILBOX, PRESENCE)).attaches()
    for online in (301, 250) * 20:
        crowded(desk, online)
        desk.passes(0.1)
    assert len(desk.sent("LIST_REQUEST")) <= 4
