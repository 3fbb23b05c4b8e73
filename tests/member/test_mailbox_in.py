"""What a server with `mailbox/1` hears of what it handed out (section 11; threats M2, M8, M14)."""

from __future__ import annotations

import pytest

from socp.crypto import content_sig, hybrid
from socp.member import arrivals, held
from socp.member.effects import Disconnect, MessageArrived, Persist, Tell, Transmit
from socp.member.events import FrameReceived, Shown
from socp.member.lookups import PATIENCE_MS
from socp.member.records import Arrived, Seen
from socp.member.why import Why
from socp.wire import base64url
from socp.wire.bind import check_bind
from socp.wire.envelope import Envelope
from socp.wire.payloads import parse
from tests.member.desk import WITH_MAILBOX, WITHOUT_MAILBOX, Desk, Friend
from tests.member.test_public import a_key, post, share


@pytest.fixture
def desk() -> Desk:
    return Desk(WITH_MAILBOX, looks=False).attaches()


def ref(desk: Desk, delivered: Envelope) -> str:
    """The msg_ref of a USER_DELIVER."""
    sender = str(delivered.members["sender"])
    return desk.ref(
        Envelope("MSG_DIRECT", sender, desk.id, delivered.ts, delivered.payload, delivered.sig)
    )


def acked(desk: Desk) -> list[str]:
    return [str(ack.members["msg_ref"]) for ack in desk.sent("ACK")]


@pytest.mark.spec("11")
@pytest.mark.threat("M14")
def test_a_message_is_acknowledged_once_it_is_kept_signed_and_bound(desk: Desk) -> None:
    alice = desk.friend("alice")
    before = len(desk.effects)
    delivered = alice.writes("hi")
    (ack,) = desk.sent("ACK")
    assert ack.members["msg_ref"] == ref(desk, delivered)
    assert (ack.from_, ack.to) == (desk.id, desk.server_id)
    assert desk.key.public.verify(base64url.decode(ack.sig), ack.payload)
    check_bind(ack, parse(ack), required=True)
    kinds = [type(effect) for effect in desk.effects[before:]]
    assert len(desk.kept(Seen)) == len(desk.kept(Arrived)) == 1
    assert kinds.index(Transmit) > max(at for at, kind in enumerate(kinds) if kind is Persist)


@pytest.mark.spec("11")
@pytest.mark.parametrize("features", [(), WITHOUT_MAILBOX, ("mailbox/1",)])
def test_on_any_other_link_nothing_is_acknowledged(features: tuple[str, ...]) -> None:
    """The last of them announces it, and did not prove itself."""
    desk = Desk(features, looks=False).attaches()
    desk.friend("alice").writes("hi")
    assert desk.texts == ["hi"]
    assert desk.sent("ACK") == []


@pytest.mark.spec("11")
@pytest.mark.threat("M2")
def test_what_is_handed_out_twice_is_shown_once_and_acknowledged_twice(desk: Desk) -> None:
    delivered = desk.friend("alice").writes("hi")
    desk.hears_again(delivered)
    desk.again(desk.store())
    desk.attaches()
    desk.hears_again(delivered)
    assert acked(desk) == [ref(desk, delivered)] * 3
    assert [told.msg_ref for told in desk.told(MessageArrived)] == [ref(desk, delivered)] * 2
    assert len({told.number for told in desk.told(MessageArrived)}) == 1  # not shown in between


@pytest.mark.spec("11")
def test_what_waits_for_its_authors_key_is_acknowledged_when_it_is_judged(desk: Desk) -> None:
    alice = desk.friend("alice", online=False)
    delivered = alice.writes("hi")
    assert desk.sent("PUBKEY_REQUEST")
    desk.hears_again(delivered)  # a second copy waits beside it
    assert acked(desk) == []
    response = {"user_id": alice.id, "pubkey": alice.key.public.text, "version": 1}
    desk.hears("PUBKEY_RESPONSE", response)
    assert desk.texts == ["hi"]
    assert acked(desk) == [ref(desk, delivered)]


def posts(desk: Desk, alice: Friend, n: int = 1) -> list[Envelope]:
    """Posts under a key of the channel that is not here."""
    public = desk.suite.generate().public
    envelopes = []
    for _ in range(n):
        desk.wall += 1
        raw = public.seal(b"hi")
        said: dict[str, object] = {
            "ciphertext": base64url.encode(raw),
            "sender_pub": alice.key.public.text,
            "content_sig": content_sig.sign_public(alice.key, raw, alice.id, desk.wall),
        }
        envelope = desk.frame("MSG_PUBLIC_CHANNEL", said, from_=alice.id, to="public", bind=False)
        envelopes.append(envelope)
        desk.hears_again(envelope)
    return envelopes


@pytest.mark.spec("11")
def test_a_post_that_no_key_came_for_is_told_once_and_stays_at_the_server(desk: Desk) -> None:
    alice = desk.friend("alice")
    (said,) = posts(desk, alice)
    desk.passes(31)
    assert [refusal.reason for refusal in desk.refusals] == [Why.NO_CHANNEL_KEY.value]
    desk.loses_the_link()
    desk.attaches()
    desk.hears_again(said)
    desk.passes(31)
    assert len(desk.refusals) == 1
    assert acked(desk) == []
    assert desk.did(Disconnect) == []


@pytest.mark.spec("11")
@pytest.mark.threat("S5")
def test_posts_that_no_key_opens_do_not_have_the_client_come_back_again_and_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "HELD_PER_AUTHOR_MAX", 3)
    alice = desk.friend("alice")
    said = posts(desk, alice, 5)
    for _ in range(3):
        desk.passes(40)
        for envelope in said:
            desk.hears_again(envelope)
    assert desk.did(Disconnect) == []
    assert len(desk.refusals) == 5
    assert acked(desk) == []


@pytest.mark.threat("M14")
@pytest.mark.parametrize("what", ["content_sig", "ciphertext", "nothing"])
def test_a_post_that_was_changed_on_the_way_does_not_make_the_server_drop_the_right_one(
    desk: Desk, what: str
) -> None:
    alice = desk.friend("alice")
    key = a_key(desk, alice)
    share(desk, alice, key)
    said = post(desk, alice, key, "hi")
    sound = desk.frame("MSG_PUBLIC_CHANNEL", said, from_=alice.id, to="public", bind=False)
    if what != "nothing":
        said[what] = base64url.encode(bytes(512))
    changed = desk.frame("MSG_PUBLIC_CHANNEL", said, from_=alice.id, to="public", bind=False)
    payload = changed.payload
    desk.hears_again(Envelope(sound.type, sound.from_, sound.to, sound.ts, payload, sound.sig))
    desk.passes(31)
    assert len(desk.refusals) == (0 if what == "nothing" else 1)
    assert acked(desk) == ([desk.ref(sound)] if what == "nothing" else [])


# --- M8 -----------------------------------------------------------------------------------------

WRONG = ("nothing", "unreadable", "bad tag", "bad signature", "another's words", "not text")


def handed_out(desk: Desk, alice: Friend, what: str) -> Envelope:
    """A delivery by alice with that wrong with it."""
    raw = {
        "nothing": alice.seals("hi"),
        "unreadable": alice.seals("hi", reader=desk.suite.generate().public),
        "bad tag": alice.seals("hi")[:-1] + b"x",
        "bad signature": alice.seals("hi"),
        "another's words": b"",
        "not text": b"",
    }[what]
    if what == "another's words":
        raw = alice.seals("theirs")
        bob = desk.friend("bob")
        desk.hears("USER_DELIVER", bob.delivery(raw, ts=desk.wall))
        desk.transmitted.clear()
    if what == "not text":
        own = desk.key.public
        raw = hybrid.seal(desk.suite, own, b"\xff", from_=alice.id, to=desk.id, ts=desk.wall)
    signer = desk.suite.generate() if what == "bad signature" else alice.key
    members = {**alice.delivery(raw, signer=signer), "sender_pub": alice.key.public.text}
    return desk.hears("USER_DELIVER", members)


@pytest.mark.threat("M8")
def test_the_server_hears_the_same_whether_a_message_could_be_shown_or_not() -> None:
    heard: set[tuple[object, ...]] = set()
    for what in WRONG:
        desk = Desk(WITH_MAILBOX, looks=False).attaches()
        alice = desk.friend("alice")
        before = len(desk.records)
        delivered = handed_out(desk, alice, what)
        assert (desk.texts == ["hi"]) is (what == "nothing")
        (ack,) = desk.transmitted[-1:]
        assert ack.members["msg_ref"] == ref(desk, delivered)
        waits_for_a_commit = len(desk.records) > before
        heard.add((ack.type, tuple(sorted(ack.members)), len(ack.payload), waits_for_a_commit))
    assert len(heard) == 1


@pytest.mark.threat("M8")
def test_what_was_refused_is_told_once_and_acknowledged_each_time(desk: Desk) -> None:
    alice = desk.friend("alice")
    delivered = handed_out(desk, alice, "unreadable")
    desk.hears_again(delivered)
    assert len(desk.refusals) == 1
    assert acked(desk) == [ref(desk, delivered)] * 2


# --- exactly once to the reader -----------------------------------------------------------------


@pytest.mark.spec("11")
def test_a_message_that_was_not_shown_before_a_kill_is_told_at_the_next_start(desk: Desk) -> None:
    alice = desk.friend("alice")
    for text in ("one", "two", "three"):
        alice.writes(text)
    desk.event(Shown((desk.told(MessageArrived)[0].number,)))
    desk.notices.clear()
    desk.again(desk.store())
    desk.passes(0.1)
    assert desk.texts == ["two", "three"]
    desk.attaches()
    desk.comes(alice)
    alice.writes("four")
    numbers = tuple(told.number for told in desk.told(MessageArrived))
    assert len(set(numbers)) == 3
    desk.event(Shown(numbers))
    assert desk.store().arrived == ()
    desk.notices.clear()
    desk.again(desk.store())
    desk.passes(0.1)
    assert desk.texts == []


@pytest.mark.spec("11")
def test_a_refusal_that_was_not_shown_before_a_kill_is_told_too(desk: Desk) -> None:
    handed_out(desk, desk.friend("alice"), "bad signature")
    told = desk.refusals
    desk.notices.clear()
    desk.again(desk.store())
    desk.passes(0.1)
    assert desk.refusals == told
    desk.event(Shown((told[0].number,)))
    assert desk.store().arrived == ()


@pytest.mark.spec("11")
def test_it_is_kept_before_it_is_told_on_every_kind_of_link() -> None:
    desk = Desk((), looks=False).attaches()
    bob = desk.friend("bob", v13=True)
    effects = desk.event(FrameReceived(desk.frame("USER_DELIVER", bob.delivery(bob.seals("hi")))))
    kinds = [type(effect) for effect in effects]
    assert kinds == [*[Persist] * (len(kinds) - 1), Tell]
    assert [arrived.text for arrived in desk.store().arrived] == ["hi"]


@pytest.mark.threat("S5")
def test_where_nobody_reads_the_rest_is_left_at_the_server(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "UNSEEN_MAX", 3)
    alice = desk.friend("alice")
    handed = [alice.writes(f"{number}") for number in range(5)]
    assert desk.texts == ["0", "1", "2"]
    assert acked(desk) == [ref(desk, one) for one in handed[:3]]
    desk.passes(1)
    assert desk.did(Disconnect) == []
    desk.event(Shown((1, 2, 3)))
    desk.hears_again(handed[4])
    assert desk.texts == ["0", "1", "2"]  # not before the one that was left
    desk.passes(1)
    (anew,) = desk.did(Disconnect)
    assert anew.retry
    desk.loses_the_link()
    desk.attaches()
    for one in handed[3:]:
        desk.hears_again(one)
    assert desk.texts == ["0", "1", "2", "3", "4"]


@pytest.mark.threat("S5")
def test_on_other_links_the_oldest_that_nobody_read_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arrivals, "UNSEEN_MAX", 3)
    desk = Desk(looks=False).attaches()
    alice = desk.friend("alice")
    for number in range(5):
        alice.writes(f"{number}")
    assert len(desk.texts) == 5
    assert [arrived.text for arrived in desk.store().arrived] == ["2", "3", "4"]


@pytest.mark.threat("S5")
def test_more_than_can_wait_for_a_key_is_left_at_the_server(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "HELD_PER_AUTHOR_MAX", 2)
    alice = desk.friend("alice", online=False)
    handed = [alice.writes(f"{number}") for number in range(4)]
    assert desk.refusals == []
    response = {"user_id": alice.id, "pubkey": alice.key.public.text, "version": 1}
    desk.hears("PUBKEY_RESPONSE", response)
    assert acked(desk) == [ref(desk, one) for one in handed[:2]]
    desk.passes(1)
    assert len(desk.did(Disconnect)) == 1
    desk.loses_the_link()
    desk.attaches()
    for one in handed[2:]:
        desk.hears_again(one)
    assert desk.texts == ["0", "1", "2", "3"]


@pytest.mark.spec("12")
def test_a_whole_mailbox_is_acknowledged_without_waiting_for_the_courier(desk: Desk) -> None:
    alice = desk.friend("alice")
    for number in range(500):
        alice.writes(f"{number}")
    assert len(acked(desk)) == 500
    desk.says(alice, "and I can still speak")
    assert len(desk.sent("MSG_DIRECT")) == 1


@pytest.mark.spec("11")
def test_what_was_judged_while_the_link_was_gone_is_acknowledged_on_the_next(desk: Desk) -> None:
    alice = desk.friend("alice", online=False)
    delivered = alice.writes("hi")
    desk.loses_the_link()
    assert desk.texts == ["hi"]
    assert acked(desk) == []
    desk.attaches()
    desk.hears_again(delivered)
    assert desk.texts == ["hi"]
    assert acked(desk) == [ref(desk, delivered)]


@pytest.mark.spec("11")
def test_somebody_whose_key_nobody_knows_is_acknowledged_when_that_is_clear(desk: Desk) -> None:
    alice = desk.friend("alice", online=False)
    other = desk.suite.generate()
    members = alice.delivery(alice.seals("hi"), signer=other) | {
        "sender_pub": alice.key.public.text
    }
    delivered = desk.hears("USER_DELIVER", members)
    assert acked(desk) == []
    desk.passes(PATIENCE_MS / 1000 + 1)
    assert [refusal.reason for refusal in desk.refusals] == [Why.SIGNED_BY_NOBODY.value]
    assert acked(desk) == [ref(desk, delivered)]


@pytest.mark.threat("M6")
def test_a_message_that_has_no_msg_ref_is_refused_and_not_acknowledged(desk: Desk) -> None:
    alice = desk.friend("alice")
    members = alice.delivery(alice.seals("hi"), ts=desk.wall)
    members.pop("orig_ts")
    desk.hears("USER_DELIVER", members, ts=999)
    assert len(desk.refusals) == 1
    assert acked(desk) == []


def test_that_what_nobody_waits_for_was_shown_changes_nothing(desk: Desk) -> None:
    assert desk.event(Shown((7,))) == []
