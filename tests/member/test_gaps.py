"""What did not come of somebody's messages is told, asked for, and told when it is whole (section
11; threat M12)."""

from __future__ import annotations

import pytest

from socp.member import threads
from socp.member.effects import Amended, GapClosed, GapFound, MessageArrived
from socp.member.records import Gap, Said, Thread
from socp.wire.content import Delete, Edit, Resend, Text
from tests.member.desk import RUN, WITH_MAILBOX, Desk, Friend
from tests.member.test_content import read

THEIRS = RUN[::-1]
DAY_MS = 24 * 3_600_000


@pytest.fixture
def desk() -> Desk:
    return Desk(WITH_MAILBOX).attaches()


def said(friend: Friend, *seqs: int, run: str = THEIRS) -> None:
    """Their messages of these numbers come, in this order."""
    for seq in seqs:
        friend.sends(Text(body=str(seq)), seq, run=run)


def asked(desk: Desk, friend: Friend) -> list[Resend]:
    frames = {frame.payload: frame for frame in desk.sent("MSG_DIRECT")}.values()
    bodies = [read(friend, frame)[0] for frame in frames]
    return [body for body in bodies if isinstance(body, Resend)]


def answers(desk: Desk) -> None:
    """The server takes all that is on its way."""
    while not desk.member.idle:
        desk.acks(desk.sent("MSG_DIRECT")[-1], "queued")


def again(desk: Desk) -> None:
    desk.loses_the_link()
    desk.again(desk.store())
    desk.attaches()


# --- what is told -------------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_messages_in_their_order_are_told_as_they_are(desk: Desk) -> None:
    said(desk.friend("alice"), 1, 2, 3)
    desk.passes(20)
    assert desk.texts == ["1", "2", "3"]
    assert not any(message.late for message in desk.told(MessageArrived))
    assert not desk.told(GapFound)
    assert not desk.told(GapClosed)


@pytest.mark.spec("11")
@pytest.mark.threat("M12")
def test_what_is_missing_is_told_with_its_times_and_that_it_was_asked_for(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, 1)
    before = desk.told(MessageArrived)[-1].ts
    said(alice, 4)
    after = desk.told(MessageArrived)[-1].ts
    assert desk.texts == ["1", "4"]
    desk.passes(9)
    assert desk.told(GapFound) == []
    desk.passes(2)
    assert desk.told(GapFound) == [GapFound(alice.id, alice.id, 2, before, after, asked=True)]
    assert asked(desk, alice) == [Resend(of_run=THEIRS, from_seq=2, to_seq=3)]


@pytest.mark.spec("11")
def test_what_comes_after_later_ones_is_late_and_closes_the_gap(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, 1, 4)
    desk.passes(11)
    said(alice, 3)
    assert desk.told(GapClosed) == []
    said(alice, 2)
    assert desk.told(GapClosed) == [GapClosed(alice.id, alice.id)]
    assert [message.late for message in desk.told(MessageArrived)] == [False, False, True, True]
    desk.passes(60)
    assert len(desk.told(GapFound)) == 1


@pytest.mark.spec("11")
def test_what_was_only_overtaken_is_no_gap(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, 1, 3)
    desk.passes(5)
    said(alice, 2)
    desk.passes(20)
    assert not desk.told(GapFound)
    assert not desk.told(GapClosed)
    assert asked(desk, alice) == []


@pytest.mark.threat("M12")
def test_a_server_that_drops_every_other_message_cannot_put_off_that_it_is_told(
    desk: Desk,
) -> None:
    alice = desk.friend("alice")
    for number in range(12):
        said(alice, 2 * number + 1)
        desk.passes(1)
    assert sum(gap.count for gap in desk.told(GapFound)) >= 9


@pytest.mark.threat("M12")
def test_a_link_that_comes_and_goes_cannot_put_it_off_either(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, 1, 3)
    for _ in range(8):
        desk.passes(5)
        desk.loses_the_link()
        desk.attaches()
    assert len(desk.told(GapFound)) == 1


@pytest.mark.threat("M12")
def test_a_gap_that_was_found_is_told_again_after_a_restart_and_closes_then(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, 1, 3)
    desk.passes(11)
    answers(desk)
    again(desk)
    desk.passes(11)
    assert len(desk.told(GapFound)) == 2
    said(alice, 2)
    assert desk.told(GapClosed) == [GapClosed(alice.id, alice.id)]
    again(desk)
    desk.passes(11)
    assert len(desk.told(GapFound)) == 2


@pytest.mark.spec("11")
def test_after_a_month_nobody_waits_for_it_any_more(desk: Desk) -> None:
    said(desk.friend("alice"), 1, 3)
    desk.passes(11)
    desk.loses_the_link()
    desk.wall += 32 * DAY_MS
    desk.again(desk.store())
    desk.attaches()
    desk.passes(11)
    assert len(desk.told(GapFound)) == 1
    assert desk.kept(Thread)[-1].gaps == ()


@pytest.mark.spec("11")
def test_who_stays_on_one_link_for_a_month_asks_no_more_either(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, 1, 3)
    desk.passes(11)
    answers(desk)
    before = len(asked(desk, alice))
    desk.wall += 32 * DAY_MS
    desk.mono += 32 * DAY_MS
    desk.passes(1)
    assert len(asked(desk, alice)) == before
    assert desk.kept(Thread)[-1].gaps == ()


@pytest.mark.spec("11")
def test_what_is_given_up_is_not_whole(desk: Desk) -> None:
    said(desk.friend("alice"), 1, 3)
    desk.passes(11)
    desk.loses_the_link()
    desk.wall += 32 * DAY_MS
    desk.attaches()
    desk.passes(11)
    assert len(desk.told(GapFound)) == 1
    assert desk.told(GapClosed) == []


# --- the beginning ------------------------------------------------------------------------------


@pytest.mark.threat("M12")
def test_a_first_message_that_is_not_number_one_is_a_gap(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, 3)
    desk.passes(11)
    (gap,) = desk.told(GapFound)
    assert (gap.count, gap.after_ts, gap.asked) == (2, 0, True)


@pytest.mark.spec("11")
def test_to_a_copy_of_a_profile_what_was_said_before_is_no_gap() -> None:
    desk = Desk(WITH_MAILBOX, since_ms=1).attaches()
    alice = desk.friend("alice")
    said(alice, 3)
    desk.passes(11)
    assert desk.told(GapFound) == []
    said(alice, 5)
    desk.passes(11)
    assert [gap.count for gap in desk.told(GapFound)] == [1]


@pytest.mark.spec("11")
def test_another_run_is_another_count(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, 1, 2)
    said(alice, 1, 2, run="f" * 16)
    desk.passes(11)
    assert desk.texts == ["1", "2", "1", "2"]
    assert desk.told(GapFound) == []


# --- once ---------------------------------------------------------------------------------------


@pytest.mark.spec("11")
@pytest.mark.threat("M2")
def test_a_message_composed_anew_is_shown_once(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, 1, 2, 1, 2)
    again(desk)
    said(alice, 2)
    assert desk.texts == ["1", "2"]
    assert [w for w in desk.warnings if "numbered two messages alike" in w] == []


@pytest.mark.spec("11")
def test_what_was_missing_and_comes_twice_is_shown_once(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, 1, 9)
    said(alice, *range(10, 40), 4, 4)
    assert desk.texts.count("4") == 1


@pytest.mark.spec("11")
def test_another_message_of_one_number_is_shown_and_the_person_told_why(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, 1, 2)
    alice.sends(Text(body="from my other machine"), 2)
    assert desk.texts == ["1", "2", "from my other machine"]
    assert len([w for w in desk.warnings if "numbered two messages alike" in w]) == 1


# --- asking -------------------------------------------------------------------------------------


@pytest.mark.threat("S5")
def test_it_is_asked_for_less_and_less_often(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, 1, 3)
    for _ in range(240):
        desk.passes(60, tick_ms=1_000)
        answers(desk)
    assert 3 <= len(asked(desk, alice)) <= 6


@pytest.mark.spec("11")
def test_of_a_large_gap_fifty_are_asked_for_at_a_time(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, 1, 102)
    desk.passes(11)
    answers(desk)
    assert asked(desk, alice)[-1] == Resend(of_run=THEIRS, from_seq=2, to_seq=51)
    said(alice, *range(2, 52))
    desk.passes(11)
    answers(desk)
    assert asked(desk, alice)[-1] == Resend(of_run=THEIRS, from_seq=52, to_seq=101)
    assert len(desk.told(GapFound)) == 1


@pytest.mark.threat("S5")
def test_what_an_author_can_make_us_remember_is_bounded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "THREADS_MAX", 20)
    alice, bob = desk.friend("alice"), desk.friend("bob")
    for number in range(40):
        said(alice, 2**53 - 1, run=f"{number:016x}")
    said(bob, *range(1, 200, 2))
    kept = desk.store().threads
    assert len([one for one in kept if one.author == alice.id]) == threads.RUNS_MAX
    assert [len(one.gaps) for one in kept if one.author == bob.id] == [threads.GAPS_MAX]
    assert all(len(one.lately) <= 1024 for one in kept)


@pytest.mark.threat("M12")
def test_of_too_many_gaps_none_is_forgotten(desk: Desk) -> None:
    alice = desk.friend("alice")
    odd, even = range(1, 100, 2), range(2, 100, 2)
    said(alice, *odd)
    firsts = {message.text: message.msg_ref for message in desk.told(MessageArrived)}
    desk.passes(11)
    told = desk.told(GapFound)
    assert told[0].after_ts == desk.told(MessageArrived)[0].ts
    assert sum(gap.count for gap in told) >= len(even)
    said(alice, *even[len(even) - threads.GAPS_MAX :])
    assert desk.told(GapClosed) == []
    said(alice, *even[: len(even) - threads.GAPS_MAX])
    for seq in odd:
        alice.sends(Text(body=str(seq)), seq, first=firsts[str(seq)])
    assert desk.told(GapClosed) == [GapClosed(alice.id, alice.id)]
    assert sorted(map(int, desk.texts)) == list(range(1, 100))


@pytest.mark.spec("11")
def test_where_too_many_runs_are_followed_a_new_one_begins_anywhere(desk: Desk) -> None:
    alice = desk.friend("alice")
    for number in range(threads.RUNS_MAX):
        said(alice, 1, run=f"{number:016x}")
    said(alice, 5, run="f" * 16)
    desk.passes(11)
    assert desk.told(GapFound) == []


@pytest.mark.spec("11")
def test_a_quiet_message_fills_its_place(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, 1, 3)
    alice.sends(Edit(of="x" * 43, body="?"), 2)
    desk.passes(11)
    assert desk.told(GapFound) == []


def test_a_gap_is_kept_as_what_is_left_of_it(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, 1, 6, 3)
    late = desk.told(MessageArrived)[-1].ts
    first, last = (message.ts for message in desk.told(MessageArrived)[:2])
    assert desk.kept(Thread)[-1].gaps == (Gap(2, 2, first, late), Gap(4, 5, late, last))


# --- composed anew ------------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_what_is_composed_anew_is_called_as_its_author_calls_it(desk: Desk) -> None:
    alice = desk.friend("alice")
    alice.sends(Text(body="one"), 1, first="x" * 43)
    arrived = desk.told(MessageArrived)[-1]
    assert arrived.msg_ref == "x" * 43
    (seen,) = [row for row in desk.kept(Said) if row.number == arrived.number]
    assert len(seen.msg_refs) == 2
    assert seen.msg_refs[-1] == "x" * 43
    alice.sends(Edit(of="x" * 43, body="won"), 2)
    assert [told.body for told in desk.told(Amended)] == ["won"]


@pytest.mark.spec("11")
@pytest.mark.threat("M2")
def test_the_first_bytes_of_it_are_not_shown_once_more(desk: Desk) -> None:
    alice = desk.friend("alice")
    held = alice.delivery(alice.says(Text(body="one"), 1))
    first = desk.ref(alice.held(held))
    alice.sends(Text(body="one"), 1, first=first)
    said(alice, *range(2, 80))
    desk.hears("USER_DELIVER", held)
    again(desk)
    desk.hears("USER_DELIVER", held)
    assert desk.texts.count("one") == 1


@pytest.mark.spec("11")
def test_a_message_of_long_ago_composed_anew_is_shown_once(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, *range(1, 80))
    first = desk.told(MessageArrived)[0].msg_ref
    alice.sends(Text(body="1"), 1, first=first)
    assert desk.texts.count("1") == 1
    assert [w for w in desk.warnings if "numbered two messages alike" in w] == []


@pytest.mark.threat("M4")
def test_nobody_calls_a_message_by_the_name_of_anothers(desk: Desk) -> None:
    alice, mallory = desk.friend("alice"), desk.friend("mallory")
    said(alice, 1)
    theirs = desk.told(MessageArrived)[-1].msg_ref
    mallory.sends(Text(body="mine"), 1, first=theirs)
    assert desk.told(MessageArrived)[-1].msg_ref != theirs


@pytest.mark.threat("M4")
def test_nor_by_the_name_of_ours(desk: Desk) -> None:
    mallory = desk.friend("mallory")
    desk.says(mallory, "ours")
    ours = desk.line().msg_ref
    answers(desk)
    mallory.sends(Text(body="mine"), 1, first=ours)
    mallory.sends(Edit(of=ours, body="mine!"), 2)
    assert desk.told(MessageArrived)[-1].msg_ref != ours
    assert desk.told(Amended) == []


@pytest.mark.threat("M4")
def test_who_takes_the_name_of_what_is_still_to_come_keeps_it_from_nobody(desk: Desk) -> None:
    alice, mallory = desk.friend("alice"), desk.friend("mallory")
    coming = alice.delivery(alice.says(Text(body="one"), 1))
    mallory.sends(Text(body="mine"), 1, first=desk.ref(alice.held(coming)))
    desk.hears("USER_DELIVER", coming)
    assert desk.texts == ["mine", "one"]


@pytest.mark.spec("11")
def test_what_its_author_took_back_closes_the_gap_and_shows_nothing(desk: Desk) -> None:
    alice = desk.friend("alice")
    said(alice, 1, 3)
    desk.passes(11)
    assert len(desk.told(GapFound)) == 1
    alice.sends(Delete(of="t" * 43), 2, run=THEIRS, first="t" * 43)
    assert desk.told(GapClosed) == [GapClosed(alice.id, alice.id)]
    assert desk.texts == ["1", "3"]
    assert desk.warnings == []
    assert desk.refusals == []
