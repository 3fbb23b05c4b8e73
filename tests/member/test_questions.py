"""/list and /whois (section 6)."""

from __future__ import annotations

import pytest

from socp.crypto import rotation
from socp.member import lookups
from socp.member.effects import ListAnswered, WhoisAnswered
from socp.member.events import LookUp, RequestList, Verify
from socp.wire import limits
from socp.wire.canonical import to_members
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


def note(desk: Desk, user_id: str) -> str:
    desk.event(LookUp(user_id))
    return desk.told(WhoisAnswered)[-1].note


@pytest.mark.spec("6")
def test_whois_of_ourselves_says_that_and_our_key() -> None:
    desk = Desk().attaches()
    assert note(desk, desk.id) == "that is you"
    assert desk.told(WhoisAnswered)[-1].pubkey_fingerprint == desk.key.public.fingerprint


@pytest.mark.spec("6")
@pytest.mark.threat("I9")
def test_whois_says_how_sure_a_key_is() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.event(Verify(alice.id, alice.key.public.fingerprint))
    assert note(desk, alice.id) == "online; verified"
    desk.goes(alice)
    assert note(desk, alice.id) == "away; verified"
    said = rotation.revoke(alice.id, alice.key, 1, desk.wall).revoked
    told = {"user_id": alice.id, "rotations": [], "revoked": to_members(said)}
    desk.hears("KEY_HISTORY", told, to="*")
    assert note(desk, alice.id).endswith("; they revoked this id: ask them for their new one")


@pytest.mark.spec("6")
@pytest.mark.threat("I10")
def test_whois_says_that_a_key_was_replaced_by_its_owner() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    step = rotation.rotate(alice.id, alice.key, desk.suite.generate(), 2, desk.wall)
    told = {"user_id": alice.id, "rotations": [to_members(step.rotation)]}
    desk.hears("KEY_HISTORY", told, to="*")
    assert "their key was replaced, signed by the one before it" in note(desk, alice.id)
    assert desk.told(WhoisAnswered)[-1].pubkey_fingerprint == rotation_key(desk, step)


def rotation_key(desk: Desk, step: rotation.KeyStep) -> str:
    return desk.suite.parse_public(step.pubkey).fingerprint


@pytest.mark.spec("6")
def test_whois_of_a_plain_v13_user_says_so() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", v13=True)
    assert "plain v1.3: not bound as the author of what they send" in note(desk, alice.id)


@pytest.mark.spec("6")
def test_whois_of_a_stranger_without_a_link_or_without_an_id_is_answered_at_once() -> None:
    desk = Desk()
    nobody = "nobody knows a key for them; check the id"
    assert note(desk, an_id("alice")) == nobody
    desk.attaches()
    assert note(desk, "alice") == nobody
    assert desk.sent("PUBKEY_REQUEST") == []


@pytest.mark.spec("6")
def test_a_question_that_the_link_was_lost_over_is_answered_with_what_is_known() -> None:
    desk = Desk().attaches()
    desk.event(LookUp(an_id("alice")))
    assert desk.told(WhoisAnswered) == []
    desk.loses_the_link()
    assert [each.user_id for each in desk.told(WhoisAnswered)] == [an_id("alice")]


@pytest.mark.spec("6")
@pytest.mark.threat("S5")
def test_a_list_that_goes_on_and_on_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LIST_ROWS", 3)
    desk = Desk().attaches()
    desk.event(RequestList())
    desk.event(RequestList())
    assert len(desk.sent("LIST_REQUEST")) == 1
    ids = sorted(an_id(f"{n}") for n in range(5))
    desk.hears("USER_LIST", {"users": ids[:2], "more": True})
    desk.hears("USER_LIST", {"users": ids[2:]})
    assert desk.told(ListAnswered) == [ListAnswered(tuple(ids[:3]))]


@pytest.mark.spec("6")
@pytest.mark.threat("S5")
def test_when_too_many_keys_are_asked_for_the_next_is_answered_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lookups, "ASKING_MAX", 2)
    desk = Desk().attaches()
    for name in ("alice", "bob", "carol"):
        desk.event(LookUp(an_id(name)))
    assert len(desk.sent("PUBKEY_REQUEST")) == 2
    assert [each.user_id for each in desk.told(WhoisAnswered)] == [an_id("carol")]
