"""Who says that messages are here and read, and whose word counts (section 11, `receipt`)."""

from __future__ import annotations

import pytest

from socp.member.effects import LineMoved
from socp.member.events import ChooseReceipts, Leave, Shown
from socp.member.receipts import HEARD_MAX
from socp.member.records import LineState, SaidReached
from socp.wire.content import REFS_MAX, Receipt, Text
from tests.member.desk import WITH_MAILBOX, WITHOUT_MAILBOX, Desk, Friend
from tests.member.test_content import HYBRID_ALONE, read, ref


@pytest.fixture
def desk() -> Desk:
    return Desk(WITH_MAILBOX, receipts=True).attaches()


def said(desk: Desk, friend: Friend) -> list[Receipt]:
    """The receipts that went out to them."""
    frames = [frame for frame in desk.sent("MSG_DIRECT") if frame.to == friend.id]
    bodies = [read(friend, frame)[0] for frame in frames]
    return [body for body in bodies if isinstance(body, Receipt)]


def refs(desk: Desk) -> tuple[str, ...]:
    """Of what came, in order."""
    return tuple(record.msg_ref for record in desk.store().seen)


# --- ours ---------------------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_what_was_seen_within_a_second_is_one_receipt(desk: Desk) -> None:
    alice = desk.friend("alice")
    for seq in (1, 2, 3):
        alice.sends(Text(body="hi"), seq)
    desk.passes(0.5)
    assert said(desk, alice) == []
    assert not desk.member.idle
    desk.passes(0.7)
    assert said(desk, alice) == [Receipt(of=refs(desk), state="read")]
    assert desk.told(LineMoved) == []


@pytest.mark.spec("11")
def test_who_leaves_says_what_was_read_until_then(desk: Desk) -> None:
    alice = desk.friend("alice")
    alice.sends(Text(body="hi"), 1)
    assert said(desk, alice) == []
    desk.event(Leave())
    assert said(desk, alice) == [Receipt(of=refs(desk), state="read")]
    desk.passes(2)
    assert len(said(desk, alice)) == 1


@pytest.mark.spec("11")
def test_what_was_read_without_a_link_is_said_on_the_next(desk: Desk) -> None:
    alice = desk.friend("alice")
    alice.sends(Text(body="hi"), 1)
    desk.loses_the_link()
    desk.event(Leave())
    desk.again(desk.store())
    desk.attaches()
    desk.passes(1)
    assert said(desk, alice) == [Receipt(of=refs(desk), state="read")]


@pytest.mark.spec("11")
def test_nothing_is_read_before_the_person_has_seen_it() -> None:
    desk = Desk(WITH_MAILBOX, receipts=True, looks=False).attaches()
    alice = desk.friend("alice")
    alice.sends(Text(body="hi"), 1)
    desk.passes(5)
    assert said(desk, alice) == []
    desk.loses_the_link()
    desk.again(desk.store())
    desk.attaches()
    desk.event(Shown((1,)))
    desk.event(Shown((1,)))
    desk.passes(2)
    assert said(desk, alice) == [Receipt(of=refs(desk), state="read")]


@pytest.mark.spec("11")
def test_a_receipt_that_waits_is_said_with_those_that_come_after(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "hello?")  # until it is answered nothing else goes to alice
    for seq in (1, 2, 3):
        alice.sends(Text(body="hi"), seq)
        desk.passes(2)
    assert said(desk, alice) == []
    desk.acks(desk.sent("MSG_DIRECT")[0], "queued")
    assert said(desk, alice) == [Receipt(of=refs(desk), state="read")]


@pytest.mark.threat("S5")
def test_a_receipt_that_waits_speaks_of_the_latest(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "hello?")
    for seq in range(1, REFS_MAX + 100):
        alice.sends(Text(body="hi"), seq)
        if seq % 100 == 0:
            desk.passes(2)
    desk.passes(2)
    desk.acks(desk.sent("MSG_DIRECT")[0], "queued")
    assert said(desk, alice) == [Receipt(of=refs(desk)[-REFS_MAX:], state="read")]


@pytest.mark.spec("11")
def test_a_server_without_a_mailbox_cannot_say_that_it_is_here_so_we_do() -> None:
    desk = Desk(WITHOUT_MAILBOX, receipts=True, looks=False).attaches()
    alice = desk.friend("alice")
    alice.sends(Text(body="hi"), 1)
    desk.passes(2)
    assert said(desk, alice) == [Receipt(of=refs(desk), state="delivered")]


@pytest.mark.spec("11")
def test_receipts_can_be_turned_off() -> None:
    for features in (WITH_MAILBOX, WITHOUT_MAILBOX):
        desk = Desk(features, receipts=False).attaches()
        alice = desk.friend("alice")
        alice.sends(Text(body="hi"), 1)
        desk.passes(5)
        assert said(desk, alice) == []


@pytest.mark.spec("11")
def test_the_person_turns_them_off_and_on(desk: Desk) -> None:
    alice = desk.friend("alice")
    alice.sends(Text(body="one"), 1)
    desk.event(ChooseReceipts(delivered=False, read=False))
    alice.sends(Text(body="two"), 2)
    desk.passes(5)
    assert said(desk, alice) == []
    desk.event(ChooseReceipts(delivered=False, read=True))
    alice.sends(Text(body="three"), 3)
    desk.passes(2)
    assert said(desk, alice) == [Receipt(of=refs(desk)[-1:], state="read")]


@pytest.mark.spec("11")
@pytest.mark.threat("M8")
def test_of_what_could_not_be_shown_and_to_who_has_no_content_nothing_is_said(desk: Desk) -> None:
    alice, bob = desk.friend("alice"), desk.friend("bob", *HYBRID_ALONE)
    bob.writes("hi")
    desk.hears("USER_DELIVER", alice.delivery(alice.seals("hi", to=bob.id)))
    assert len(desk.refusals) == 1
    desk.passes(5)
    assert desk.sent("MSG_DIRECT") == []


# --- theirs -------------------------------------------------------------------------------------


def states(desk: Desk) -> list[LineState]:
    return [moved.state for moved in desk.told(LineMoved)]


@pytest.mark.spec("11")
def test_a_line_is_sent_kept_delivered_and_read(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    frame = desk.sent("MSG_DIRECT")[0]
    desk.acks(frame, "queued")
    desk.acks(frame, "delivered")
    alice.sends(Receipt(of=(ref(desk, 0),), state="read"), 1)
    assert states(desk) == [
        LineState.SENT,
        LineState.DONE,
        LineState.DELIVERED,
        LineState.READ,
    ]
    assert desk.texts == []


@pytest.mark.spec("11")
def test_what_was_read_is_not_delivered_afterwards(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    frame = desk.sent("MSG_DIRECT")[0]
    desk.acks(frame, "queued")
    alice.sends(Receipt(of=(ref(desk, 0),), state="read"), 1)
    alice.sends(Receipt(of=(ref(desk, 0),), state="delivered"), 2)
    desk.acks(frame, "delivered")
    assert states(desk)[-1] is LineState.READ
    assert len(states(desk)) == 3


@pytest.mark.spec("11")
@pytest.mark.threat("I2")
def test_only_the_readers_own_word_counts(desk: Desk) -> None:
    alice, mallory = desk.friend("alice"), desk.friend("mallory")
    desk.says(alice, "hi")
    desk.acks(desk.sent("MSG_DIRECT")[0], "queued")
    mallory.sends(Receipt(of=(ref(desk, 0),), state="read"), 1)
    assert states(desk)[-1] is LineState.DONE
    assert desk.kept(SaidReached) == []


@pytest.mark.threat("S5")
def test_a_reader_who_speaks_of_thousands_is_not_looked_up_without_end(desk: Desk) -> None:
    alice = desk.friend("alice")
    for seq in range(1, 41):
        of = tuple(f"{number:043}" for number in range(REFS_MAX))
        alice.sends(Receipt(of=of, state="read"), seq)
    assert len(desk.kept(SaidReached)) == HEARD_MAX


@pytest.mark.spec("11")
def test_of_a_line_of_an_earlier_run_the_history_hears(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    desk.acks(desk.sent("MSG_DIRECT")[0], "queued")
    desk.loses_the_link()
    desk.again(desk.store())
    desk.attaches()
    alice.sends(Receipt(of=(ref(desk, 0),), state="read"), 1)
    assert desk.kept(SaidReached) == [SaidReached(ref(desk, 0), LineState.READ, alice.id)]
