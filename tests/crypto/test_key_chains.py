"""Which keys each user had: what is remembered of them, and when each was theirs (section 10)."""

from __future__ import annotations

import pytest

from socp.crypto.key_chains import STEPS_PER_USER, KeyChains
from socp.crypto.rotation import KeyStep
from socp.wire import limits
from tests.crypto.scene import ALICE, BOB

pytestmark = pytest.mark.spec("10")


def step(version: int, *, user_id: str = ALICE, ts: int | None = None, sig: str = "s") -> KeyStep:
    """The first version is pinned on nobody's word."""
    when = 1_000 * (version - 1) if ts is None else ts
    said = "" if version == 1 else sig
    return KeyStep(user_id, version, f"key {version}", when, said, said, "before" if said else "")


def line(steps: int) -> KeyChains:
    return KeyChains(step(version) for version in range(1, steps + 1))


def test_a_user_whose_key_never_changed_has_no_chain() -> None:
    keys = KeyChains(())
    assert (keys.steps(ALICE), keys.chain(ALICE), keys.former(ALICE)) == ((), (), ())
    assert (keys.last_ts(ALICE), keys.count, keys.users()) == (0, 0, ())


def test_steps_are_put_into_order_whatever_order_they_were_stored_in() -> None:
    keys = KeyChains(map(step, (3, 1, 2)))
    assert [each.version for each in keys.steps(ALICE)] == [1, 2, 3]
    assert keys.count == 3


def test_of_two_steps_of_one_moment_the_lower_version_came_first() -> None:
    keys = KeyChains([step(2, ts=5), step(1, ts=5, sig="")])
    assert [each.version for each in keys.steps(ALICE)][-1] == 2


def test_a_chain_says_what_was_vouched_for_and_no_more_than_fits() -> None:
    assert [said.version for said in line(3).chain(ALICE)] == [2, 3]
    assert line(3).chain(BOB) == ()
    long = line(STEPS_PER_USER + 5)
    assert len(long.steps(ALICE)) == long.count == STEPS_PER_USER
    assert len(long.chain(ALICE)) == limits.ROTATIONS_MAX
    assert long.chain(ALICE)[-1].version == STEPS_PER_USER + 5


def test_former_keys_are_told_newest_first_and_by_when_they_were_left() -> None:
    keys = line(4)  # left at 1,000, 2,000 and 3,000
    assert keys.former(ALICE) == ("key 3", "key 2", "key 1")
    assert keys.former(ALICE, 1_500) == ("key 3", "key 2")
    assert keys.former(ALICE, 2_000) == ("key 3", "key 2")
    assert keys.former(ALICE, 2_001) == ("key 3",)
    assert keys.former(ALICE, 3_001) == ()
    assert line(1).former(ALICE) == ()


def test_the_present_key_is_theirs_since_its_step() -> None:
    assert line(3).last_ts(ALICE) == 2_000
    assert line(1).last_ts(ALICE) == 0


def test_whose_key_changed_last_stands_last() -> None:
    keys = KeyChains([step(2), step(2, user_id=BOB, ts=1_500)])
    assert keys.users() == (ALICE, BOB)
    keys.add([step(3)])
    assert keys.users() == (BOB, ALICE)


def test_a_key_that_none_before_it_vouched_for_begins_anew() -> None:
    keys = line(3)
    keys.add([KeyStep(ALICE, 4, "claimed", 9_000, "", "")])
    assert [each.pubkey for each in keys.steps(ALICE)] == ["claimed"]
    assert (keys.count, keys.former(ALICE)) == (1, ())


def test_the_newest_step_can_be_given_up_one_by_one_down_to_none() -> None:
    keys = line(3)
    keys.drop_newest(ALICE)
    assert [each.version for each in keys.steps(ALICE)] == [1, 2]
    keys.drop_newest(ALICE)
    assert [each.version for each in keys.steps(ALICE)] == [1]
    keys.drop_newest(ALICE)
    assert (keys.steps(ALICE), keys.users(), keys.count) == ((), (), 0)
