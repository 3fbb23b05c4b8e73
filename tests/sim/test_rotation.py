"""People replace and revoke their keys while others talk to them: whole meshes (section 10)."""

from __future__ import annotations

import random

import pytest

from socp.member.effects import (
    KeyChanged,
    KeyReplaced,
    KeyRevoked,
    OwnKeyMoved,
    OwnKeyState,
    Trust,
    WhoisAnswered,
)
from socp.member.events import LookUp
from socp.member.records import LineState
from socp.sim.network import Tap
from socp.sim.user import User
from tests.sim.town import Town, town


def states(user: User) -> list[OwnKeyState]:
    return [moved.state for moved in user.told(OwnKeyMoved)]


def everybody_talks(t: Town, word: str) -> None:
    """Each to each and all to all, every line once."""
    for user in t.users:
        user.forget_notices()
    for user in t.users:
        for other in t.users:
            if other is not user:
                user.says(other, f"{word}: {user.name} to {other.name}")
        user.posts(f"{word}: {user.name} to all")
    t.run(5)
    for user in t.users:
        others = [other for other in t.users if other is not user]
        expected = [f"{word}: {other.name} to {user.name}" for other in others]
        expected += [f"{word}: {other.name} to all" for other in others]
        assert sorted(user.texts) == sorted(expected)
        assert {m.trust for m in user.messages} == {Trust.PINNED}


@pytest.mark.spec("10")
def test_a_new_key_is_followed_by_everybody_and_all_is_as_before() -> None:
    t = town()
    before = t.bob.key
    t.bob.rotates()
    t.run(5)
    assert states(t.bob) == [OwnKeyState.WAITING, OwnKeyState.REPLACED]
    assert t.bob.former == (before,)
    assert t.bob.member.fingerprint == t.bob.key.public.fingerprint != before.public.fingerprint
    for user in (t.alice, t.carol):
        (told,) = user.told(KeyReplaced)
        assert (told.user_id, told.former, told.key) == (
            t.bob.id,
            before.public.fingerprint,
            t.bob.key.public.fingerprint,
        )
        assert user.told(KeyChanged) == []
    everybody_talks(t, "after")


@pytest.mark.spec("10")
def test_who_was_away_follows_when_they_are_back() -> None:
    t = town()
    t.alice.leave()
    t.run(1)
    t.bob.rotates()
    t.run(70)
    t.bob.rotates()
    t.run(5)
    t.alice.come_back()
    t.run(5)
    assert [told.key for told in t.alice.told(KeyReplaced)] == [t.bob.key.public.fingerprint]
    everybody_talks(t, "back")


@pytest.mark.spec("10")
def test_a_message_by_a_new_key_that_nobody_told_of_is_shown_once_it_is_asked_for() -> None:
    t = town()
    assert t.alice.wire is not None
    t.alice.wire.down_tap = silent_about(t.bob)
    t.bob.rotates()
    t.run(5)
    t.bob.says(t.alice, "it is me")
    t.run(15)
    assert t.alice.texts == ["it is me"]
    assert len(t.alice.told(KeyReplaced)) == 1
    assert t.alice.refusals == []


def silent_about(user: User) -> Tap:
    """A wire on which news of `user` are lost."""

    def tap(data: bytes) -> tuple[bytes, ...]:
        news = b"KEY_HISTORY" in data or b"USER_ADVERTISE" in data
        return () if news and user.id.encode() in data else (data,)

    return tap


@pytest.mark.spec("10")
def test_mail_sealed_for_the_former_key_still_opens() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    t.bob.come_back()
    t.run(0.1)
    t.alice.says(t.bob, "before you change")
    t.bob.rotates()
    t.run(5)
    assert t.bob.texts == ["before you change"]


@pytest.mark.spec("10")
def test_lines_said_meanwhile_wait_and_go_with_the_new_key() -> None:
    t = town()
    t.bob.says(t.alice, "one")
    t.bob.rotates()
    t.bob.says(t.alice, "two")
    assert t.bob.line("two").state is LineState.WAITING
    t.run(5)
    assert t.alice.texts == ["one", "two"]
    assert t.bob.line("two").state is LineState.READ
    assert t.alice.refusals == []


@pytest.mark.spec("10")
def test_a_file_waits_for_no_key_and_a_key_for_no_new_file() -> None:
    t = town()
    content = bytes(300_000)
    t.bob.sends_file(t.alice, "big.bin", content)
    t.run(0.2)
    t.bob.rotates()
    t.run(20)
    assert t.alice.received_files == {"big.bin": content}
    assert states(t.bob)[-1] is OwnKeyState.REPLACED


@pytest.mark.threat("S8")
@pytest.mark.parametrize("after_ms", range(0, 260, 20))
def test_a_client_killed_at_any_moment_of_it_ends_with_one_key_that_works(after_ms: int) -> None:
    t = town()
    t.bob.rotates()
    t.run(after_ms / 1000)
    t.bob.kill()
    t.run(1)
    t.bob.start()
    t.run(10)
    assert t.bob.member.attached
    assert t.bob.pending is None
    assert len(t.bob.former) == 1
    everybody_talks(t, "alive")


@pytest.mark.threat("S8")
def test_the_answer_was_lost_and_the_next_hello_finds_out() -> None:
    t = town()
    t.b.bend = lambda said: None if said.type == "ACK" and b"KEY_ROTATE" in said.payload else said
    t.bob.rotates()
    t.run(1)
    t.b.bend = None
    t.run(10)
    assert states(t.bob)[-1] is OwnKeyState.REPLACED
    everybody_talks(t, "found")


@pytest.mark.threat("S8")
def test_a_server_that_lost_the_rotation_is_told_again() -> None:
    """It is killed before the commit: the statement was never taken."""
    t = town()
    disk = t.b.disk
    assert t.bob.wire is not None
    t.bob.wire.up_tap = lambda data: () if b"KEY_ROTATE" in data else (data,)
    t.bob.rotates()
    t.run(1)
    t.b.kill()
    t.run(1)
    t.b.start()
    assert t.b.disk is disk
    t.run(20)
    assert states(t.bob)[-1] is OwnKeyState.REPLACED
    everybody_talks(t, "again")


@pytest.mark.spec("10")
def test_a_second_rotation_within_the_minute_is_refused_and_all_is_as_it_was() -> None:
    t = town()
    t.bob.rotates()
    t.run(5)
    key = t.bob.key
    t.bob.rotates()
    t.run(5)
    assert states(t.bob)[-1] is OwnKeyState.REFUSED
    assert "RATE_LIMITED" in t.bob.told(OwnKeyMoved)[-1].reason
    assert (t.bob.key, t.bob.pending) == (key, None)
    everybody_talks(t, "still")


@pytest.mark.spec("10")
def test_a_user_who_rotated_moves_to_another_server() -> None:
    t = town()
    t.bob.rotates()
    t.run(5)
    t.bob.leave()
    t.run(1)
    t.bob.address = t.c.address
    t.bob.come_back()
    t.run(70)
    t.bob.rotates()
    t.run(5)
    assert states(t.bob)[-1] is OwnKeyState.REPLACED
    everybody_talks(t, "moved")


@pytest.mark.spec("10")
def test_a_newcomer_gets_the_channels_key_from_people_who_rotated() -> None:
    t = town()
    for user in t.users:
        user.rotates()
    t.run(5)
    for user in t.users:
        assert states(user)[-1] is OwnKeyState.REPLACED
    dave = t.world.add_user("dave", t.b)
    t.run(10)
    dave.posts("hello")
    t.alice.posts("welcome")
    t.run(2)
    assert "welcome" in dave.texts
    assert "hello" in t.alice.texts
    everybody_talks(t, "all")


@pytest.mark.spec("10")
def test_a_revoked_contact_is_told_blocked_and_never_back() -> None:
    t = town()
    t.alice.says(t.bob, "still there?")
    t.run(1)
    t.bob.revokes()
    t.run(3)
    assert states(t.bob) == [OwnKeyState.REVOKED]
    assert not t.bob.member.attached
    assert not t.bob.stays
    for user in (t.alice, t.carol):
        assert [told.user_id for told in user.told(KeyRevoked)] == [t.bob.id]
        assert not user.member.contacts.is_online(t.bob.id)
    t.alice.says(t.bob, "hello?")
    assert t.alice.line("hello?").state is LineState.REFUSED
    assert "revoked this id" in t.alice.line("hello?").reason
    for restarted in (t.alice, t.bob):
        restarted.kill()
        restarted.stays = True
        restarted.start()
    t.run(5)
    assert not t.bob.member.attached
    t.alice.says(t.bob, "and now?")
    assert t.alice.line("and now?").state is LineState.REFUSED


@pytest.mark.spec("10")
def test_who_was_away_hears_of_a_revocation_when_they_are_back() -> None:
    t = town()
    t.alice.leave()
    t.run(1)
    t.bob.revokes()
    t.run(2)
    t.alice.come_back()
    t.run(3)
    assert [told.user_id for told in t.alice.told(KeyRevoked)] == [t.bob.id]
    t.alice.event(LookUp(t.bob.id))
    assert "they revoked this id" in t.alice.told(WhoisAnswered)[-1].note


@pytest.mark.spec("10")
@pytest.mark.parametrize("seed", range(6))
def test_random_rotations_kills_and_partitions_end_with_everybody_talking(seed: int) -> None:
    dice = random.Random(seed)
    t = town(seed + 1)
    for _ in range(12):
        user, server = dice.choice(t.users), dice.choice((t.a, t.b, t.c))
        match dice.randrange(4):
            case 0 | 1:
                if user.pending is None and user.up:
                    user.rotates()
            case 2:
                user.kill()
                t.run(dice.random())
                user.start()
            case 3:
                server.kill()
                t.run(dice.random() * 3)
                server.start()
        t.run(dice.random() * 60)
    t.run(120)
    for user in t.users:
        assert user.member.attached
        assert user.pending is None
        assert user.told(KeyChanged) == []
    everybody_talks(t, "in the end")


@pytest.mark.spec("10")
@pytest.mark.parametrize("before", [(), ("old",)])
def test_all_that_somebody_wrote_with_a_new_key_and_left_is_read(before: tuple[str, ...]) -> None:
    """The reader was away all the time; the author is away when the reader comes."""
    t = town()
    t.alice.says(t.carol, "hi")
    t.run(1)
    t.carol.forget_notices()
    t.carol.leave()
    t.run(1)
    for text in before:
        t.alice.says(t.carol, text)
    t.run(1)
    t.alice.rotates()
    t.run(5)
    new = ("new 0", "new 1", "new 2")
    for text in new:
        t.alice.says(t.carol, text)
    t.run(1)
    t.alice.leave()
    t.run(1)
    t.carol.come_back()
    t.run(100)
    assert t.carol.texts == [*before, *new]
    assert not t.carol.refusals


@pytest.mark.spec("10")
@pytest.mark.threat("S8")
@pytest.mark.parametrize("at", ["b", "c"])
def test_a_rotation_that_a_servers_disk_did_not_take_is_heard_again(at: str) -> None:
    """alice is at a, bob at b, carol at c."""
    t = town()
    server = {"b": t.b, "c": t.c}[at]
    server.disk.fault = "full"
    t.alice.rotates()
    t.run(5)
    server.disk.fault = ""
    t.alice.says(t.carol, "hello")
    t.alice.posts("to all")
    t.run(150)
    assert sorted(t.carol.texts) == ["hello", "to all"]
    assert t.bob.texts == ["to all"]
