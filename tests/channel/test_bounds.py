"""What the tables of the channel forget first when they are full (section 12; threat S5)."""

from __future__ import annotations

import pytest

from socp.channel.keyring import Keyring
from socp.channel.members import MEMBERS_MAX, Members
from socp.channel.pending import PendingShares
from socp.channel.quota import AUTHORS_MAX, KEYS_PER_AUTHOR, KeyQuota
from socp.channel.versions import ANCHOR_MAX, Versions
from socp.crypto.symbolic import SymbolicSuite
from socp.wire import limits
from tests.channel.bench import ALICE, BOB, ME, bench
from tests.channel.town import user_id

pytestmark = [pytest.mark.spec("12"), pytest.mark.threat("S5")]
STRANGERS = [user_id(n) for n in range(100, 100 + MEMBERS_MAX)]


def test_a_key_is_taken_into_the_ring_once() -> None:
    mine = bench()
    key = mine.group(1)
    ring = Keyring([key, key])
    assert not ring.add(key)
    assert ring.newest_first() == (key,)


def test_who_comes_when_all_places_are_taken_is_left_out_and_who_is_there_stays() -> None:
    key = SymbolicSuite(1).generate().public
    members = Members()
    assert all(members.came(name, key) for name in STRANGERS)
    assert not members.came(BOB, key)
    assert members.came(STRANGERS[0], key)
    assert len(members.online) == MEMBERS_MAX
    members.left(STRANGERS[0])
    assert members.came(BOB, key)


def test_of_too_many_members_what_is_known_longest_is_forgotten() -> None:
    members = Members()
    members.was_given(ALICE, "f", 0)
    for name in STRANGERS[1:]:
        members.was_given(name, "f", 0)
    members.was_given(STRANGERS[1], "g", 0)  # of somebody known there may be more
    assert members.ever_held(ALICE, "f")
    members.was_given(BOB, "f", 0)
    assert not members.ever_held(ALICE, "f")
    assert members.ever_held(STRANGERS[1], "f")
    assert members.ever_held(BOB, "f")


def test_of_a_stranger_nothing_is_known() -> None:
    members = Members()
    members.forget(BOB, "f")
    members.left(BOB)
    assert not members.holds(BOB, "f", 0)
    assert not members.given_lately(BOB, "f", 0)
    assert not members.ever_held(BOB, "f")
    assert members.last_used(BOB) is None


def test_of_one_member_the_eight_latest_keys_are_remembered() -> None:
    members = Members()
    for name in "abcdefghi":
        members.used(BOB, name, 0)
    assert [members.ever_held(BOB, name) for name in "abi"] == [False, True, True]


def test_the_quota_forgets_whoever_was_quiet_longest() -> None:
    quota = KeyQuota()
    quota.brought(ALICE, 0)
    quota.brought(BOB, 0)
    for _ in range(KEYS_PER_AUTHOR - 1):
        quota.brought(ALICE, 0)
    for name in STRANGERS[: AUTHORS_MAX - 1]:  # now Bob is forgotten, and Alice the next
        quota.brought(name, 0)
    assert not quota.allows(ALICE, 0)
    quota.brought(ME, 0)
    assert quota.allows(ALICE, 0)


def test_a_newcomer_believes_a_server_up_to_a_million_versions_and_no_further() -> None:
    for version, believed in ((ANCHOR_MAX, True), (ANCHOR_MAX + 1, False)):
        versions = Versions(0)
        versions.heard(version, of_us=True)
        assert versions.counts(version) is believed
        assert versions.counts(ANCHOR_MAX + limits.CHANNEL_VERSION_JUMP) is believed


def test_who_is_owed_a_key_that_we_alone_have_is_no_holder_of_it_for_others() -> None:
    pending = PendingShares()
    pending.owe_now(ALICE, "f", 0)
    pending.owe(BOB, "f", 0, surely=False)
    assert pending.lacks(ALICE, "f")
    assert not pending.lacks(BOB, "f")
    assert not pending.lacks(ALICE, "g")
