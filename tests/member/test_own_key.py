"""Our own key, replaced and revoked: what is said, when, and what is believed (section 10)."""

from __future__ import annotations

import pytest

from socp.crypto import rotation
from socp.crypto.keys import PrivateKey
from socp.crypto.rotation import KeyStep
from socp.member.effects import DropKey, OwnKeyMoved, OwnKeyState, PromoteKey, Warned
from socp.member.events import RevokeKey, RotateKey
from socp.member.member import Member
from socp.member.profile import Profile
from socp.wire import limits
from socp.wire.features import BIND, LINK_AUTH, MAILBOX, ROTATE
from socp.wire.payloads import KeyRotate, parse
from tests.member.desk import ADDRESS, ME, Desk

WITH_MAILBOX = (LINK_AUTH, BIND, MAILBOX, ROTATE)


def states(desk: Desk) -> list[OwnKeyState]:
    return [moved.state for moved in desk.told(OwnKeyMoved)]


def rotates(desk: Desk) -> PrivateKey:
    new = desk.suite.generate()
    desk.event(RotateKey(new))
    desk.passes(0.1)
    return new


def starts_again(desk: Desk, key: PrivateKey, *, pending: PrivateKey | None = None) -> None:
    """A new process on the same profile."""
    profile = Profile(desk.id, ME, "test", ADDRESS)
    desk.key = key
    desk.member = Member(profile, desk.suite, key, desk.store(), pending=pending)


@pytest.mark.spec("10")
def test_the_statement_is_kept_before_it_is_said_and_both_keys_signed_it() -> None:
    desk = Desk().attaches()
    new = rotates(desk)
    said = parse(desk.sent("KEY_ROTATE")[0])
    assert isinstance(said, KeyRotate)
    kept = desk.kept(KeyStep)
    assert [step.version for step in kept] == [1, 2]
    assert (said.pubkey, said.version, said.sig) == (new.public.text, 2, kept[1].sig)
    assert rotation.step_holds(desk.id, desk.key.public, new.public, kept[1].rotation)
    assert desk.did(PromoteKey) == []


@pytest.mark.spec("10")
def test_only_an_ack_of_the_server_makes_the_new_key_ours() -> None:
    desk = Desk().attaches()
    new = rotates(desk)
    ack = {"msg_ref": "KEY_ROTATE"}
    desk.hears("ACK", ack, key=desk.suite.generate())
    desk.hears("ACK", ack, bind=False)
    assert desk.did(PromoteKey) == []
    desk.hears("ACK", ack)
    assert desk.did(PromoteKey) == [PromoteKey(1)]
    assert states(desk)[-1] is OwnKeyState.REPLACED
    assert desk.member.fingerprint == new.public.fingerprint
    assert desk.ended[-1].retry


@pytest.mark.spec("10")
def test_after_the_last_version_there_is_no_other_key() -> None:
    desk = Desk().attaches()
    last = KeyStep(desk.id, limits.KEY_VERSION_MAX, desk.key.public.text, 0, "", "")
    desk.records.append(last)
    starts_again(desk, desk.key)
    desk.attaches()
    rotates(desk)
    (refused,) = desk.told(OwnKeyMoved)
    assert refused.state is OwnKeyState.REFUSED
    assert "nobody takes another" in refused.reason
    assert len(desk.did(DropKey)) == 1
    desk.event(RevokeKey())
    assert desk.sent("KEY_REVOKE")[0].members["version"] == limits.KEY_VERSION_MAX


@pytest.mark.spec("10")
def test_an_ack_that_nobody_waits_for_changes_nothing() -> None:
    desk = Desk().attaches()
    for ref in ("KEY_ROTATE", "KEY_REVOKE"):
        desk.hears("ACK", {"msg_ref": ref})
        desk.hears("ERROR", {"code": "BAD_KEY", "detail": "no", "msg_ref": ref})
    assert states(desk) == []
    assert desk.ended == []


@pytest.mark.spec("10")
def test_the_next_hello_carries_the_chain() -> None:
    desk = Desk().attaches()
    new = rotates(desk)
    desk.hears("ACK", {"msg_ref": "KEY_ROTATE"})
    desk.loses_the_link()
    desk.connects()
    hello = desk.sent("USER_HELLO")[-1].members
    assert hello["pubkey"] == new.public.text
    chain = hello["rotations"]
    assert isinstance(chain, list)
    assert [step["version"] for step in chain] == [2]


@pytest.mark.spec("10")
@pytest.mark.parametrize("knows", ["the former key", "the new key", "neither"])
def test_after_a_start_with_a_waiting_key_the_server_decides(knows: str) -> None:
    desk = Desk().attaches()
    former = desk.key
    new = rotates(desk)
    desk.loses_the_link()
    starts_again(desk, former, pending=new)
    desk.connects()
    refusal = {"code": "BAD_KEY", "detail": "another key"}
    if knows == "the former key":
        desk.is_challenged()
        desk.is_welcomed()
        desk.passes(0.1)
        assert desk.sent("KEY_ROTATE")[-1].members["pubkey"] == new.public.text
        assert desk.did(PromoteKey) == []
        return
    desk.hears("ERROR", refusal)
    assert desk.ended[-1].retry
    desk.loses_the_link()
    desk.connects()
    assert desk.sent("USER_HELLO")[-1].members["pubkey"] == new.public.text
    if knows == "the new key":
        desk.is_challenged()
        desk.is_welcomed()
        assert desk.did(PromoteKey) == [PromoteKey(1)]
        assert states(desk)[-1] is OwnKeyState.REPLACED
    else:
        desk.hears("ERROR", refusal)
        assert not desk.ended[-1].retry
        assert desk.member.fingerprint == former.public.fingerprint
        assert desk.did(PromoteKey) == []


@pytest.mark.threat("I10")
def test_a_server_that_refuses_our_key_gets_no_other_where_none_waits() -> None:
    desk = Desk()
    desk.connects()
    desk.hears("ERROR", {"code": "BAD_KEY", "detail": "another key"})
    assert not desk.ended[-1].retry


@pytest.mark.spec("10")
def test_a_refusal_leaves_everything_as_it_was_and_the_next_try_is_the_same_version() -> None:
    desk = Desk().attaches()
    key = desk.key
    rotates(desk)
    desk.hears("ERROR", {"code": "RATE_LIMITED", "detail": "wait", "msg_ref": "KEY_ROTATE"})
    assert states(desk)[-1] is OwnKeyState.REFUSED
    assert len(desk.did(DropKey)) == 1
    assert desk.member.fingerprint == key.public.fingerprint
    desk.passes(3)
    rotates(desk)
    assert [e.members["version"] for e in desk.sent("KEY_ROTATE")] == [2, 2]


@pytest.mark.spec("11")
@pytest.mark.parametrize("features", [(), (LINK_AUTH, BIND)])
def test_a_server_without_the_feature_is_not_asked(features: tuple[str, ...]) -> None:
    desk = Desk(server_features=features).attaches()
    rotates(desk)
    desk.event(RevokeKey())
    assert states(desk) == [OwnKeyState.REFUSED] * 2
    assert desk.sent("KEY_ROTATE") == desk.sent("KEY_REVOKE") == []
    assert len(desk.did(DropKey)) == 1


@pytest.mark.spec("10")
def test_no_answer_ends_the_link_and_the_next_hello_finds_out() -> None:
    desk = Desk().attaches()
    rotates(desk)
    desk.passes(16)
    assert "does not say what becomes of our key" in desk.ended[-1].reason
    assert desk.ended[-1].retry


@pytest.mark.spec("10")
def test_a_revoked_profile_says_no_hello_any_more() -> None:
    desk = Desk().attaches()
    desk.event(RevokeKey())
    said = desk.sent("KEY_REVOKE")[0].members
    assert said["version"] == 1
    assert states(desk) == []
    desk.hears("ACK", {"msg_ref": "KEY_REVOKE"})
    assert states(desk) == [OwnKeyState.REVOKED]
    assert not desk.ended[-1].retry
    starts_again(desk, desk.key)
    hellos = len(desk.sent("USER_HELLO"))
    desk.connects()
    assert len(desk.sent("USER_HELLO")) == hellos
    assert "you revoked this id" in desk.ended[-1].reason


@pytest.mark.spec("11")
def test_what_was_sealed_for_a_contacts_former_key_goes_again_as_it_is() -> None:
    """They open it with the former key, and see it once."""
    desk = Desk(server_features=WITH_MAILBOX).attaches()
    alice = desk.friend("alice")
    desk.says(alice, "once")
    first = desk.sent("MSG_DIRECT")[0]
    new = desk.suite.generate()
    step = rotation.rotate(alice.id, alice.key, new, 2, desk.wall).rotation
    members = {name: getattr(step, name) for name in step.__struct_fields__}
    desk.hears("KEY_HISTORY", {"user_id": alice.id, "rotations": [members]})
    alice.key = new
    desk.loses_the_link()
    desk.attaches()
    desk.comes(alice)
    desk.passes(1)
    assert desk.sent("MSG_DIRECT") == [first, first]


@pytest.mark.spec("11")
def test_what_was_signed_with_our_former_key_is_composed_anew() -> None:
    desk = Desk(server_features=WITH_MAILBOX).attaches()
    alice = desk.friend("alice")
    desk.says(alice, "later")
    first = desk.sent("MSG_DIRECT")[0]
    desk.refuses(first, "MAILBOX_FULL")
    new = rotates(desk)
    desk.hears("ACK", {"msg_ref": "KEY_ROTATE"})
    desk.loses_the_link()
    desk.key = new
    desk.attaches()
    desk.comes(alice)
    desk.passes(60)
    last = desk.sent("MSG_DIRECT")[-1]
    assert last.members["sender_pub"] == new.public.text
    assert {e.members["sender_pub"] for e in desk.sent("MSG_DIRECT")[1:]} == {new.public.text}


@pytest.mark.spec("10")
@pytest.mark.threat("I10")
def test_the_last_word_is_said_on_every_link_until_a_server_took_it() -> None:
    desk = Desk().attaches()
    desk.event(RevokeKey())
    desk.loses_the_link()
    desk.attaches()
    desk.passes(0.1)
    assert len(desk.sent("KEY_REVOKE")) == 2
    assert states(desk) == []
    desk.passes(5)
    assert len(desk.sent("KEY_REVOKE")) == 2
    desk.hears("ACK", {"msg_ref": "KEY_REVOKE"})
    assert states(desk) == [OwnKeyState.REVOKED]


@pytest.mark.spec("10")
def test_a_last_word_that_was_refused_is_told_and_not_said_again() -> None:
    desk = Desk().attaches()
    desk.event(RevokeKey())
    full = {"code": "TIMEOUT", "detail": "cannot store it", "msg_ref": "KEY_REVOKE"}
    desk.hears("ERROR", full)
    desk.loses_the_link()
    desk.attaches()
    desk.passes(5)
    assert len(desk.sent("KEY_REVOKE")) == 1
    (moved,) = desk.told(OwnKeyMoved)
    assert moved.state is OwnKeyState.REFUSED
    assert "cannot store it" in moved.reason


REPLACED = {"code": "BAD_KEY", "detail": "the key was replaced"}


@pytest.mark.threat("I10")
def test_who_was_replaced_can_still_say_the_last_word() -> None:
    desk = Desk()
    desk.connects()
    desk.is_challenged()
    desk.hears("ERROR", REPLACED)
    assert desk.ended == []
    assert desk.member.replaced
    assert "/revoke-key yes" in desk.told(Warned)[-1].text
    desk.passes(5)
    assert len(desk.transmitted) == 2
    desk.event(RevokeKey())
    said = desk.sent("KEY_REVOKE")[0].members
    assert (said["user_id"], said["version"]) == (desk.id, 1)
    desk.hears("ACK", {"msg_ref": "KEY_REVOKE"}, key=desk.suite.generate())
    assert states(desk) == []
    desk.hears("ACK", {"msg_ref": "KEY_REVOKE"})
    assert states(desk) == [OwnKeyState.REVOKED]
    assert not desk.ended[-1].retry


@pytest.mark.threat("I10")
def test_a_last_word_begun_without_a_link_is_said_on_the_next_one() -> None:
    desk = Desk()
    for _ in "ab":
        desk.connects()
        desk.is_challenged()
        desk.hears("ERROR", REPLACED)
        desk.loses_the_link()
    desk.event(RevokeKey())
    assert desk.sent("KEY_REVOKE") == []
    desk.connects()
    desk.is_challenged()
    desk.hears("ERROR", REPLACED)
    assert len(desk.sent("KEY_REVOKE")) == 1
    full = {"code": "TIMEOUT", "detail": "cannot store it", "msg_ref": "KEY_REVOKE"}
    desk.hears("ERROR", full)
    assert states(desk) == [OwnKeyState.REFUSED]
    assert desk.told(OwnKeyMoved)[0].reason == "TIMEOUT: cannot store it"
    assert len(desk.told(Warned)) == 1


@pytest.mark.threat("I10")
@pytest.mark.parametrize("how", [{"signed": False}, {"bind": False}])
def test_nobody_but_the_server_makes_us_believe_that_our_key_was_replaced(
    how: dict[str, bool],
) -> None:
    desk = Desk()
    desk.connects()
    desk.is_challenged()
    desk.hears("ERROR", REPLACED, **how)  # type: ignore[arg-type]
    assert not desk.member.replaced
    assert desk.ended
