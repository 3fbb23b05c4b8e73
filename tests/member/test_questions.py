"""/list and /whois (section 6)."""

from __future__ import annotations

import pytest

from socp.member.effects import ListAnswered, WhoisAnswered
from socp.member.events import LookUp, RequestList
from tests.member.desk import Desk, an_id


@pytest.mark.spec("6")
def test_a_list_in_parts_is_one_sorted_answer() -> None:
    desk = Desk().attaches()
    ids = sorted(an_id(f"{n}") for n in range(5))
    desk.event(RequestList())
    assert len(desk.sent("LIST_REQUEST")) == 1
    desk.hears("USER_LIST", {"users": ids[3:], "more": True})
    assert desk.told(ListAnswered) == []
    desk.hears("USER_LIST", {"users": ids[:3]})
    assert desk.told(ListAnswered) == [ListAnswered(tuple(ids))]


@pytest.mark.spec("13")
def test_a_list_under_another_name_is_understood() -> None:
    desk = Desk(server_features=()).attaches()
    desk.event(RequestList())
    desk.hears("LIST_RESPONSE", {"online_users": [an_id("x"), "not an id"]})
    assert desk.told(ListAnswered) == [ListAnswered((an_id("x"),))]


@pytest.mark.spec("6")
@pytest.mark.parametrize("answer", ["silence", "unknown type", "lost link", "no link"])
def test_without_an_answer_the_list_is_what_we_know(answer: str) -> None:
    desk = Desk()
    if answer != "no link":
        desk.attaches()
        desk.friend("alice")
    desk.event(RequestList())
    if answer == "silence":
        desk.passes(6)
    elif answer == "unknown type":
        desk.hears("ERROR", {"code": "UNKNOWN_TYPE", "detail": "what"})
    elif answer == "lost link":
        desk.loses_the_link()
    assert len(desk.told(ListAnswered)) == 1


@pytest.mark.spec("6")
def test_whois_tells_the_pinned_key_at_once() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.event(LookUp(alice.id))
    (answer,) = desk.told(WhoisAnswered)
    assert answer.pubkey_fingerprint == alice.key.public.fingerprint
    assert answer.note == "online; pinned on first sight, not verified"


@pytest.mark.spec("6")
def test_whois_of_a_stranger_asks_the_directory() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", online=False)
    desk.event(LookUp(alice.id))
    assert desk.told(WhoisAnswered) == []
    answer = {"user_id": alice.id, "pubkey": alice.key.public.text}
    desk.hears("PUBKEY_RESPONSE", answer)
    assert desk.told(WhoisAnswered)[0].pubkey_fingerprint == alice.key.public.fingerprint


@pytest.mark.spec("6")
def test_whois_of_nobody_says_so() -> None:
    desk = Desk().attaches()
    user_id = an_id("nobody")
    desk.event(LookUp(user_id))
    desk.hears("ERROR", {"code": "USER_NOT_FOUND", "detail": "no", "user_id": user_id})
    assert desk.told(WhoisAnswered) == [
        WhoisAnswered(user_id, "", "nobody knows a key for them; check the id")
    ]


@pytest.mark.threat("I9")
def test_whois_tells_of_a_key_that_was_refused() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    other = desk.suite.generate()
    desk.wall += 1
    desk.hears("USER_ADVERTISE", desk.advert(alice, key=other), to="*")
    desk.event(LookUp(alice.id))
    assert f"refused ({other.public.fingerprint[:16]})" in desk.told(WhoisAnswered)[0].note
