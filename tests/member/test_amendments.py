"""Edits, deletions and reactions: who may, and when the person is told (section 11)."""

from __future__ import annotations

import pytest

from socp.crypto import rotation
from socp.member.amendments import EARLY_BYTES_MAX
from socp.member.effects import Amended, LineMoved, MessageArrived, Trust
from socp.member.events import Amend, Say
from socp.member.history_line import newer
from socp.member.records import Amendment, LineState, Said
from socp.wire.canonical import to_members
from socp.wire.content import Delete, Edit, Reaction, Text
from socp.wire.msg_ref import msg_ref
from tests.member.desk import WITH_MAILBOX, Desk
from tests.member.test_content import HYBRID_ALONE, read, ref

NOBODYS = "x" * 43


@pytest.fixture
def desk() -> Desk:
    return Desk(WITH_MAILBOX).attaches()


# --- others' ------------------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_an_author_changes_and_takes_back_what_they_said(desk: Desk) -> None:
    alice = desk.friend("alice")
    alice.sends(Text(body="helo"), 1)
    (message,) = desk.told(MessageArrived)
    alice.sends(Edit(of=message.msg_ref, body="hello"), 2)
    alice.sends(Delete(of=message.msg_ref), 3)
    edit, delete = desk.told(Amended)
    assert (edit.talk, edit.of, edit.author) == (alice.id, message.msg_ref, alice.id)
    assert (edit.kind, edit.body) == ("edit", "hello")
    assert (delete.kind, delete.body) == ("delete", "")
    kept = desk.kept(Amendment)
    assert [(one.kind, one.body, one.number) for one in kept] == [
        ("edit", "hello", edit.number),
        ("delete", "", delete.number),
    ]
    assert desk.texts == ["helo"]


@pytest.mark.threat("I10")
def test_a_change_that_a_former_key_signed_is_marked_so(desk: Desk) -> None:
    alice = desk.friend("alice")
    alice.sends(Text(body="at noon"), 1)
    (message,) = desk.told(MessageArrived)
    desk.wall += 1
    raw = alice.says(Edit(of=message.msg_ref, body="at midnight"), 2)
    late = desk.frame("USER_DELIVER", alice.delivery(raw))
    desk.wall += 60_000
    step = rotation.rotate(alice.id, alice.key, desk.suite.generate(), 2, desk.wall).rotation
    said = {"user_id": alice.id, "rotations": [to_members(step)]}
    desk.hears("KEY_HISTORY", said, to="*")
    desk.hears_again(late)
    assert message.trust is Trust.PINNED
    assert [told.trust for told in desk.told(Amended)] == [Trust.FORMER_KEY]
    assert [kept.trust for kept in desk.kept(Amendment)] == [Trust.FORMER_KEY]


@pytest.mark.threat("P4")
@pytest.mark.parametrize("first", ["the words", "the deletion"])
def test_what_was_taken_back_before_it_was_seen_is_not_told_at_the_next_start(first: str) -> None:
    desk = Desk(WITH_MAILBOX, looks=False).attaches()
    alice = desk.friend("alice")
    raw = alice.says(Text(body="secret"), 1)
    text = desk.frame("USER_DELIVER", alice.delivery(raw))
    of = msg_ref(raw, alice.id, desk.id, desk.wall)
    delete = desk.frame("USER_DELIVER", alice.delivery(alice.says(Delete(of=of), 2)))
    for frame in (text, delete) if first == "the words" else (delete, text):
        desk.hears_again(frame)
    alice.sends(Text(body="other"), 3)
    assert desk.texts == ["secret", "other"]
    assert [arrived.text for arrived in desk.store().arrived] == ["other"]


@pytest.mark.spec("11")
@pytest.mark.threat("M4")
@pytest.mark.parametrize("restart", [False, True])
def test_nobody_changes_what_another_said(desk: Desk, restart: bool) -> None:
    alice, mallory = desk.friend("alice"), desk.friend("mallory")
    alice.sends(Text(body="yes"), 1)
    desk.says(mallory, "ours")
    theirs, ours = desk.told(MessageArrived)[0].msg_ref, ref(desk)
    if restart:
        desk.loses_the_link()
        desk.again(desk.store())
        desk.attaches()
    for seq, of in enumerate((theirs, ours, NOBODYS)):
        mallory.sends(Edit(of=of, body="no"), 2 * seq + 1)
        mallory.sends(Delete(of=of), 2 * seq + 2)
    assert desk.told(Amended) == []


@pytest.mark.spec("11")
def test_after_a_restart_it_is_still_known_who_wrote_what(desk: Desk) -> None:
    alice = desk.friend("alice")
    alice.sends(Text(body="helo"), 1)
    desk.loses_the_link()
    desk.again(desk.store())
    desk.attaches()
    alice.sends(Edit(of=desk.told(MessageArrived)[0].msg_ref, body="hello"), 2)
    assert [one.body for one in desk.told(Amended)] == ["hello"]


@pytest.mark.spec("11")
def test_an_edit_that_overtook_its_text_is_told_after_it(desk: Desk) -> None:
    alice = desk.friend("alice")
    raw = alice.says(Text(body="helo"), 1)
    late = alice.delivery(raw)
    of = desk.ref(desk.frame("X", late, from_=alice.id))
    alice.sends(Edit(of=of, body="hello?"), 2)
    alice.sends(Edit(of=of, body="hello!"), 3)
    assert desk.told(Amended) == []
    desk.hears("USER_DELIVER", late, ts=int(str(late["orig_ts"])))
    told = [one for one in desk.notices if isinstance(one, MessageArrived | Amended)]
    assert [type(one) for one in told] == [MessageArrived, Amended]
    assert desk.told(Amended)[0].body == "hello!"
    assert len(desk.kept(Amendment)) == 2


@pytest.mark.spec("11")
@pytest.mark.threat("M12")
def test_an_older_edit_that_comes_later_changes_nothing(desk: Desk) -> None:
    alice = desk.friend("alice")
    alice.sends(Text(body="helo"), 1)
    of = desk.told(MessageArrived)[-1].msg_ref
    alice.sends(Edit(of=of, body="hello!"), 3)
    alice.sends(Edit(of=of, body="hello?"), 2)  # sealed anew, so that its ts is a later one
    assert [told.body for told in desk.told(Amended)] == ["hello!"]
    first, second = desk.kept(Amendment)
    assert newer(first, second)
    assert not newer(second, first)


@pytest.mark.spec("11")
def test_an_older_one_that_comes_later_is_not_told_with_the_text_either(desk: Desk) -> None:
    alice = desk.friend("alice")
    late = alice.delivery(alice.says(Text(body="helo"), 1))
    of = desk.ref(alice.held(late))
    alice.sends(Edit(of=of, body="hello!"), 3)
    alice.sends(Edit(of=of, body="hello?"), 2)
    desk.hears("USER_DELIVER", late, ts=int(str(late["orig_ts"])))
    assert [told.body for told in desk.told(Amended)] == ["hello!"]


@pytest.mark.threat("S5")
def test_edits_of_what_never_comes_take_little_memory(desk: Desk) -> None:
    alice = desk.friend("alice")
    late = alice.delivery(alice.says(Text(body="helo"), 1))
    of = desk.ref(alice.held(late))
    alice.sends(Edit(of=of, body="hello"), 2)
    words = "x" * (EARLY_BYTES_MAX // 8)
    for number in range(9):
        alice.sends(Edit(of=f"{number:043d}", body=words), 3 + number)
    desk.hears("USER_DELIVER", late, ts=int(str(late["orig_ts"])))
    assert desk.told(Amended) == []
    assert len(desk.kept(Amendment)) == 10


@pytest.mark.spec("11")
def test_of_two_of_our_own_in_one_moment_the_second_counts(desk: Desk) -> None:
    alice = desk.friend("alice")
    alice.sends(Text(body="hi"), 1)
    of = desk.told(MessageArrived)[-1].msg_ref
    for emoji in ("1", "2"):
        desk.event(Amend(alice.id, of, "reaction", emoji))
    first, second = desk.kept(Amendment)
    assert newer(second, first)
    assert not newer(first, second)


@pytest.mark.spec("11")
def test_anybody_reacts_to_anything(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    alice.sends(Reaction(of=ref(desk), emoji="👍"), 1)
    alice.sends(Reaction(of=ref(desk), emoji=""), 2)
    assert [(one.kind, one.body) for one in desk.told(Amended)] == [
        ("reaction", "👍"),
        ("reaction", ""),
    ]


# --- our own ------------------------------------------------------------------------------------


@pytest.mark.spec("11")
@pytest.mark.parametrize(
    ("kind", "body", "sent"),
    [
        ("edit", "hello", Edit(of=NOBODYS, body="hello")),
        ("delete", "", Delete(of=NOBODYS)),
        ("reaction", "👍", Reaction(of=NOBODYS, emoji="👍")),
        ("reaction", "", Reaction(of=NOBODYS, emoji="")),
    ],
)
def test_the_person_amends(desk: Desk, kind: str, body: str, sent: object) -> None:
    alice = desk.friend("alice")
    desk.event(Amend(alice.id, NOBODYS, kind, body))  # type: ignore[arg-type]
    assert read(alice, desk.sent("MSG_DIRECT")[-1])[0] == sent
    (told,) = desk.told(Amended)
    assert (told.talk, told.author, told.kind, told.body) == (alice.id, desk.id, kind, body)
    desk.acks(desk.sent("MSG_DIRECT")[-1], "queued")
    moved = desk.line()
    assert (moved.state, moved.kind, moved.said) == (LineState.DONE, kind, 0)
    assert desk.kept(Said) == []


@pytest.mark.spec("11")
@pytest.mark.threat("M4")
def test_that_we_changed_anothers_words_is_not_told(desk: Desk) -> None:
    alice = desk.friend("alice")
    alice.sends(Text(body="yes"), 1)
    theirs = desk.told(MessageArrived)[0].msg_ref
    desk.event(Amend(alice.id, theirs, "edit", "no"))
    desk.event(Amend(alice.id, theirs, "delete", ""))
    assert desk.told(Amended) == []


@pytest.mark.spec("11")
def test_to_a_client_without_content_nothing_is_amended_and_it_is_said(desk: Desk) -> None:
    alice = desk.friend("alice", *HYBRID_ALONE)
    desk.event(Amend(alice.id, NOBODYS, "edit", "hello"))
    assert desk.sent("MSG_DIRECT") == []
    assert desk.line().state is LineState.REFUSED
    assert "content/1" in desk.line().reason
    assert desk.told(Amended) == []


@pytest.mark.spec("11")
@pytest.mark.parametrize("of", ["", "short", "x" * 44, "ü" * 43])
def test_what_has_no_name_cannot_be_amended(desk: Desk, of: str) -> None:
    alice = desk.friend("alice")
    desk.event(Amend(alice.id, of, "delete", ""))
    assert desk.line().state is LineState.REFUSED
    assert desk.told(Amended) == []
    assert desk.sent("MSG_DIRECT") == []


@pytest.mark.spec("11")
def test_a_line_names_what_was_sent_so_that_it_can_be_amended(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.event(Say(alice.id, "helo"))
    assert desk.line().msg_ref == ref(desk)
    desk.acks(desk.sent("MSG_DIRECT")[-1], "queued")
    assert {moved.msg_ref for moved in desk.told(LineMoved)} == {ref(desk)}
