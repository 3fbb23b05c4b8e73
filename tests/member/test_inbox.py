"""What comes in: whose it is, whether it was seen, what it says (sections 3 and 6)."""

from __future__ import annotations

import pytest

from socp.crypto import content_sig, rotation
from socp.crypto.content_sig import Form
from socp.member import held, inbox
from socp.member.effects import MessageArrived, Persist, Tell, Transmit, Trust
from socp.member.events import FrameReceived, FrameRefused
from socp.member.held import HELD_PER_AUTHOR_MAX
from socp.member.records import Contact, Seen
from socp.wire import base64url
from socp.wire.canonical import canonical, to_members
from socp.wire.errors import Code, PeerFault
from tests.member.desk import WITH_MAILBOX, Desk, Friend


@pytest.mark.spec("6")
def test_a_message_bound_to_its_author_is_shown_as_pinned() -> None:
    desk = Desk().attaches()
    desk.friend("alice").writes("hello")
    assert desk.texts == ["hello"]
    assert desk.told(MessageArrived)[0].trust is Trust.PINNED


@pytest.mark.spec("3")
def test_a_plain_v13_message_is_shown_as_not_bound() -> None:
    desk = Desk().attaches()
    desk.friend("bob", v13=True).writes("hello")
    assert desk.told(MessageArrived)[0].trust is Trust.NOT_BOUND


@pytest.mark.threat("M2")
def test_what_is_shown_was_committed_as_seen_before() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    envelope = desk.frame("USER_DELIVER", alice.delivery(alice.seals("hi")))
    effects = desk.event(FrameReceived(envelope))
    kinds = [
        type(e.record if isinstance(e, Persist) else e.notice)
        for e in effects
        if isinstance(e, Persist | Tell)
    ]
    assert kinds.index(Seen) < kinds.index(MessageArrived)


@pytest.mark.threat("I2")
def test_a_message_signed_by_another_key_than_the_pinned_one_is_not_shown() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    mallory = desk.suite.generate()
    raw = alice.seals("send me money")
    desk.hears("USER_DELIVER", alice.delivery(raw, signer=mallory))
    assert desk.refusals == []  # it could be a key that followed hers, so the server is asked
    desk.hears("PUBKEY_RESPONSE", {"user_id": alice.id, "pubkey": alice.key.public.text})
    desk.hears("USER_DELIVER", alice.delivery(raw, signer=mallory))
    assert len(desk.sent("PUBKEY_REQUEST")) == 1
    assert desk.texts == []
    assert "not signed with the key that is known" in desk.refusals[0].reason


@pytest.mark.threat("M1")
def test_a_message_signed_for_another_time_is_not_shown() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    members = alice.delivery(alice.seals("now"))
    desk.hears("USER_DELIVER", members | {"orig_ts": desk.wall + 1}, ts=desk.wall + 1)
    assert desk.texts == []


@pytest.mark.threat("M1")
def test_a_message_signed_for_somebody_else_is_not_shown() -> None:
    desk = Desk().attaches()
    alice, bob = desk.friend("alice"), desk.friend("bob")
    raw = alice.seals("for bob")
    desk.hears("USER_DELIVER", alice.delivery(raw, to=bob.id))
    assert desk.texts == []


@pytest.mark.spec("13")
def test_an_author_ts_kept_only_in_the_payload_is_found_there() -> None:
    desk = Desk(server_features=()).attaches()
    alice = desk.friend("alice", v13=True)
    members = alice.delivery(alice.seals("old server"))
    desk.hears("USER_DELIVER", members, ts=desk.wall + 5_000)
    assert desk.texts == ["old server"]
    assert desk.told(MessageArrived)[0].ts == desk.wall


@pytest.mark.spec("3")
@pytest.mark.parametrize("form", list(Form))
def test_each_known_form_of_content_sig_is_taken_and_remembered(form: Form) -> None:
    desk = Desk(server_features=()).attaches()
    alice = desk.friend("alice", v13=True)
    raw = alice.seals("hi")
    text = base64url.encode(raw)
    plain = content_sig.direct_preimage(raw, alice.id, desk.id, desk.wall)
    as_text = text.encode() + plain[len(raw) :]
    members = {"ciphertext": text, "from": alice.id, "to": desk.id, "ts": desk.wall}
    preimages = {
        Form.RAW: plain,
        Form.TEXT: as_text,
        Form.RAW_DIGESTED: _digest(plain),
        Form.TEXT_DIGESTED: _digest(as_text),
        Form.JSON: canonical(members),
    }
    payload = alice.delivery(raw) | {
        "content_sig": base64url.encode(alice.key.sign(preimages[form]))
    }
    desk.hears("USER_DELIVER", payload)
    assert desk.texts == ["hi"]
    assert desk.kept(Contact)[-1].content_form == form.value


def _digest(data: bytes) -> bytes:
    import hashlib

    return hashlib.sha256(data).digest()


@pytest.mark.threat("M2")
def test_a_replay_is_not_shown_again_not_even_after_a_restart() -> None:
    desk = Desk().attaches()
    envelope = desk.friend("alice").writes("once")
    desk.hears_again(envelope)
    desk.again(desk.store())
    desk.attaches()
    desk.wall += 86_400_000 * 90
    desk.hears_again(envelope)
    assert desk.texts == ["once"]
    assert desk.refusals == []


@pytest.mark.threat("M4")
def test_the_same_ciphertext_under_another_author_is_refused_even_after_a_restart() -> None:
    desk = Desk().attaches()
    alice, mallory = desk.friend("alice", v13=True), desk.friend("mallory", v13=True)
    raw = alice.seals("my secret words")
    desk.hears("USER_DELIVER", alice.delivery(raw))
    desk.again(desk.store())
    desk.attaches()
    desk.comes(mallory)
    desk.hears("USER_DELIVER", mallory.delivery(raw))
    assert desk.texts == ["my secret words"]
    assert "pass another's words off as theirs" in desk.refusals[0].reason


@pytest.mark.threat("M3")
def test_a_hybrid_message_cannot_be_passed_on_under_another_name() -> None:
    desk = Desk().attaches()
    alice, mallory = desk.friend("alice"), desk.friend("mallory")
    raw = alice.seals("from alice")
    desk.hears("USER_DELIVER", mallory.delivery(raw))
    assert desk.texts == []
    assert "changed on the way" in desk.refusals[0].reason


@pytest.mark.threat("M8")
@pytest.mark.parametrize("what", ["garbage", "other reader", "bad sig", "not text"])
def test_whatever_is_wrong_with_a_message_nothing_goes_back(what: str) -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", v13=True)
    before = len(desk.did(Transmit))
    members = {
        "garbage": lambda: alice.delivery(bytes(512)),
        "other reader": lambda: alice.delivery(
            alice.seals("hi", reader=desk.suite.generate().public)
        ),
        "bad sig": lambda: alice.delivery(alice.seals("hi"), signer=desk.suite.generate()),
        "not text": lambda: alice.delivery(desk.key.public.seal(b"\xff\xfe")),
    }[what]()
    desk.hears("USER_DELIVER", members)
    desk.passes(60)
    assert desk.texts == []
    assert len(desk.refusals) == 1
    assert len(desk.did(Transmit)) == before


@pytest.mark.threat("M9")
@pytest.mark.threat("M15")
def test_plain_v13_from_a_friend_who_signed_that_they_have_hybrid_is_refused() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    raw = desk.key.public.seal(b"downgraded")
    desk.hears("USER_DELIVER", alice.delivery(raw))
    assert desk.texts == []
    assert "as a plain v1.3 message although" in desk.refusals[0].reason


@pytest.mark.spec("5")
def test_a_message_by_an_unknown_author_waits_for_the_directory() -> None:
    desk = Desk().attaches()
    alice = Friend(desk, "alice", desk.suite.generate())
    alice.writes("hello")
    assert desk.texts == []
    assert desk.sent("PUBKEY_REQUEST")[0].members == {
        "user_id": alice.id,
        "bind": {
            "type": "PUBKEY_REQUEST",
            "from": desk.id,
            "to": desk.server_id,
            "ts": desk.wall,
        },
    }
    desk.hears("PUBKEY_RESPONSE", {"user_id": alice.id, "pubkey": alice.key.public.text})
    assert desk.texts == ["hello"]
    assert desk.told(MessageArrived)[0].trust is Trust.PINNED


@pytest.mark.threat("I9")
def test_a_key_from_the_directory_beats_the_one_in_the_message() -> None:
    desk = Desk().attaches()
    mallory = Friend(desk, "alice", desk.suite.generate())
    mallory.writes("i am alice")
    real = desk.suite.generate()
    desk.hears("PUBKEY_RESPONSE", {"user_id": mallory.id, "pubkey": real.public.text})
    assert desk.texts == []
    assert desk.refusals


@pytest.mark.spec("5")
@pytest.mark.parametrize("answer", ["error", "silence", "lost link"])
def test_where_nobody_knows_the_author_the_key_of_the_message_is_first_seen(answer: str) -> None:
    desk = Desk().attaches()
    alice = Friend(desk, "alice", desk.suite.generate(), ("hybrid/1",))
    alice.writes("hello")
    if answer == "error":
        error = {"code": "USER_NOT_FOUND", "detail": "no", "user_id": alice.id}
        desk.hears("ERROR", error)
    elif answer == "silence":
        desk.passes(9)
    else:
        desk.loses_the_link()
    assert desk.texts == ["hello"]
    assert desk.told(MessageArrived)[0].trust is Trust.FIRST_SEEN


@pytest.mark.spec("5")
def test_a_first_seen_key_that_the_directory_confirms_is_pinned_from_then_on() -> None:
    desk = Desk().attaches()
    alice = Friend(desk, "alice", desk.suite.generate())
    alice.writes("one")
    desk.passes(9)
    desk.comes(alice)
    alice.writes("two")
    assert [m.trust for m in desk.told(MessageArrived)] == [Trust.FIRST_SEEN, Trust.PINNED]


@pytest.mark.spec("12")
def test_messages_that_wait_for_keys_are_bounded() -> None:
    desk = Desk().attaches()
    alice = Friend(desk, "alice", desk.suite.generate())
    for number in range(HELD_PER_AUTHOR_MAX + 1):
        alice.writes(f"{number}")
    assert len(desk.refusals) == 1
    assert "too many messages wait" in desk.refusals[0].reason


@pytest.mark.threat("M14")
@pytest.mark.parametrize("forgery", ["unsigned", "unbound", "other key", "other from", "re-typed"])
def test_an_ack_that_the_server_did_not_sign_changes_nothing(forgery: str) -> None:
    desk = Desk().attaches()
    desk.says(desk.friend("alice"), "hi")
    ack = {"msg_ref": desk.ref(desk.sent("MSG_DIRECT")[0])}
    match forgery:
        case "unsigned":
            desk.hears("ACK", ack, signed=False)
        case "unbound":
            desk.hears("ACK", ack, bind=False)
        case "other key":
            desk.hears("ACK", ack, key=desk.suite.generate())
        case "other from":
            desk.hears("ACK", ack, from_=desk.id, key=desk.key)
        case "re-typed":
            bind = {"type": "HEARTBEAT", "from": desk.server_id, "to": desk.id, "ts": desk.wall}
            desk.hears("ACK", ack | {"bind": bind}, bind=False)
    assert desk.line().state == "sent"
    assert "dropped" in desk.warnings[-1]


@pytest.mark.threat("M1")
def test_a_delivery_that_the_server_of_a_bound_link_did_not_sign_is_dropped() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.hears("USER_DELIVER", alice.delivery(alice.seals("hi")), signed=False)
    assert desk.texts == []


@pytest.mark.spec("2")
def test_garbage_from_the_server_is_told_once_and_answered_by_nothing() -> None:
    desk = Desk().attaches()
    before = len(desk.did(Transmit))
    for _ in range(50):
        desk.hears("USER_ADVERTISE", {"user_id": 7})
        desk.hears("NO_SUCH_TYPE", {})
    assert len(desk.warnings) == 1
    assert len(desk.did(Transmit)) == before


@pytest.mark.threat("I10")
def test_who_revoked_their_id_is_not_shown_any_more_and_the_reason_is_said() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    said = rotation.revoke(alice.id, alice.key, 1, desk.wall).revoked
    told = {"user_id": alice.id, "rotations": [], "revoked": to_members(said)}
    desk.hears("KEY_HISTORY", told, to="*")
    alice.writes("it is still me")
    assert desk.texts == []
    assert "they revoked their id" in desk.refusals[0].reason


@pytest.mark.threat("S5")
def test_authors_whose_mail_is_left_at_the_server_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(held, "HELD_PER_AUTHOR_MAX", 1)
    monkeypatch.setattr(inbox, "LEFT_MAX", 1)
    desk = Desk(WITH_MAILBOX).attaches()
    alice, bob = desk.friend("alice", online=False), desk.friend("bob", online=False)
    for author in (alice, bob):
        for text in ("one", "two"):
            author.writes(text)
    (refused,) = desk.refusals
    assert refused.author == bob.id
    assert "too many messages wait" in refused.reason


@pytest.mark.spec("2")
def test_what_is_no_frame_at_all_is_told_once() -> None:
    desk = Desk().attaches()
    for _ in range(3):
        desk.event(FrameRefused(PeerFault(Code.BAD_FRAME, "it is no JSON")))
    (warned,) = desk.warnings
    assert "something from the server was dropped (it is no JSON)" in warned


@pytest.mark.spec("9")
def test_each_known_code_of_an_error_about_nothing_is_told_once_and_all_others_together() -> None:
    desk = Desk().attaches()
    for code in ("NOT_ALLOWED", "TOO_LARGE", "MADE_UP", "NOT_ALLOWED", "MADE_UP_TOO"):
        desk.hears("ERROR", {"code": code, "detail": "no"})
    said = [text.removeprefix("the server refused something: ") for text in desk.warnings]
    assert said == ["NOT_ALLOWED: no", "TOO_LARGE: no", "MADE_UP: no"]
