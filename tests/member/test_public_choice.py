"""Who may read what the person says to everybody: they see it, and they choose (section 7)."""

from __future__ import annotations

import pytest

from socp.crypto import hybrid
from socp.member.effects import KeyChanged, MembersShown
from socp.member.events import ChoosePublic, KeepKey, Say, Unverify, Verify
from socp.member.records import LineState, PublicChoice, TrustState
from socp.wire import base64url, content
from socp.wire.features import PRESENCE
from tests.member.desk import START_MS, WITH_MAILBOX, Desk, Friend, an_id
from tests.member.test_public import with_key


def verifies(desk: Desk, *friends: Friend) -> None:
    for friend in friends:
        desk.event(Verify(friend.id, friend.key.public.fingerprint))


def chooses(desk: Desk, *, verified_only: bool = False, leave_out: bool = False) -> None:
    desk.event(ChoosePublic(PublicChoice(verified_only, leave_out)))


def posts(desk: Desk) -> int:
    return len(desk.sent("MSG_PUBLIC_CHANNEL"))


@pytest.mark.spec("7")
def test_a_post_to_verified_members_alone_waits_and_says_for_whom() -> None:
    desk = Desk().attaches()
    alice, bob = desk.friend("alice"), desk.friend("bob")
    with_key(desk)
    chooses(desk, verified_only=True)
    verifies(desk, alice)
    desk.event(Say("public", "for those I know"))
    desk.passes(5)
    line = desk.line()
    assert line.state is LineState.WAITING
    assert line.reason.startswith("bob is not verified")
    assert "alice" not in line.reason
    assert posts(desk) == 0
    assert not desk.member.reaches("public")
    verifies(desk, bob)
    desk.passes(0.1)
    assert posts(desk) == 1


@pytest.mark.spec("7")
@pytest.mark.parametrize("how", ["a newcomer", "a changed key", "no longer sure"])
def test_whoever_is_not_verified_any_more_holds_up_the_next_post(how: str) -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    with_key(desk)
    verifies(desk, alice)
    chooses(desk, verified_only=True)
    desk.event(Say("public", "one"))
    assert posts(desk) == 1
    if how == "a newcomer":
        desk.friend("bob")
    elif how == "a changed key":
        desk.wall += 1
        other = desk.suite.generate()
        desk.hears("USER_ADVERTISE", desk.advert(alice, key=other), to="*")
    else:
        desk.event(Unverify(alice.id))
    desk.event(Say("public", "two"))
    desk.passes(5)
    assert posts(desk) == 1
    if how == "a changed key":
        desk.event(KeepKey(alice.id, desk.told(KeyChanged)[0].claimed))
        desk.passes(0.1)
        assert posts(desk) == 2


@pytest.mark.spec("7")
def test_the_choice_outlives_the_process_and_can_be_taken_back() -> None:
    desk = Desk().attaches()
    desk.friend("alice")
    with_key(desk)
    chooses(desk, verified_only=True)
    desk.again(desk.store())
    desk.attaches()
    assert desk.member.public_choice.verified_only
    desk.event(Say("public", "to all after all"))
    desk.passes(1)
    assert posts(desk) == 0
    chooses(desk)
    desk.passes(0.1)
    assert posts(desk) == 1


@pytest.mark.spec("7")
def test_many_who_are_not_verified_are_named_in_part() -> None:
    desk = Desk().attaches()
    for number in range(40):
        desk.friend(f"stranger{number}")
    with_key(desk)
    chooses(desk, verified_only=True)
    desk.event(Say("public", "hello"))
    desk.passes(1)
    reason = desk.line().reason
    assert "and others are not verified" in reason
    assert reason.count("stranger") == 5


@pytest.mark.spec("7")
def test_who_lacks_hybrid_is_named_and_the_person_may_leave_them_out() -> None:
    desk = Desk().attaches()
    desk.friend("alice")
    desk.friend("bob", v13=True)
    record = with_key(desk)
    desk.event(Say("public", "plain"))
    assert "bob: no hybrid/1 there, so what you send to everybody goes as plain" in desk.warnings[0]
    chooses(desk, leave_out=True)
    desk.event(Say("public", "bound"))
    assert "bob: no hybrid/1 there, so they cannot read" in desk.warnings[-1]
    plain, bound = (
        base64url.decode(str(f.members["ciphertext"])) for f in desk.sent("MSG_PUBLIC_CHANNEL")
    )
    assert not hybrid.is_hybrid(plain)
    private = desk.suite.load_private(record.private)
    ts = desk.sent("MSG_PUBLIC_CHANNEL")[-1].ts
    opened = hybrid.open_(private, bound, from_=desk.id, to="public", ts=ts)
    assert content.decode(opened)[0] == content.Text(body="bound")


@pytest.mark.spec("11")
@pytest.mark.threat("I9")
def test_where_more_are_here_than_one_can_watch_a_post_is_not_said_to_be_for_known_people() -> None:
    desk = Desk(server_features=(*WITH_MAILBOX, PRESENCE)).attaches()
    crowd = [an_id(f"u{n}") for n in range(1_200)]
    desk.hears("USER_LIST", {"users": crowd, "more": True})
    verifies(desk, desk.friend("alice"))
    with_key(desk)
    chooses(desk, verified_only=True)
    desk.event(Say("public", "for those I know"))
    desk.passes(1)
    assert desk.line().reason.startswith("more are here than you can hear of, who are not verified")
    assert posts(desk) == 0
    chooses(desk)
    desk.passes(1)
    assert "more are here than you can hear of, and some may have no hybrid/1" in desk.warnings[-1]
    (post,) = desk.sent("MSG_PUBLIC_CHANNEL")
    assert not hybrid.is_hybrid(base64url.decode(str(post.members["ciphertext"])))


@pytest.mark.spec("11")
@pytest.mark.parametrize(("hybrid_too", "content_too"), [(301, 301), (301, 300), (300, 300)])
def test_in_a_crowd_a_post_has_the_form_that_all_can_read_as_the_server_counts_them(
    hybrid_too: int, content_too: int
) -> None:
    desk = Desk(server_features=(*WITH_MAILBOX, PRESENCE)).attaches()
    counted = {"online": 301, "hybrid": hybrid_too, "content": content_too}
    desk.hears("USER_LIST", {"users": [], "more": True, "everybody": counted})
    desk.hears("USER_LIST", {"users": [], "more": True, "everybody": counted})
    desk.friend("alice")
    record = with_key(desk)
    desk.event(Say("public", "hello"))
    (post,) = desk.sent("MSG_PUBLIC_CHANNEL")
    raw = base64url.decode(str(post.members["ciphertext"]))
    assert hybrid.is_hybrid(raw) is (hybrid_too == 301)
    if hybrid_too < 301:
        return
    private = desk.suite.load_private(record.private)
    opened = hybrid.open_(private, raw, from_=desk.id, to="public", ts=post.ts)
    assert (opened == b"hello") is (content_too < 301)


@pytest.mark.spec("7")
def test_everybody_sees_who_the_members_are_since_when_and_how_sure_before_sending() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.friend("bob", v13=True)
    with_key(desk)
    verifies(desk, alice)
    desk.event(Say("public", "hello"))
    (shown,) = desk.told(MembersShown)
    seen = {person.label: person for person in shown.members}
    assert set(seen) == {"alice", "bob"}
    assert all(START_MS <= person.first_seen_ms <= desk.wall for person in shown.members)
    assert seen["alice"].state is TrustState.VERIFIED
    assert seen["bob"].state is TrustState.UNVERIFIED
    assert (seen["alice"].hybrid, seen["bob"].hybrid) == (True, False)
