"""What is written down of every conversation, in one order (section 11)."""

from __future__ import annotations

import pytest

from socp.member.effects import LineMoved, MessageArrived, Persist, Tell, Trust
from socp.member.emitter import Emitter
from socp.member.events import FileStored, Now, Say
from socp.member.history import History
from socp.member.records import Amendment, LineState, Said, SaidMoved, SaidReached
from socp.wire.ids import PUBLIC
from tests.member.desk import ME, WITH_MAILBOX, Desk, an_id
from tests.member.test_files import FILE, Theirs, offers

NOW = Now(1_760_000_000_000, 1_000)
REF = "r" * 43


def written(emitter: Emitter) -> list[object]:
    return [effect.record for effect in emitter.take() if isinstance(effect, Persist)]


@pytest.fixture
def desk() -> Desk:
    return Desk(WITH_MAILBOX).attaches()


@pytest.fixture
def emitter(desk: Desk) -> Emitter:
    return Emitter(desk.id, desk.key)


def test_what_comes_is_written_down_in_the_commit_that_remembers_it(desk: Desk) -> None:
    alice = desk.friend("alice")
    told = len(desk.effects)
    alice.writes("hello")
    (said,) = desk.kept(Said)
    (arrived,) = desk.told(MessageArrived)
    assert said == Said(
        number=1,
        talk=alice.id,
        author=alice.id,
        text="hello",
        ts=desk.wall,
        at_ms=desk.wall,
        trust=Trust.PINNED,
        msg_refs=(arrived.msg_ref,),
    )
    assert arrived.said == said.number
    effects = desk.effects[told:]
    assert effects.index(Persist(said)) < effects.index(Tell(arrived))


def test_a_line_of_ours_is_one_row_whose_state_moves(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    envelope = desk.sent("MSG_DIRECT")[-1]
    desk.acks(envelope, "queued")
    desk.acks(envelope, "delivered")
    (said,) = desk.kept(Said)
    assert (said.talk, said.author, said.text) == (alice.id, an_id(ME), "hi")
    assert said.state == LineState.WAITING
    moves = desk.kept(SaidMoved)
    assert [move.state for move in moves] == [LineState.SENT, LineState.DONE, LineState.DELIVERED]
    assert moves[0].msg_refs == (desk.ref(envelope),)
    assert {move.number for move in moves} == {said.number}
    assert {moved.said for moved in desk.told(LineMoved)} == {said.number}


def test_a_line_that_nobody_keeps_is_not_in_the_history(desk: Desk) -> None:
    desk.event(Say(desk.id, "hi"))
    assert desk.line().state is LineState.REFUSED
    assert desk.line().said == 0
    assert desk.kept(Said) == []
    assert desk.kept(SaidMoved) == []


def test_the_numbers_go_on_where_an_earlier_run_ended(desk: Desk) -> None:
    alice = desk.friend("alice")
    alice.writes("one")
    desk.says(alice, "two")
    again = Desk(WITH_MAILBOX, remembered=desk.store()).attaches()
    again.friend("bob").writes("three")
    assert [said.number for said in desk.kept(Said) + again.kept(Said)] == [1, 2, 3]


def test_a_delivery_that_is_told_in_a_later_run_reaches_the_row_by_its_msg_ref(desk: Desk) -> None:
    desk.says(desk.friend("alice"), "hi")
    envelope = desk.sent("MSG_DIRECT")[-1]
    desk.acks(envelope, "queued")
    again = Desk(WITH_MAILBOX, remembered=desk.store()).attaches()
    again.acks(envelope, "delivered")
    assert again.kept(SaidReached) == [SaidReached(desk.ref(envelope), LineState.DELIVERED, "")]


def test_what_is_not_shown_is_in_the_history_with_the_reason(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.hears("USER_DELIVER", alice.delivery(b"garbage".ljust(512)))
    (said,) = desk.kept(Said)
    assert (said.talk, said.kind, said.trust) == (alice.id, "refused", "")
    assert said.text == desk.refusals[0].reason


def test_files_are_in_the_history_both_ways() -> None:
    desk = Desk(WITH_MAILBOX).attaches()
    bob = desk.friend("bob")
    offers(desk, bob.id)
    (said,) = desk.kept(Said)
    assert (said.talk, said.kind, said.text) == (bob.id, "file", "notes.txt")
    assert said.file_id == FILE
    assert [move.state for move in desk.kept(SaidMoved)] == [LineState.SENT]
    other = Desk().attaches()
    ann = other.friend("ann")
    theirs = Theirs(other, ann)
    theirs.starts()
    theirs.goes_on()
    assert other.kept(Said) == []
    other.event(FileStored(FILE, "/downloads/notes.txt"))
    (came,) = other.kept(Said)
    assert (came.talk, came.author, came.kind) == (ann.id, ann.id, "file")


def test_a_note_and_a_change_take_the_next_numbers(emitter: Emitter) -> None:
    history = History(emitter, 41)
    assert history.note(PUBLIC, "a key changed", NOW) == 42
    assert history.amended(PUBLIC, REF, an_id("bob"), "edit", "better", 7, "n" * 43).number == 43
    note, amendment = written(emitter)
    assert isinstance(note, Said)
    assert (note.kind, note.at_ms) == ("note", NOW.wall)
    assert amendment == Amendment(43, PUBLIC, REF, an_id("bob"), "edit", "better", 7, "n" * 43)


def test_of_a_line_without_a_row_and_a_msg_ref_that_is_none_nothing_is_written(
    emitter: Emitter,
) -> None:
    history = History(emitter, 0)
    history.moved(0, LineState.DONE)
    history.reached("no msg_ref", LineState.READ)
    assert written(emitter) == []
