"""`presence/1` in our client: whom it asks to hear of, and what it shows (section 11)."""

from __future__ import annotations

import pytest

from socp.member.effects import ListAnswered, PeerMoved
from socp.member.events import RequestList, Say
from socp.wire.features import PRESENCE
from tests.member.desk import WITH_MAILBOX, Desk, Friend, an_id

WATCHES = (*WITH_MAILBOX, PRESENCE)
WATCHED_MAX = 1_000
CROWD, OTHERS = 300, 100


def desk(server_features: tuple[str, ...] = WATCHES) -> Desk:
    return Desk(server_features=server_features).attaches()


def watched(one: Desk) -> list[set[object]]:
    """The lists it sent, in order."""
    lists = [envelope.members["users"] for envelope in one.sent("PRESENCE_WATCH")]
    return [set(each) for each in lists if isinstance(each, list)]


def pages(one: Desk) -> list[tuple[object, object]]:
    asked = [envelope.members for envelope in one.sent("LIST_REQUEST")]
    return [(members.get("after", ""), members.get("limit")) for members in asked]


def lists(one: Desk, *user_ids: str, more: bool = False) -> None:
    one.hears("USER_LIST", {"users": list(user_ids), "more": more})


def crowd(one: Desk, *user_ids: str, online: int, hybrid: int = 0, content: int = 0) -> None:
    """A page of those who are online, and what is known of all of them."""
    everybody = {"online": online, "hybrid": hybrid, "content": content}
    one.hears("USER_LIST", {"users": list(user_ids), "more": True, "everybody": everybody})


@pytest.mark.spec("11")
def test_it_asks_who_is_there_and_hears_of_all_of_them() -> None:
    one = desk()
    assert pages(one) == [("", CROWD)]
    assert watched(one) == []
    alice, bob = sorted((an_id("alice"), an_id("bob")))
    lists(one, alice, one.id, bob)
    assert watched(one) == [{alice, bob}]
    one.passes(1)
    assert len(pages(one)) == 1


@pytest.mark.spec("11")
def test_in_a_crowd_it_hears_of_some_whose_ids_follow_its_own() -> None:
    one = desk()
    crowd(one, *(an_id(f"u{n}") for n in range(CROWD)), online=301)
    assert watched(one) == []
    assert pages(one)[1:] == [(one.id, OTHERS)]
    some = [an_id(f"v{n}") for n in range(OTHERS)]
    crowd(one, *some, online=301)
    assert watched(one) == [set(some)]
    one.passes(59, tick_ms=1_000)
    assert len(pages(one)) == 2
    one.passes(2, tick_ms=1_000)
    assert pages(one)[2:] == [(one.id, OTHERS)]


@pytest.mark.spec("11")
def test_when_the_crowd_is_gone_it_hears_of_all_again() -> None:
    one = desk()
    crowd(one, online=301)
    crowd(one, an_id("alice"), online=301)
    one.passes(61, tick_ms=1_000)
    crowd(one, an_id("alice"), online=251)  # neither many nor few: as it was
    one.passes(60, tick_ms=1_000)
    assert pages(one)[2:] == [(one.id, OTHERS)] * 2
    crowd(one, an_id("alice"), online=250)
    assert pages(one)[4:] == [("", CROWD)]
    lists(one, an_id("alice"), an_id("bob"))
    assert watched(one)[-1] == {an_id("alice"), an_id("bob")}


@pytest.mark.spec("11")
def test_a_server_that_does_not_say_how_many_are_online_is_asked_once() -> None:
    one = desk()
    lists(one, *(an_id(f"u{n}") for n in range(CROWD)), more=True)
    lists(one, an_id("alice"))
    assert len(pages(one)) == 2
    assert watched(one) == [{an_id("alice")}]


@pytest.mark.spec("11")
def test_who_was_met_before_is_watched_at_once_and_on_every_link() -> None:
    one = desk()
    alice = one.friend("alice")
    one.loses_the_link()
    before = len(watched(one))
    one.attaches()
    assert watched(one)[before:] == [{alice.id}]
    assert one.sent("PRESENCE_WATCH")[-1].members["users"] == [alice.id]


@pytest.mark.spec("11")
@pytest.mark.parametrize("server_features", [(), WITH_MAILBOX])
def test_a_server_without_it_is_asked_nothing(server_features: tuple[str, ...]) -> None:
    one = desk(server_features)
    one.friend("alice")
    one.event(Say(an_id("bob"), "hello"))
    one.passes(700)
    assert not one.sent("PRESENCE_WATCH")
    assert not one.sent("LIST_REQUEST")


@pytest.mark.spec("11")
def test_whom_the_person_writes_to_is_watched_within_a_moment() -> None:
    one = desk()
    one.event(Say(an_id("bob"), "hello"))
    one.passes(0.5)
    assert watched(one) == [{an_id("bob")}]
    assert one.sent("PUBKEY_REQUEST")[-1].members["user_id"] == an_id("bob")


@pytest.mark.spec("11")
def test_newcomers_of_the_channel_are_watched_as_they_come() -> None:
    one = desk()
    names = [an_id("bob"), an_id("carol")]
    one.hears("PUBLIC_CHANNEL_ADD", {"add": [*names, one.id], "if_version": 0}, to="*")
    one.passes(0.5)
    assert watched(one) == [set(names)]
    bob = one.friend("bob")
    assert [notice.user_id for notice in one.told(PeerMoved)] == [bob.id]


@pytest.mark.spec("11")
def test_many_changes_are_told_together() -> None:
    one = desk()
    lists(one)
    for n in range(50):
        one.event(Say(an_id(f"u{n}"), "hello"))
    one.passes(1)
    assert len(watched(one)) <= 20
    assert len(watched(one)[-1]) == 50


@pytest.mark.spec("11")
@pytest.mark.threat("S5")
def test_no_more_are_watched_than_may_be_and_those_dealt_with_stay() -> None:
    one = desk()
    bob = Friend(one, "bob", one.suite.generate(), ())
    one.event(Say(bob.id, "hello"))
    many = [an_id(f"u{n}") for n in range(1_500)]
    lists(one, *many[:1_200])
    one.passes(10)
    assert len(watched(one)[-1]) == WATCHED_MAX
    assert bob.id in watched(one)[-1]
    one.hears("PUBLIC_CHANNEL_ADD", {"add": many[1_000:], "if_version": 0}, to="*")
    one.passes(60)
    assert len(watched(one)[-1]) == WATCHED_MAX
    assert {bob.id, *many[1_000:]} <= watched(one)[-1]


@pytest.mark.spec("11")
def test_who_is_not_watched_any_more_is_away_for_us() -> None:
    one = desk()
    alice = one.friend("alice", v13=True)
    assert one.member.contacts.is_online(alice.id)
    one.hears(
        "PUBLIC_CHANNEL_ADD",
        {"add": [an_id(f"u{n}") for n in range(1_200)], "if_version": 0},
        to="*",
    )
    assert not one.member.contacts.is_online(alice.id)
    assert [notice.online for notice in one.told(PeerMoved)] == [True, False]


@pytest.mark.spec("6")
def test_a_list_for_the_person_is_whole_though_pages_are_on_their_way() -> None:
    one = desk()
    one.event(RequestList())
    assert pages(one) == [("", CROWD), ("", None)]
    alice, bob, carol = sorted(an_id(name) for name in ("alice", "bob", "carol"))
    lists(one, alice)
    lists(one, alice, bob, more=True)
    lists(one, carol)
    one.passes(2)  # nobody says whether they are here
    assert one.told(ListAnswered) == [ListAnswered((alice, bob, carol))]


@pytest.mark.spec("11")
def test_a_list_for_the_person_is_shown_when_it_is_known_who_of_them_is_here() -> None:
    one = desk()
    lists(one)
    one.event(RequestList())
    lists(one, one.id, an_id("alice"), an_id("bob"))
    alice = one.friend("alice")
    assert one.member.contacts.is_online(alice.id)
    assert not one.told(ListAnswered)
    bob = Friend(one, "bob", one.suite.generate())
    one.goes(bob)
    assert one.told(ListAnswered) == [ListAnswered(tuple(sorted((one.id, alice.id, bob.id))))]


@pytest.mark.spec("11")
def test_a_list_is_shown_at_once_where_all_of_them_are_watched_already() -> None:
    one = desk()
    lists(one, an_id("alice"))
    alice = one.friend("alice")
    one.event(RequestList())
    lists(one, alice.id)
    assert one.told(ListAnswered) == [ListAnswered((alice.id,))]


@pytest.mark.spec("11")
def test_it_looks_around_again_now_and_then() -> None:
    one = desk()
    lists(one)
    one.passes(3)
    assert len(pages(one)) == 2
    lists(one, an_id("late"))
    assert watched(one) == [{an_id("late")}]


@pytest.mark.spec("11")
def test_where_nobody_came_or_left_it_is_not_told_again_who_is_there() -> None:
    one = desk()
    alice = an_id("alice")
    everybody = {"online": 2, "hybrid": 2, "content": 2, "digest": "one"}
    one.hears("USER_LIST", {"users": [alice, one.id], "everybody": everybody})
    one.passes(16)
    assert [e.members.get("unless") for e in one.sent("LIST_REQUEST")] == [None, "one"]
    one.hears("USER_LIST", {"users": [], "everybody": everybody})
    assert watched(one) == [{alice}]
    one.passes(16)
    one.hears("USER_LIST", {"users": [alice, one.id, an_id("bob")]})
    assert watched(one)[-1] == {alice, an_id("bob")}


def test_it_does_not_look_again_while_a_page_is_on_its_way_but_for_15_s() -> None:
    one = desk()
    one.passes(14, tick_ms=1_000)
    assert len(pages(one)) == 1
    one.passes(2, tick_ms=1_000)
    assert len(pages(one)) == 2


@pytest.mark.spec("11")
def test_it_looks_around_less_often_where_many_are_watched() -> None:
    one = desk()
    lists(one, *(an_id(f"u{n}") for n in range(500)))
    one.passes(140, tick_ms=1_000)
    assert len(pages(one)) == 1
    one.passes(20, tick_ms=1_000)
    assert len(pages(one)) == 2


@pytest.mark.spec("11")
@pytest.mark.threat("S11")
def test_where_the_server_has_no_room_for_so_many_it_asks_for_half_of_them() -> None:
    one = desk()
    lists(one, *(an_id(f"u{n}") for n in range(200)))
    full = {"code": "RATE_LIMITED", "detail": "", "msg_ref": "PRESENCE_WATCH"}
    for most in (200, 100, 50, 32):
        assert len(watched(one)[-1]) == most
        one.hears("ERROR", full)
        one.passes(10)
    assert len(watched(one)) == 4, "so few are refused where nothing is taken"
    one.loses_the_link()
    one.attaches()
    lists(one, *(an_id(f"u{n}") for n in range(200)))
    one.passes(2)
    assert len(watched(one)[-1]) == 200, "another server may have more room"
