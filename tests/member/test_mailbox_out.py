"""Lines where a server with `mailbox/1` keeps them for who is away (sections 9 and 11)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from socp.crypto import rotation
from socp.member import handed
from socp.member.effects import LineMoved, Transmit
from socp.member.events import Say
from socp.member.outbox import BEHIND, LATE_MS
from socp.member.records import LineState
from socp.wire.canonical import to_members
from socp.wire.envelope import Envelope
from tests.member.desk import WITH_MAILBOX, WITHOUT_MAILBOX, Desk
from tests.member.test_outbox import opened, raw

DAY_MS = 24 * 3_600_000


@pytest.fixture
def desk() -> Desk:
    return Desk(WITH_MAILBOX).attaches()


def sent(desk: Desk) -> list[bytes]:
    """The bytes of every MSG_DIRECT, in order."""
    return [e.data for e in desk.did(Transmit) if b'"MSG_DIRECT"' in e.data[:30]]


def last(desk: Desk) -> Envelope:
    return desk.sent("MSG_DIRECT")[-1]


@pytest.mark.spec("11")
def test_a_line_says_that_it_may_come_late_where_the_server_has_a_mailbox_alone(
    desk: Desk,
) -> None:
    desk.says(desk.friend("alice"), "hi")
    assert last(desk).members["late"] is True
    other = Desk(WITHOUT_MAILBOX).attaches()
    other.says(other.friend("alice"), "hi")
    assert "late" not in last(other).members


@pytest.mark.spec("11")
def test_a_line_to_somebody_away_goes_at_once_and_is_kept_for_them(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.goes(alice)
    desk.says(alice, "hi")
    assert opened(alice, last(desk)) == "hi"
    desk.acks(last(desk), "queued")
    moved = desk.line()
    assert moved.state is LineState.DONE
    assert moved.reason == "alice is away; a server keeps it until they are back"
    assert desk.store().outbox == ()
    desk.acks(last(desk), "delivered")
    assert desk.line() == replace(moved, state=LineState.DELIVERED, reason="")
    told = len(desk.told(LineMoved))
    desk.acks(last(desk), "delivered")
    assert len(desk.told(LineMoved)) == told


@pytest.mark.spec("11")
def test_a_line_to_somebody_here_is_handed_over_when_it_is_committed(desk: Desk) -> None:
    desk.says(desk.friend("alice"), "hi")
    desk.acks(last(desk), "queued")
    assert (desk.line().state, desk.line().reason) == (LineState.DONE, "")


@pytest.mark.spec("11")
def test_what_a_server_cannot_hand_on_after_all_is_told_as_refused(desk: Desk) -> None:
    desk.says(desk.friend("alice"), "hi")
    desk.acks(last(desk), "queued")
    desk.refuses(last(desk), "BAD_KEY", "another key is known")
    assert desk.line().state is LineState.REFUSED
    assert desk.line().text == "hi"
    assert desk.line().reason == "BAD_KEY: another key is known"


@pytest.mark.threat("I2")
def test_an_error_about_a_line_that_is_over_moves_nobodys_clock(desk: Desk) -> None:
    desk.says(desk.friend("alice"), "hi")
    desk.acks(last(desk), "queued")
    detail = "ts is outside now ± 300 s: your clock is 400.000 s behind; set it right"
    desk.refuses(last(desk), "BAD_FRAME", detail)
    assert desk.member.clock_offset_ms == 0
    assert desk.line().state is LineState.REFUSED


@pytest.mark.threat("S5")
def test_of_the_lines_that_are_kept_the_latest_are_known(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handed, "REFS_MAX", 2)
    alice = desk.friend("alice")
    for text in ("one", "two", "three"):
        desk.says(alice, text)
        desk.acks(last(desk), "queued")
    for frame in desk.sent("MSG_DIRECT"):
        desk.acks(frame, "delivered")
    delivered = [m.text for m in desk.told(LineMoved) if m.state is LineState.DELIVERED]
    assert delivered == ["two", "three"]


@pytest.mark.spec("11")
def test_of_a_split_line_all_parts_must_be_delivered(desk: Desk) -> None:
    bob = desk.friend("bob", v13=True)
    desk.says(bob, "a" * 446 + "b")
    first, second = desk.sent("MSG_DIRECT")
    desk.acks(first, "queued")
    assert desk.line().state is LineState.SENT
    desk.acks(second, "queued")
    desk.acks(first, "delivered")
    assert desk.line().state is LineState.DONE
    desk.acks(second, "delivered")
    assert desk.line().state is LineState.DELIVERED


# --- order --------------------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_the_next_line_to_a_reader_goes_when_the_one_before_is_answered(desk: Desk) -> None:
    alice, bob = desk.friend("alice"), desk.friend("bob")
    for text in ("one", "two", "three"):
        desk.says(alice, text)
    desk.says(bob, "hello")
    assert len(desk.sent("MSG_DIRECT")) == 2
    desk.acks(desk.sent("MSG_DIRECT")[0], "queued")
    assert opened(alice, last(desk)) == "two"
    desk.acks(last(desk), "queued")
    assert opened(alice, last(desk)) == "three"


@pytest.mark.spec("9")
def test_a_line_behind_another_is_told_of_at_once(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "one")
    before = len(desk.told(LineMoved))
    desk.says(alice, "two")
    (moved,) = desk.told(LineMoved)[before:]
    assert (moved.text, moved.state, moved.reason) == ("two", LineState.WAITING, "")
    desk.passes(2)
    assert (desk.line().text, desk.line().reason) == ("two", BEHIND)


@pytest.mark.spec("11")
@pytest.mark.parametrize("code", ["TIMEOUT", "RATE_LIMITED", "MAILBOX_FULL", "USER_NOT_FOUND"])
def test_a_line_that_comes_back_holds_up_those_behind_it(desk: Desk, code: str) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "one")
    desk.says(alice, "two")
    desk.refuses(last(desk), code)
    desk.passes(45)
    assert [opened(alice, frame) for frame in desk.sent("MSG_DIRECT")][-1] == "one"
    desk.acks(last(desk), "queued")
    desk.passes(0.2)
    assert opened(alice, last(desk)) == "two"


# --- the same bytes -----------------------------------------------------------------------------


@pytest.mark.spec("11")
@pytest.mark.parametrize("why", ["link", "restart", "both"])
def test_weeks_later_the_same_bytes_go_again(desk: Desk, why: str) -> None:
    desk.says(desk.friend("alice"), "hi")
    first = sent(desk)[0]
    desk.loses_the_link()
    if why != "link":
        desk.again(desk.store())
    desk.wall += 28 * DAY_MS
    desk.attaches()
    desk.passes(0.2)
    if why == "both":
        desk.loses_the_link()
        desk.again(desk.store())
        desk.attaches()
        desk.passes(0.2)
    assert set(sent(desk)) == {first}
    assert len(sent(desk)) == (3 if why == "both" else 2)


@pytest.mark.spec("11")
def test_after_29_days_a_line_is_composed_anew(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    first = last(desk)
    desk.loses_the_link()
    desk.wall += LATE_MS
    desk.attaches()
    desk.passes(0.2)
    assert raw(last(desk)) != raw(first)
    assert opened(alice, last(desk)) == "hi"


@pytest.mark.spec("11")
def test_for_a_server_without_a_mailbox_an_old_line_is_composed_anew(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    first = last(desk)
    desk.loses_the_link()
    desk.wall += DAY_MS
    desk.server_features = WITHOUT_MAILBOX
    desk.attaches()
    desk.comes(alice)
    desk.passes(0.2)
    assert raw(last(desk)) != raw(first)
    assert "late" not in last(desk).members


@pytest.mark.spec("11")
def test_what_was_composed_for_a_server_without_a_mailbox_becomes_one_that_may_be_late() -> None:
    desk = Desk(WITHOUT_MAILBOX).attaches()
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    desk.loses_the_link()
    desk.wall += DAY_MS
    desk.server_features = WITH_MAILBOX
    desk.attaches()
    desk.passes(0.2)
    assert last(desk).members["late"] is True
    assert opened(alice, last(desk)) == "hi"


@pytest.mark.spec("11")
def test_for_another_key_of_its_reader_a_line_is_composed_anew(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    desk.loses_the_link()
    store = desk.store()
    alice.key = desk.suite.generate()
    (contact,) = store.contacts
    rotated = structs.replace(contact, pubkey=alice.key.public.text)
    desk.again(type(store)(contacts=(rotated,), servers=store.servers, outbox=store.outbox))
    desk.attaches()
    desk.passes(0.2)
    assert len(sent(desk)) == 2
    assert opened(alice, last(desk)) == "hi"


@pytest.mark.spec("11")
def test_for_a_client_that_lost_hybrid_a_line_is_composed_anew(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    desk.loses_the_link()
    desk.attaches()
    desk.wall += 10
    alice.features = ("link-auth/1",)
    desk.comes(alice)
    desk.refuses(last(desk), "TIMEOUT")
    desk.passes(6)
    assert len(raw(last(desk))) == 512
    assert opened(alice, last(desk)) == "hi"


@pytest.mark.spec("2")
def test_a_clock_that_the_server_refuses_has_a_line_composed_anew(desk: Desk) -> None:
    desk.says(desk.friend("alice"), "hi")
    detail = "ts is outside now ± 300 s: your clock is 400.000 s behind; set it right"
    desk.refuses(last(desk), "BAD_FRAME", detail)
    desk.passes(0.2)
    assert last(desk).ts >= desk.wall + 399_000


# --- until it is answered -----------------------------------------------------------------------


@pytest.mark.spec("11")
def test_a_line_that_nobody_answers_is_never_given_up(desk: Desk) -> None:
    desk.says(desk.friend("alice"), "hi")
    desk.passes(3_600)
    assert desk.line().state is LineState.SENT
    assert len(set(sent(desk))) == 1
    assert 6 <= len(sent(desk)) <= 15
    desk.acks(last(desk), "queued")
    assert desk.line().state is LineState.DONE


@pytest.mark.spec("12")
@pytest.mark.parametrize(
    ("code", "word", "first_s"),
    [
        ("MAILBOX_FULL", "their mailbox is full; it is tried again", 30),
        ("TIMEOUT", "cannot keep it just now", 5),
        ("RATE_LIMITED", "send slower", 2),
    ],
)
def test_a_line_that_a_server_cannot_take_waits_longer_each_time_and_goes_as_it_is(
    desk: Desk, code: str, word: str, first_s: int
) -> None:
    desk.says(desk.friend("alice"), "hi")
    desk.refuses(last(desk), code)
    assert desk.line().state is LineState.WAITING
    assert word in desk.line().reason
    desk.passes(first_s - 0.5)
    assert len(sent(desk)) == 1
    desk.passes(2.5)
    assert len(sent(desk)) == 2
    desk.refuses(last(desk), code)
    desk.passes(2 * first_s - 0.5)
    assert len(sent(desk)) == 2
    for _ in range(20):
        desk.passes(601, tick_ms=1_000)
        desk.refuses(last(desk), code)
    assert len(sent(desk)) >= 20
    assert len(set(sent(desk))) == 1
    assert word in desk.line().reason


@pytest.mark.spec("12")
def test_a_line_that_comes_back_before_it_went_again_pauses_all_the_same(desk: Desk) -> None:
    desk.says(desk.friend("alice"), "one")
    desk.says(desk.friend("bob"), "two")
    first, second = sent(desk)
    desk.loses_the_link()
    desk.attaches()
    desk.refuses(desk.sent("MSG_DIRECT")[0], "TIMEOUT")
    desk.passes(4)
    assert sent(desk) == [first, second, second]
    desk.passes(2)
    assert sent(desk) == [first, second, second, first]


@pytest.mark.spec("11")
def test_a_late_answer_to_a_line_that_waits_ends_it(desk: Desk) -> None:
    desk.says(desk.friend("alice"), "hi")
    desk.refuses(last(desk), "TIMEOUT")
    desk.acks(last(desk), "queued")
    assert desk.line().state is LineState.DONE
    desk.passes(60)
    assert len(sent(desk)) == 1


@pytest.mark.threat("I10")
def test_what_waits_for_room_does_not_go_to_who_revoked_their_id(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "secret")
    desk.refuses(desk.sent("MSG_DIRECT")[0], "MAILBOX_FULL")
    word = rotation.revoke(alice.id, alice.key, 1, desk.wall).revoked
    told = {"user_id": alice.id, "rotations": [], "revoked": to_members(word)}
    desk.hears("KEY_HISTORY", told, to="*")
    desk.passes(60)
    assert len(desk.sent("MSG_DIRECT")) == 1
    assert desk.line().state is LineState.REFUSED
    assert "revoked this id" in desk.line().reason


@pytest.mark.spec("11")
def test_a_full_mailbox_is_tried_at_once_on_a_new_link(desk: Desk) -> None:
    desk.says(desk.friend("alice"), "hi")
    desk.refuses(last(desk), "MAILBOX_FULL")
    desk.loses_the_link()
    desk.again(desk.store())
    desk.attaches()
    desk.passes(0.2)
    assert len(sent(desk)) == 2
    assert len(set(sent(desk))) == 1


@pytest.mark.spec("12")
def test_a_server_without_a_mailbox_ends_a_line_with_what_it_says() -> None:
    desk = Desk(WITHOUT_MAILBOX).attaches()
    desk.says(desk.friend("alice"), "hi")
    desk.refuses(last(desk), "MAILBOX_FULL")
    assert desk.line().state is LineState.REFUSED


# --- where nobody keeps it ----------------------------------------------------------------------


@pytest.mark.spec("11")
def test_for_a_reader_whose_home_has_no_mailbox_a_line_waits_until_they_are_back(
    desk: Desk,
) -> None:
    alice = desk.friend("alice")
    desk.goes(alice)
    desk.says(alice, "hi")
    desk.says(alice, "ho")
    desk.refuses(last(desk), "USER_NOT_FOUND")
    assert desk.line().state is LineState.WAITING
    assert desk.line().reason == "alice is away; it goes when they are back"
    desk.passes(4)
    assert len(sent(desk)) == 1
    desk.comes(alice)
    desk.passes(0.2)
    assert len(sent(desk)) == 2
    assert len(set(sent(desk))) == 1


@pytest.mark.spec("11")
def test_who_is_away_and_not_found_is_tried_less_and_less_often(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.goes(alice)
    desk.says(alice, "hi")
    for _ in range(3_600):
        if desk.line().state is LineState.SENT:
            desk.refuses(last(desk), "USER_NOT_FOUND")
        desk.passes(1)
    assert 8 <= len(sent(desk)) <= 15


@pytest.mark.spec("6")
def test_a_line_to_an_unknown_key_still_waits_for_it(desk: Desk) -> None:
    alice = desk.friend("alice", online=False)
    desk.says(alice, "hi")
    assert sent(desk) == []
    response = {"user_id": alice.id, "pubkey": alice.key.public.text, "version": 1}
    desk.hears("PUBKEY_RESPONSE", response)
    desk.passes(0.2)
    assert opened(alice, last(desk)) == "hi"


@pytest.mark.spec("12")
def test_a_burst_to_many_stays_below_the_servers_rate(desk: Desk) -> None:
    friends = [desk.friend(f"friend {number}") for number in range(200)]
    for friend in friends:
        desk.event(Say(friend.id, "hi"))
    assert len(sent(desk)) <= 120
    desk.passes(10)
    assert len(sent(desk)) == 200
