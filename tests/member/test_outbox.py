"""A line until it is handed over (sections 6 and 9)."""

from __future__ import annotations

import pytest

from socp.crypto import content_sig, hybrid
from socp.member import courier
from socp.member.attempts import Try, answered
from socp.member.compose import split
from socp.member.effects import LineMoved, Persist, Transmit
from socp.member.events import Say, Tick
from socp.member.lines import LINES_MAX
from socp.member.records import LineState, OutboxLine
from socp.wire import base64url, content
from socp.wire.envelope import Envelope
from tests.member.desk import WITH_MAILBOX, Desk, Friend, an_id


def raw(envelope: Envelope) -> bytes:
    return base64url.decode(str(envelope.members["ciphertext"]))


def opened(friend: Friend, envelope: Envelope) -> str:
    """What the friend reads in a frame of ours, as their own client would."""
    data = raw(envelope)
    if hybrid.is_hybrid(data):
        text = hybrid.open_(friend.key, data, from_=envelope.from_, to=envelope.to, ts=envelope.ts)
        if "content/1" not in friend.features:
            return text.decode()
        body, _ = content.decode(text)
        assert isinstance(body, content.Text)
        return body.body
    return friend.key.open(data).decode()


@pytest.mark.spec("6")
def test_a_line_to_a_friend_with_hybrid_is_one_sealed_and_signed_message() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.says(alice, "x" * 5000)
    (frame,) = desk.sent("MSG_DIRECT")
    assert opened(alice, frame) == "x" * 5000
    assert content_sig.verify_direct(
        desk.key.public,
        str(frame.members["ciphertext"]),
        desk.id,
        alice.id,
        frame.ts,
        str(frame.members["content_sig"]),
    )


@pytest.mark.spec("6")
def test_to_a_v13_friend_a_long_line_goes_as_several_complete_messages() -> None:
    desk = Desk().attaches()
    bob = desk.friend("bob", v13=True)
    text = "grüße und 🦊 " * 100
    desk.says(bob, text)
    frames = desk.sent("MSG_DIRECT")
    assert len(frames) > 3
    assert all(len(raw(frame)) == 512 for frame in frames)
    assert "".join(opened(bob, frame) for frame in frames) == text


@pytest.mark.spec("6")
@pytest.mark.parametrize("text", ["", "a", "é" * 500, "🦊" * 300, "word " * 400, "x" * 446 + "é"])
def test_splitting_loses_nothing_and_fits_the_block(text: str) -> None:
    parts = split(text)
    assert "".join(parts) == text
    assert all(len(part.encode()) <= 446 for part in parts)


@pytest.mark.threat("M9")
def test_the_person_is_told_once_that_a_friend_has_plain_v13_alone() -> None:
    desk = Desk().attaches()
    bob = desk.friend("bob", v13=True)
    desk.says(bob, "one")
    desk.says(bob, "two")
    assert len([text for text in desk.warnings if "bob" in text and "plain v1.3" in text]) == 1


@pytest.mark.spec("9")
def test_a_line_is_kept_before_it_is_sent_and_gone_from_the_store_once_it_is_acked() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    effects = desk.event(Say(alice.id, "hi"))
    kinds = [type(e) for e in effects if isinstance(e, Persist | Transmit)]
    assert kinds[-1] is Transmit
    assert kinds.index(Transmit) > kinds.index(Persist)
    assert desk.line().state is LineState.SENT
    desk.acks(desk.sent("MSG_DIRECT")[0])
    assert desk.line().state is LineState.DONE
    assert desk.store().outbox == ()


@pytest.mark.spec("9")
def test_a_line_to_somebody_away_waits_says_so_and_goes_when_they_come() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.goes(alice)
    desk.says(alice, "one")
    desk.says(alice, "two")
    assert desk.sent("MSG_DIRECT") == []
    assert desk.line().reason == "alice is away; it goes when they are back"
    desk.comes(alice)
    desk.passes(0.2)
    assert [opened(alice, frame) for frame in desk.sent("MSG_DIRECT")] == ["one", "two"]


@pytest.mark.spec("9")
def test_a_line_that_waits_outlives_the_process() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.goes(alice)
    desk.says(alice, "hi")
    desk.again(desk.store())
    desk.attaches()
    desk.comes(alice)
    desk.passes(0.2)
    assert [opened(alice, frame) for frame in desk.sent("MSG_DIRECT")] == ["hi"]


@pytest.mark.spec("6")
def test_a_line_to_an_unknown_key_waits_until_the_directory_names_it() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", online=False)
    desk.says(alice, "hi")
    assert desk.sent("PUBKEY_REQUEST")[0].members["user_id"] == alice.id
    response = {"user_id": alice.id, "pubkey": alice.key.public.text, "version": 1}
    desk.hears("PUBKEY_RESPONSE", response)
    desk.passes(0.2)
    assert "is away" in desk.line().reason
    desk.comes(alice)
    desk.passes(0.2)
    assert opened(alice, desk.sent("MSG_DIRECT")[0]) == "hi"


@pytest.mark.spec("9")
def test_user_not_found_makes_a_line_wait_and_compose_anew_when_they_come() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    first = desk.sent("MSG_DIRECT")[0]
    desk.refuses(first, "USER_NOT_FOUND")
    assert desk.line().state is LineState.WAITING
    assert "is away" in desk.line().reason
    desk.goes(alice)
    desk.comes(alice)
    desk.passes(0.2)
    second = desk.sent("MSG_DIRECT")[-1]
    assert raw(second) != raw(first)
    assert opened(alice, second) == "hi"


@pytest.mark.spec("9")
def test_user_not_found_for_somebody_still_shown_online_is_tried_again_later() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    desk.refuses(desk.sent("MSG_DIRECT")[0], "USER_NOT_FOUND")
    desk.passes(4)
    assert len(desk.sent("MSG_DIRECT")) == 1
    desk.passes(2)
    assert len(desk.sent("MSG_DIRECT")) == 2


@pytest.mark.spec("9")
def test_of_a_split_line_only_the_parts_that_came_back_are_sent_again() -> None:
    desk = Desk().attaches()
    bob = desk.friend("bob", v13=True)
    desk.says(bob, "a" * 446 + "b" * 446 + "c")
    first, second, third = desk.sent("MSG_DIRECT")
    desk.acks(first)
    desk.refuses(second, "USER_NOT_FOUND")
    desk.goes(bob)
    desk.comes(bob)
    desk.passes(0.2)
    again = [opened(bob, frame) for frame in desk.sent("MSG_DIRECT")[3:]]
    assert again == ["b" * 446, "c"]
    desk.acks(third)
    assert desk.line().state is LineState.SENT


@pytest.mark.spec("9")
def test_other_errors_end_a_line_with_what_the_server_said() -> None:
    desk = Desk().attaches()
    desk.says(desk.friend("alice"), "hi")
    desk.refuses(desk.sent("MSG_DIRECT")[0], "TOO_LARGE", "make it \x1b[31msmaller")
    assert desk.line().state is LineState.REFUSED
    assert desk.line().reason == "TOO_LARGE: make it ␛[31msmaller"
    assert desk.store().outbox == ()


@pytest.mark.spec("9")
def test_after_a_lost_link_the_same_bytes_go_again_while_they_are_fresh() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    first = desk.did(Transmit)[-1].data
    desk.loses_the_link()
    desk.passes(60)
    desk.attaches()
    desk.passes(0.2)
    assert desk.did(Transmit)[-1].data == first


@pytest.mark.spec("9")
def test_after_a_restart_the_same_bytes_go_again_while_they_are_fresh() -> None:
    desk = Desk().attaches()
    desk.says(desk.friend("alice"), "hi")
    first = desk.did(Transmit)[-1].data
    desk.again(desk.store())
    desk.attaches()
    desk.passes(0.2)
    assert desk.did(Transmit)[-1].data == first


@pytest.mark.spec("9")
def test_after_four_minutes_a_line_is_composed_anew() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    first = desk.sent("MSG_DIRECT")[0]
    desk.loses_the_link()
    desk.passes(241)
    desk.attaches()
    desk.comes(alice)
    desk.passes(0.2)
    second = desk.sent("MSG_DIRECT")[-1]
    assert raw(second) != raw(first)
    assert second.ts > first.ts


@pytest.mark.spec("9")
def test_a_line_nobody_answers_is_repeated_and_then_given_up_with_a_reason() -> None:
    desk = Desk().attaches()
    desk.says(desk.friend("alice"), "hi")
    desk.passes(14.9)
    assert len(desk.sent("MSG_DIRECT")) == 1
    desk.passes(0.1)
    assert len(desk.sent("MSG_DIRECT")) == 2
    desk.passes(35)
    frames = [e.data for e in desk.did(Transmit) if b'"MSG_DIRECT"' in e.data[:30]]
    assert len(frames) == 3
    assert len(set(frames)) == 1
    assert desk.line().state is LineState.REFUSED
    assert "did not say whether it took this" in desk.line().reason


@pytest.mark.spec("9")
def test_on_a_plain_server_a_line_counts_as_handed_over_after_a_while() -> None:
    desk = Desk(server_features=()).attaches()
    desk.says(desk.friend("alice"), "hi")
    desk.passes(6)
    assert desk.line().state is LineState.DONE
    assert len(desk.sent("MSG_DIRECT")) == 1


@pytest.mark.spec("12")
def test_rate_limited_pauses_and_sends_again() -> None:
    desk = Desk().attaches()
    desk.says(desk.friend("alice"), "hi")
    desk.refuses(desk.sent("MSG_DIRECT")[0], "RATE_LIMITED")
    assert "slower" in desk.line().reason
    desk.passes(1.5)
    assert len(desk.sent("MSG_DIRECT")) == 1
    desk.passes(1.5)
    assert len(desk.sent("MSG_DIRECT")) == 2


@pytest.mark.spec("12")
def test_a_burst_of_lines_stays_below_the_servers_rate() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    for number in range(300):
        desk.says(alice, f"line {number}")
    assert len(desk.sent("MSG_DIRECT")) <= 120
    desk.passes(1)
    assert len(desk.sent("MSG_DIRECT")) <= 120 + 30
    desk.passes(10)
    assert [opened(alice, frame) for frame in desk.sent("MSG_DIRECT")] == [
        f"line {number}" for number in range(300)
    ]


@pytest.mark.spec("12")
def test_the_outbox_is_bounded_and_says_so() -> None:
    desk = Desk()
    alice = Friend(desk, "alice", desk.suite.generate())
    for _ in range(LINES_MAX + 1):
        desk.says(alice, "hi")
    assert desk.line().state is LineState.REFUSED
    assert "no room for more" in desk.line().reason


@pytest.mark.spec("12")
@pytest.mark.parametrize(
    ("to", "text", "word"),
    [
        ("me", "hi", "that is you"),
        ("nonsense", "hi", "no user id"),
        ("alice", "", "nothing in it"),
        ("alice", "x" * 70_000, "send it as a file"),
    ],
)
def test_a_line_that_cannot_be_sent_is_refused_at_once(to: str, text: str, word: str) -> None:
    desk = Desk().attaches()
    ids = {"me": desk.id, "alice": desk.friend("alice").id}
    desk.event(Say(ids.get(to, to), text))
    assert desk.line().state is LineState.REFUSED
    assert word in desk.line().reason
    assert desk.kept(OutboxLine) == []


@pytest.mark.spec("2")
def test_an_error_about_the_clock_corrects_it_and_sends_the_line_again() -> None:
    desk = Desk().attaches()
    desk.says(desk.friend("alice"), "hi")
    detail = "ts is outside now ± 300 s: your clock is 400.000 s behind; set it right"
    desk.refuses(desk.sent("MSG_DIRECT")[0], "BAD_FRAME", detail)
    desk.passes(0.2)
    assert desk.sent("MSG_DIRECT")[-1].ts >= desk.wall + 399_000


@pytest.mark.spec("9")
def test_before_there_is_a_link_a_line_waits_and_says_what_for() -> None:
    desk = Desk()
    alice = Friend(desk, "alice", desk.suite.generate())
    desk.says(alice, "hi")
    assert desk.told(LineMoved)[-1].reason.startswith("not connected")


@pytest.mark.spec("9")
@pytest.mark.parametrize(
    ("status", "state", "word"),
    [
        ("delivered", LineState.DONE, ""),
        ("queued", LineState.DONE, ""),
        ("refused", LineState.REFUSED, "did not take it"),
    ],
)
def test_the_status_of_an_ack_is_told(status: str, state: LineState, word: str) -> None:
    desk = Desk().attaches()
    desk.says(desk.friend("alice"), "hi")
    ref = desk.ref(desk.sent("MSG_DIRECT")[0])
    desk.hears("ACK", {"msg_ref": ref, "status": status})
    assert desk.line().state is state
    assert word in desk.line().reason


@pytest.mark.spec("6")
def test_a_line_that_became_too_long_for_its_reader_is_refused_and_holds_up_nobody() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.goes(alice)
    desk.says(alice, "x" * 60_000)
    desk.says(alice, "short")
    desk.wall += 10
    desk.hears("USER_ADVERTISE", desk.advert(alice, features=("link-auth/1",)), to="*")
    desk.passes(0.2)
    alice.features = ()
    assert [opened(alice, frame) for frame in desk.sent("MSG_DIRECT")] == ["short"]
    refused = [line for line in desk.told(LineMoved) if line.state is LineState.REFUSED]
    assert "plain v1.3 messages alone" in refused[0].reason


@pytest.mark.spec("9")
def test_lines_sent_again_after_a_lost_link_stay_below_the_rate_too() -> None:
    desk = Desk().attaches()
    bob = desk.friend("bob", v13=True)
    for _ in range(3):
        desk.passes(3)
        desk.says(bob, "y" * 446 * 38)
    desk.loses_the_link()
    before = len(desk.sent("MSG_DIRECT"))
    assert before == 3 * 38
    desk.attaches()
    desk.passes(0.1)
    assert len(desk.sent("MSG_DIRECT")) - before <= 120
    desk.passes(4)
    assert len(desk.sent("MSG_DIRECT")) - before == 3 * 38


@pytest.mark.spec("2")
def test_half_a_character_from_a_terminal_does_no_harm() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.says(alice, "a\ud83d!")
    assert opened(alice, desk.sent("MSG_DIRECT")[0]) == "a?!"


@pytest.mark.spec("9")
def test_somebody_who_is_never_found_is_tried_less_and_less_often() -> None:
    desk = Desk().attaches()
    desk.says(desk.friend("alice"), "hi")
    for _ in range(600):
        if desk.line().state is LineState.SENT:
            desk.refuses(desk.sent("MSG_DIRECT")[-1], "USER_NOT_FOUND")
        desk.passes(1)
    assert 8 <= len(desk.sent("MSG_DIRECT")) <= 16


@pytest.mark.spec("9")
def test_that_a_server_keeps_one_line_is_said_of_no_other() -> None:
    desk = Desk(WITH_MAILBOX).attaches()
    alice = desk.friend("alice")
    desk.goes(alice)
    desk.says(alice, "one")
    desk.acks(desk.sent("MSG_DIRECT")[0], "queued")
    assert desk.line().reason == "alice is away; a server keeps it until they are back"
    desk.says(alice, "two")
    desk.acks(desk.sent("MSG_DIRECT")[-1], "delivered")
    assert (desk.line().text, desk.line().reason) == ("two", "")


@pytest.mark.spec("12")
def test_what_goes_again_waits_for_room_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "BURST", 3)
    desk = Desk().attaches()
    bob = desk.friend("bob", v13=True)
    for _ in range(2):
        desk.says(bob, "a" * 446 + "b")
        desk.passes(1)
    assert len(desk.sent("MSG_DIRECT")) == 4
    desk.loses_the_link()
    desk.attaches()
    desk.event(Tick())
    assert len(desk.sent("MSG_DIRECT")) == 6
    desk.passes(1)
    assert len(desk.sent("MSG_DIRECT")) == 8


@pytest.mark.spec("6")
def test_whom_nobody_knows_is_not_asked_for_again_with_each_line() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", online=False)
    desk.says(alice, "one")
    error = {"code": "USER_NOT_FOUND", "detail": "no", "user_id": alice.id}
    desk.hears("ERROR", error)
    desk.says(alice, "two")
    desk.passes(1)
    assert len(desk.sent("PUBKEY_REQUEST")) == 1
    assert desk.line().reason.startswith("nobody knows the key of")
    desk.mono += 600_000
    desk.passes(0.1)
    assert len(desk.sent("PUBKEY_REQUEST")) == 2


@pytest.mark.spec("12")
def test_where_too_much_waits_to_be_asked_a_key_is_asked_for_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", online=False)
    with monkeypatch.context() as full:
        full.setattr(courier, "BACKLOG_MAX", 0)
        desk.says(alice, "hi")
        assert desk.line().reason.startswith("nobody knows the key of")
    assert desk.sent("PUBKEY_REQUEST") == []
    desk.passes(0.1)
    assert len(desk.sent("PUBKEY_REQUEST")) == 1


@pytest.mark.parametrize(
    ("tried", "left"), [(None, None), (("one", "two"), ("two",)), (("of another try",),) * 2]
)
def test_a_frame_that_was_answered_leaves_its_line_and_the_attempt_that_has_the_same_frames(
    tried: tuple[str, ...] | None, left: tuple[str, ...] | None
) -> None:
    line = OutboxLine(1, an_id("alice"), "one two", LineState.SENT, (b"1", b"2"), ("r1", "r2"), 0)
    attempt = None if tried is None else Try(tried, 0)
    line = answered(line, attempt, "r1")
    assert (line.frames, line.msg_refs) == ((b"2",), ("r2",))
    assert left == (None if attempt is None else attempt.parts)
