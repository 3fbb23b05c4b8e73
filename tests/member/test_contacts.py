"""What people are called (section 10; threat I8)."""

from __future__ import annotations

import pytest

from socp.member.contacts import fold, harmless
from tests.member.desk import Desk, an_id


def named(desk: Desk, who: str, name: str) -> str:
    friend = desk.friend(who, online=False)
    desk.hears("USER_ADVERTISE", desk.advert(friend, name=name), to="*")
    return friend.id


@pytest.mark.spec("10")
def test_a_label_is_the_display_name_or_the_start_of_the_id() -> None:
    desk = Desk().attaches()
    alice = named(desk, "alice", "Alice")
    nameless = named(desk, "x", "")
    assert desk.member.contacts.label(alice) == "Alice"
    assert desk.member.contacts.label(nameless) == nameless[:8]
    assert desk.member.contacts.label(an_id("never heard of")) == an_id("never heard of")[:8]


@pytest.mark.threat("I8")
def test_two_who_show_one_name_are_told_apart() -> None:
    desk = Desk().attaches()
    one, two = named(desk, "1", "Alice"), named(desk, "2", "ａlice")
    book = desk.member.contacts
    assert book.label(one) == f"Alice#{one[:8]}"
    assert book.label(two) == f"ａlice#{two[:8]}"
    assert book.resolve("alice") == sorted([one, two])
    assert book.resolve(f"alice#{two[:8]}") == [two]


@pytest.mark.threat("I8")
@pytest.mark.parametrize(
    "twin", ["bob\ufe0f", "b\U000e0100ob", "bo\u180bb"], ids=["emoji", "ideograph", "mongolian"]
)
def test_what_shows_as_nothing_tells_no_names_apart(twin: str) -> None:
    desk = Desk().attaches()
    one, two = named(desk, "1", "bob"), named(desk, "2", twin)
    book = desk.member.contacts
    assert book.label(one).endswith(f"#{one[:8]}")
    assert book.label(two).endswith(f"#{two[:8]}")
    assert book.resolve("bob") == sorted([one, two])


@pytest.mark.threat("I8")
@pytest.mark.parametrize(
    "name", ["all", "Public", "you", "deadbeef", "p\u0430ypal", "bob#1234", "me"]
)
def test_a_name_that_could_stand_for_something_else_carries_its_id(name: str) -> None:
    desk = Desk().attaches()
    user_id = named(desk, "x", name)
    assert desk.member.contacts.label(user_id).endswith(f"#{user_id[:8]}")


@pytest.mark.threat("I8")
def test_control_characters_of_a_name_never_reach_anybody() -> None:
    desk = Desk().attaches()
    user_id = named(desk, "x", "\x1b[2Jal\u202eice\n\rroot")
    book = desk.member.contacts
    for shown in (book.label(user_id), *book.names(), book.members()[0].label):
        assert shown.isprintable()
        assert "\u202e" not in shown


@pytest.mark.spec("10")
def test_people_are_found_by_name_id_and_the_start_of_an_id() -> None:
    desk = Desk().attaches()
    ada = named(desk, "ada", "Ada Lovelace")
    book = desk.member.contacts
    for typed in ("Ada Lovelace", "ada_lovelace", "ADA  LOVELACE", ada, ada[:6]):
        assert book.resolve(typed) == [ada]
    assert book.resolve("nobody") == []
    assert book.names() == ["Ada_Lovelace"]
    assert book.resolve(book.names()[0]) == [ada]


@pytest.mark.spec("7")
def test_members_are_listed_with_when_they_were_first_seen_those_online_first() -> None:
    desk = Desk().attaches()
    alice, bob = desk.friend("alice"), desk.friend("bob")
    desk.goes(alice)
    people = desk.member.contacts.members()
    assert [(p.label, p.online) for p in people] == [("bob", True), ("alice", False)]
    assert all(p.first_seen_ms > 0 and p.hybrid for p in people)
    assert people[0].fingerprint == bob.key.public.fingerprint


@pytest.mark.threat("I8")
def test_long_names_are_cut_and_white_space_is_one_space() -> None:
    assert len(harmless("x" * 200)) == 32
    assert harmless("a \t b") == "a ␉ b"
    assert fold("A  b_C") == "a_b_c"
