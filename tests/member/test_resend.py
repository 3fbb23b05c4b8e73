"""Messages of ours that a reader misses go out once more (section 11, `resend`)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from socp.member import sent
from socp.member.effects import LineMoved, LoadSent
from socp.member.events import Amend, SentLoaded
from socp.member.records import (
    LineState,
    SaidMoved,
    SaidReached,
    SentGone,
    SentLine,
    SentTakenBack,
    Shelf,
)
from socp.member.taken_back import wordless, words_of
from socp.wire import content
from socp.wire.content import Body, Delete, Place, Receipt, Resend, Text
from socp.wire.envelope import Envelope
from tests.member.desk import RUN, WITH_MAILBOX, WITHOUT_MAILBOX, Desk, Friend
from tests.member.test_content import read
from tests.member.test_outbox import raw

DAY_MS = 24 * 3_600_000


@pytest.fixture
def desk() -> Desk:
    return Desk(WITH_MAILBOX).attaches()


def says(desk: Desk, friend: Friend, *texts: str) -> list[Envelope]:
    """We say these, and the server takes them."""
    before = len(desk.sent("MSG_DIRECT"))
    for text in texts:
        desk.says(friend, text)
        desk.acks(desk.sent("MSG_DIRECT")[-1], "queued")
    return desk.sent("MSG_DIRECT")[before:]


class Asker:
    """A friend who misses something; what the store would give is given."""

    def __init__(self, desk: Desk, friend: Friend) -> None:
        self.desk = desk
        self.friend = friend
        self._asks = 0

    def asks(self, first: int, last: int, run: str = RUN) -> list[int]:
        """The numbers that were read from the store for it."""
        before = len(self.desk.did(LoadSent))
        self._asks += 1
        self.friend.sends(Resend(of_run=run, from_seq=first, to_seq=last), self._asks)
        return [seq for load in self.desk.did(LoadSent)[before:] for seq in load.seqs]

    def gets(self, first: int, last: int) -> list[Envelope]:
        """The frames that went out for it, each of them taken."""
        desk = self.desk
        before = len(desk.sent("MSG_DIRECT"))
        wanted = self.asks(first, last)
        gone = {(one.to, one.run, one.seq) for one in desk.kept(SentGone)}
        there = {(one.to, one.run, one.seq): one.line for one in desk.kept(SentLine)}
        for back in desk.kept(SentTakenBack):
            for key, line in there.items():
                if key[0] == back.to and back.first <= key[2] <= back.last:
                    there[key] = wordless(line, back.of) if back.of in words_of(line) else line
        keys = [(self.friend.id, RUN, seq) for seq in wanted]
        desk.event(SentLoaded(tuple(there[key] for key in keys if key in there.keys() - gone)))
        while not desk.member.idle:
            desk.acks(desk.sent("MSG_DIRECT")[-1], "queued")
        return desk.sent("MSG_DIRECT")[before:]

    def gets_anew(self, seq: int) -> Envelope:
        """The frame that goes out when the same bytes did not help: it is composed anew."""
        self.gets(seq, seq)
        (anew,) = self.gets(seq, seq)
        return anew


def anew_of(desk: Desk, friend: Friend, frame: Envelope) -> tuple[Body, Place]:
    """What this frame says, composed anew."""
    body, place = read(friend, frame)
    return body, replace(place, first=desk.ref(frame))


def bodies(friend: Friend, frames: list[Envelope]) -> list[tuple[int, Body]]:
    return [(place.seq, body) for body, place in (read(friend, frame) for frame in frames)]


@pytest.mark.spec("11")
def test_the_same_bytes_go_again_and_nobody_is_told(desk: Desk) -> None:
    alice = desk.friend("alice")
    frames = says(desk, alice, "one", "two", "three")
    told = len(desk.told(LineMoved))
    assert Asker(desk, alice).gets(2, 3) == frames[1:]
    assert len(desk.told(LineMoved)) == told
    assert desk.store().outbox == ()


@pytest.mark.spec("11")
def test_what_went_again_is_still_the_line_that_is_read(desk: Desk) -> None:
    alice = desk.friend("alice")
    (frame,) = says(desk, alice, "one")
    asker = Asker(desk, alice)
    asker.gets(1, 1)
    alice.sends(Receipt(of=(desk.ref(frame),), state="read"), 2)
    assert (desk.line().text, desk.line().state) == ("one", LineState.READ)


@pytest.mark.spec("11")
def test_asked_for_again_a_message_is_composed_anew_in_its_old_place(desk: Desk) -> None:
    alice = desk.friend("alice")
    (frame,) = says(desk, alice, "one")
    asker = Asker(desk, alice)
    assert asker.gets(1, 1) == [frame]
    (anew,) = asker.gets(1, 1)
    assert raw(anew) != raw(frame)
    assert read(alice, anew) == anew_of(desk, alice, frame)


@pytest.mark.spec("11")
def test_for_a_server_without_a_mailbox_what_is_old_is_composed_anew() -> None:
    desk = Desk(WITHOUT_MAILBOX).attaches()
    alice = desk.friend("alice")
    (frame,) = says(desk, alice, "one")
    desk.wall += DAY_MS
    (anew,) = Asker(desk, alice).gets(1, 1)
    assert raw(anew) != raw(frame)
    assert read(alice, anew) == anew_of(desk, alice, frame)


@pytest.mark.spec("11")
def test_it_can_be_asked_for_after_a_restart_for_29_days(desk: Desk) -> None:
    alice = desk.friend("alice")
    frames = says(desk, alice, "one")
    desk.loses_the_link()
    desk.wall += 28 * DAY_MS
    desk.again(desk.store())
    desk.attaches()
    assert Asker(desk, alice).gets(1, 1) == frames
    desk.loses_the_link()
    desk.wall += 2 * DAY_MS
    desk.again(desk.store())
    desk.attaches()
    assert SentGone(alice.id, RUN, 1) in desk.kept(SentGone)
    assert desk.kept(Shelf)[-1].days == ()
    assert Asker(desk, alice).asks(1, 1) == []


@pytest.mark.spec("11")
def test_of_what_our_client_says_by_itself_the_words_are_kept_and_no_frame() -> None:
    desk = Desk(WITH_MAILBOX, receipts=True).attaches()
    alice = desk.friend("alice")
    alice.sends(Text(body="hi"), 9)
    desk.passes(2)
    receipt = desk.sent("MSG_DIRECT")[-1]
    desk.acks(receipt, "queued")
    (kept,) = desk.kept(SentLine)
    assert kept.line.frames == ()
    (again,) = Asker(desk, alice).gets(1, 1)
    assert read(alice, again) == anew_of(desk, alice, receipt)


@pytest.mark.spec("11")
def test_another_run_has_nothing_of_an_earlier_one(desk: Desk) -> None:
    alice = desk.friend("alice")
    says(desk, alice, "one", "two")
    desk.loses_the_link()
    desk.run = "f" * 16
    desk.again(desk.store())
    desk.attaches()
    assert {(gone.run, gone.seq) for gone in desk.kept(SentGone)} == {(RUN, 1), (RUN, 2)}
    assert Asker(desk, alice).asks(1, 2) == []


@pytest.mark.spec("11")
def test_only_its_own_reader_can_ask_for_a_message(desk: Desk) -> None:
    alice, bob = desk.friend("alice"), desk.friend("bob")
    says(desk, alice, "one")
    assert Asker(desk, bob).asks(1, 1) == []
    assert Asker(desk, alice).asks(1, 1, run="f" * 16) == []
    assert Asker(desk, alice).asks(2, 2**53 - 1) == []
    assert desk.did(LoadSent) == []


@pytest.mark.spec("11")
def test_what_is_on_its_way_is_not_sent_twice(desk: Desk) -> None:
    alice = desk.friend("alice")
    says(desk, alice, "one")
    desk.says(alice, "two")
    (kept,) = desk.kept(SentLine)
    line = replace(kept.line, place=read(alice, desk.sent("MSG_DIRECT")[-1])[1])
    before = len(desk.sent("MSG_DIRECT"))
    desk.event(SentLoaded((line,)))
    desk.acks(desk.sent("MSG_DIRECT")[-1], "queued")
    assert len(desk.sent("MSG_DIRECT")) == before


@pytest.mark.threat("S5")
def test_a_reader_who_asks_without_end_is_not_answered_without_end(desk: Desk) -> None:
    alice = desk.friend("alice")
    says(desk, alice, *map(str, range(60)))
    asker = Asker(desk, alice)
    counts = [len(asker.asks(1, 2**53 - 1)) for _ in range(8)]
    assert counts == [sent.ASKED_MAX] * 4 + [0] * 4
    desk.mono += sent.ASKED_MS
    assert len(asker.asks(1, 10)) == 10


@pytest.mark.threat("S5")
def test_of_those_to_one_reader_the_latest_are_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent, "PER_READER_MAX", 10)
    monkeypatch.setattr(sent, "DROPPED_AT_ONCE", 5)
    alice = desk.friend("alice")
    for _ in range(4):
        says(desk, alice, *map(str, range(10)))
        desk.wall += DAY_MS
    gone = {one.seq for one in desk.kept(SentGone)}
    assert gone == set(range(1, max(gone) + 1))
    assert 10 <= 40 - len(gone) <= 15
    assert Asker(desk, alice).asks(1, 40)[0] == max(gone) + 1
    assert {one.to: one for one in desk.kept(Shelf)}[alice.id].days[0][1] == max(gone) + 1


def first_of_two_refused() -> tuple[Desk, Friend, Envelope, Envelope]:
    """Who wrote twice, to whom, and what, of which only the second was taken."""
    desk = Desk(WITHOUT_MAILBOX).attaches()
    alice = desk.friend("alice")
    desk.says(alice, "one")
    desk.says(alice, "two")
    first, second = desk.sent("MSG_DIRECT")
    desk.acks(second)
    desk.refuses(first, "NOT_ALLOWED")
    desk.passes(0.2)
    desk.acks(desk.sent("MSG_DIRECT")[-1])
    return desk, alice, first, second


@pytest.mark.spec("11")
def test_who_asks_for_a_number_that_never_went_out_hears_that_it_was_taken_back() -> None:
    desk, alice, first, second = first_of_two_refused()
    (frame,) = Asker(desk, alice).gets(1, 1)
    assert bodies(alice, [frame]) == [(1, Delete(of=desk.ref(first)))]
    assert bodies(alice, [second]) == [(2, Text(body="two"))]


@pytest.mark.spec("11")
def test_a_line_refused_amid_others_leaves_no_gap_for_its_reader_to_be_told_of() -> None:
    desk = Desk(WITHOUT_MAILBOX).attaches()
    alice = desk.friend("alice")
    for text in ("one", "two", "three"):
        desk.says(alice, text)
    first, second, third = desk.sent("MSG_DIRECT")
    desk.acks(first)
    desk.refuses(second, "NOT_ALLOWED")
    told = len(desk.told(LineMoved))
    desk.acks(third)
    desk.passes(0.2)
    *_, filler = desk.sent("MSG_DIRECT")
    assert bodies(alice, [filler]) == [(2, Delete(of=desk.ref(second)))]
    desk.refuses(filler, "NOT_ALLOWED")  # that is all: who asks gets it
    desk.passes(20)
    assert desk.sent("MSG_DIRECT")[-1] is filler
    assert len(desk.told(LineMoved)) == told + 1
    assert desk.store().outbox == ()


@pytest.mark.spec("11")
def test_that_a_number_never_went_out_moves_no_line_of_the_history() -> None:
    desk, *_ = first_of_two_refused()
    states = {moved.number: moved.state for moved in desk.kept(SaidMoved)}
    assert states == {1: LineState.REFUSED, 2: LineState.DONE}


def takes_back(desk: Desk, friend: Friend, frame: Envelope) -> None:
    desk.event(Amend(friend.id, desk.ref(frame), "delete", ""))
    desk.acks(desk.sent("MSG_DIRECT")[-1], "queued")


@pytest.mark.spec("11")
@pytest.mark.threat("P4")
@pytest.mark.parametrize("restart", [False, True])
def test_who_missed_what_was_taken_back_hears_that_alone_in_its_place(
    desk: Desk, restart: bool
) -> None:
    alice = desk.friend("alice")
    one, *_ = says(desk, alice, "one", "two")
    desk.event(Amend(alice.id, desk.ref(one), "edit", "other"))
    desk.acks(desk.sent("MSG_DIRECT")[-1], "queued")
    if restart:
        desk.loses_the_link()
        desk.again(desk.store())
        desk.attaches()
    takes_back(desk, alice, one)
    frames = Asker(desk, alice).gets(1, 4)
    gone = Delete(of=desk.ref(one))
    assert bodies(alice, frames) == [(1, gone), (2, Text(body="two")), (3, gone), (4, gone)]
    _, place = read(alice, frames[0])
    assert (place.prev, place.first) == ("", desk.ref(one))


@pytest.mark.spec("11")
@pytest.mark.threat("P4")
@pytest.mark.parametrize("restart", [False, True])
def test_what_is_taken_back_while_it_is_on_its_way_is_kept_without_its_words(
    desk: Desk, restart: bool
) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "one")
    (frame,) = desk.sent("MSG_DIRECT")
    desk.event(Amend(alice.id, desk.ref(frame), "delete", ""))
    if restart:
        desk.loses_the_link()
        desk.again(desk.store())
        desk.attaches()
        desk.passes(0.2)
    desk.acks(frame, "queued")
    (kept,) = desk.kept(SentLine)
    assert (kept.seq, kept.line.text, kept.line.frames) == (1, "", ())
    assert content.unpack(kept.line.body) == Delete(of=desk.ref(frame))


@pytest.mark.spec("11")
def test_composed_anew_it_is_still_the_line_that_its_reader_calls_it_by(desk: Desk) -> None:
    alice = desk.friend("alice")
    (frame,) = says(desk, alice, "one")
    desk.loses_the_link()
    desk.again(desk.store())
    desk.attaches()
    Asker(desk, alice).gets_anew(1)
    alice.sends(Receipt(of=(desk.ref(frame),), state="read"), 3)
    assert desk.kept(SaidReached)[-1] == SaidReached(desk.ref(frame), LineState.READ, alice.id)


@pytest.mark.spec("11")
def test_composed_anew_it_is_told_of_as_the_same_line(desk: Desk) -> None:
    alice = desk.friend("alice")
    (frame,) = says(desk, alice, "one")
    Asker(desk, alice).gets_anew(1)
    alice.sends(Receipt(of=(desk.ref(frame),), state="read"), 3)
    assert (desk.line().text, desk.line().state) == ("one", LineState.READ)


@pytest.mark.spec("11")
def test_composed_anew_and_delivered_it_is_the_same_line_that_was(desk: Desk) -> None:
    alice = desk.friend("alice")
    (frame,) = says(desk, alice, "one")
    desk.loses_the_link()
    desk.again(desk.store())
    desk.attaches()
    anew = Asker(desk, alice).gets_anew(1)
    desk.acks(anew, "delivered")
    assert desk.kept(SaidReached)[-1] == SaidReached(desk.ref(frame), LineState.DELIVERED, "")


@pytest.mark.spec("11")
def test_a_line_composed_anew_before_it_is_over_is_called_as_at_first() -> None:
    desk = Desk(WITHOUT_MAILBOX).attaches()
    alice = desk.friend("alice")
    desk.says(alice, "one")
    first = desk.ref(desk.sent("MSG_DIRECT")[-1])
    assert desk.line().msg_ref == first
    desk.loses_the_link()
    desk.wall += DAY_MS
    desk.attaches()
    desk.comes(alice)
    desk.passes(1)
    anew = desk.sent("MSG_DIRECT")[-1]
    desk.acks(anew, "queued")
    assert desk.line().msg_ref == first
    assert [moved.msg_refs for moved in desk.kept(SaidMoved)][-1][-1] == first
    alice.sends(Receipt(of=(first,), state="read"), 1)
    assert (desk.line().text, desk.line().state) == ("one", LineState.READ)


@pytest.mark.spec("11")
def test_that_one_went_again_does_not_have_another_composed_anew(desk: Desk) -> None:
    alice = desk.friend("alice")
    frames = says(desk, alice, "one", "two")
    asker = Asker(desk, alice)
    assert [asker.gets(1, 1), asker.gets(2, 2)] == [[frame] for frame in frames]


@pytest.mark.spec("11")
def test_the_store_is_asked_for_what_is_of_that_reader(desk: Desk) -> None:
    alice = desk.friend("alice")
    says(desk, alice, "one", "two")
    Asker(desk, alice).asks(1, 2)
    assert desk.did(LoadSent) == [LoadSent(alice.id, RUN, (1, 2))]


@pytest.mark.spec("11")
def test_a_line_of_before_content_has_the_same_names(desk: Desk) -> None:
    alice = desk.friend("alice")
    (frame,) = says(desk, alice, "one")
    (kept,) = desk.kept(SentLine)
    assert set(words_of(replace(kept.line, body=b""))) == {desk.ref(frame)}
