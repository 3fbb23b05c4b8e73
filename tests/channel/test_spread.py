"""How one key comes to be everybody's: many ChannelKeys, no shared state (section 7)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socp.channel.machine import ChannelKeys
from socp.crypto.keys import RsaSuite
from tests.channel.town import Member, Town
from tests.keys import test_key as stored_key


def founded(town: Town, n: int) -> list[Member]:
    """`n` members on the first server, with one key."""
    people = town.members(n)
    for who in people:
        town.arrives(who)
    town.settles(within_ms=60_000)
    town.runs(15_000)
    return people


@pytest.mark.spec("7")
def test_somebody_alone_makes_version_1_within_two_seconds() -> None:
    town = Town()
    alice = town.member(1)
    town.arrives(alice)
    assert town.settles(within_ms=2_000) <= 2_000
    assert alice.machine.highest_version == 1


@pytest.mark.spec("7")
def test_who_makes_a_key_shares_it_with_themselves_too_so_that_their_server_has_a_wrap() -> None:
    town = Town()
    alice = town.member(1)
    town.arrives(alice)
    town.settles(within_ms=2_000)
    assert alice.sent == [alice.name]


@pytest.mark.spec("7")
@pytest.mark.parametrize("n", [2, 3, 12])
def test_many_who_start_at_once_get_the_key_of_the_smallest_id(n: int) -> None:
    town = Town()
    people = town.members(n)
    for who in reversed(people):
        town.arrives(who)
    town.settles(within_ms=5_000)
    assert {who.machine.highest_version for who in people} == {1}
    assert people[0].made == 1
    assert sum(bool(who.kept) and who.kept[0].creator_id == who.name for who in people) == 1


@pytest.mark.spec("7")
def test_a_hundred_who_start_at_once_agree_and_nobody_else_makes_a_version() -> None:
    town = Town()
    people = town.members(100)
    for who in people:
        town.arrives(who)
    town.settles(within_ms=15_000)
    assert {who.machine.highest_version for who in people} == {1}
    assert sum(who.made for who in people) <= 3  # started, and then thrown away


@pytest.mark.spec("7")
def test_a_newcomer_gets_the_key_from_exactly_one_holder() -> None:
    town = Town()
    people = founded(town, 12)
    for who in people:
        who.sent.clear()
    newcomer = town.member(99)
    town.arrives(newcomer)
    assert town.settles(within_ms=3_000) <= 3_000
    town.runs(15_000)
    assert sum(who.sent.count(newcomer.name) for who in people) == 1
    assert newcomer.made == 0


@pytest.mark.spec("7")
def test_when_the_first_holder_is_silent_the_next_one_answers() -> None:
    town = Town()
    people = founded(town, 6)
    for who in people:
        who.sent.clear()
    lost: list[str] = []

    def loses(member: str, _share: object) -> bool:
        lost.append(member)
        return len(lost) <= 2

    town.loses = loses
    newcomer = town.member(99)
    town.arrives(newcomer)
    town.settles(within_ms=4_000)
    assert sum(who.sent.count(newcomer.name) for who in people) == 3
    assert newcomer.machine.highest_version == 1


@pytest.mark.spec("7")
def test_with_no_holder_online_the_newcomer_makes_the_next_version_after_5_s() -> None:
    town = Town()
    people = founded(town, 2)
    for who in people:
        town.leaves(who)
    newcomer = town.member(99)
    town.arrives(newcomer)
    assert town.settles(within_ms=8_000) >= 5_000
    assert newcomer.machine.highest_version == 2


@pytest.mark.spec("7")
def test_who_was_away_gets_the_new_version_when_they_come_back_and_keeps_the_old_one() -> None:
    town = Town()
    alice, bob = founded(town, 2)
    first = alice.sending
    assert first is not None
    town.leaves(alice)
    town.leaves(bob)
    newcomer = town.member(99)
    town.arrives(newcomer)
    town.settles(within_ms=8_000)
    town.arrives(alice)
    town.settles(within_ms=3_000)
    assert alice.machine.highest_version == 2
    assert alice.reads(first)


@pytest.mark.spec("7")
def test_who_comes_back_with_the_current_key_is_given_nothing() -> None:
    town = Town()
    alice, bob = founded(town, 2)
    town.leaves(bob)
    alice.sent.clear()
    town.arrives(bob)
    town.runs(10_000)
    assert alice.sent == []
    assert bob.sending == alice.sending


@pytest.mark.spec("7")
@pytest.mark.parametrize("sizes", [(1, 1), (3, 4), (20, 20)])
def test_two_halves_that_each_made_version_1_agree_when_they_meet(sizes: tuple[int, int]) -> None:
    town = Town(servers=2)
    left, right = town.servers
    here = town.members(sizes[0])
    there = town.members(sizes[1], start=500)
    for who in here:
        town.arrives(who, left)
    for who in there:
        town.arrives(who, right)
    town.runs(20_000)
    assert here[0].sending != there[0].sending
    keys = {str(here[0].sending), str(there[0].sending)}
    town.links(left, right)
    town.settles(within_ms=15_000)
    town.runs(15_000)
    assert {who.sending for who in town.there()} == {min(keys)}
    assert all(who.reads(key) for who in town.there() for key in keys)
    assert {who.machine.highest_version for who in town.there()} == {1}


@pytest.mark.spec("7")
def test_halves_with_different_versions_agree_on_the_higher_once_somebody_speaks() -> None:
    town = Town(servers=2)
    left, right = town.servers
    here, there = town.members(3), town.members(3, start=500)
    for who in here:
        town.arrives(who, left)
    town.runs(20_000)
    for who in there:
        town.arrives(who, right)
    town.runs(20_000)
    for who in there:
        town.leaves(who)
    late = town.member(900)
    town.arrives(late, right)
    town.runs(10_000)
    assert late.machine.highest_version == 2
    town.links(left, right)
    town.runs(10_000)
    for who in town.there():
        town.posts(who)
    town.runs(10_000)
    assert {who.machine.highest_version for who in town.there()} == {2}
    assert len({who.sending for who in town.there()}) == 1


@pytest.mark.spec("7")
def test_a_lost_share_heals_when_the_one_who_lacks_it_posts() -> None:
    town = Town(servers=2)
    left, right = town.servers
    here, there = town.members(3), town.members(3, start=500)
    for who in here:
        town.arrives(who, left)
    for who in there:
        town.arrives(who, right)
    town.runs(20_000)
    loser = max(here[0], there[0], key=lambda who: str(who.sending))
    town.loses = lambda member, _share: member == loser.name
    town.links(left, right)
    town.runs(30_000)
    lagging = loser.sending
    assert lagging != min(str(who.sending) for who in town.there())
    town.loses = lambda _member, _share: False
    town.runs(61_000)  # until nobody takes the lost share for one on its way
    town.posts(loser)
    town.settles(within_ms=10_000)
    assert loser.sending != lagging


@pytest.mark.spec("7")
@settings(max_examples=15, deadline=None)
@given(
    pattern=st.lists(st.booleans(), min_size=5, max_size=40),
    n=st.integers(min_value=2, max_value=8),
)
def test_whatever_shares_are_lost_all_agree_in_the_end(pattern: list[bool], n: int) -> None:
    town = Town()
    dice = iter(pattern)
    town.loses = lambda _member, _share: next(dice, False)
    for who in town.members(n):
        town.arrives(who)
    town.runs(45_000)
    for _ in range(4 + len(pattern)):  # in the worst case each round loses what would heal it
        for who in town.there():
            if who.sending is not None:
                town.posts(who)
        town.runs(65_000)
        if len({who.sending for who in town.there()}) == 1:
            break
    assert len({who.sending for who in town.there()}) == 1
    versions = {who.machine.highest_version for who in town.there()}
    assert max(versions) <= 1 + len(pattern)


@pytest.mark.spec("7")
def test_the_smallest_id_that_never_makes_a_key_holds_nobody_up_for_long() -> None:
    town = Town()
    foreign, alice = town.members(2)
    town.arrives(foreign)
    foreign.machine.detached()  # online, and deaf
    town.arrives(alice)
    town.runs(4_000)
    assert alice.sending is not None
    assert foreign.made == 0


@pytest.mark.spec("7")
def test_real_keys_do_what_symbolic_ones_do() -> None:
    suite = RsaSuite()
    town = Town(suite=suite)
    alice = town.member(1, key=stored_key(0))
    bob = town.member(2, key=stored_key(1))
    town.suite = type("Stored", (), {"generate": staticmethod(lambda: stored_key(2))})()
    town.arrives(alice)
    town.arrives(bob)
    town.settles(within_ms=4_000)
    assert alice.sending == bob.sending == stored_key(2).public.fingerprint
    key = bob.machine.sending_key()
    assert key is not None
    assert key.private.open(key.public.seal(b"hello")) == b"hello"


@pytest.mark.spec("7")
def test_keys_that_were_kept_are_used_again_after_a_restart() -> None:
    town = Town()
    alice, _ = founded(town, 2)
    again = ChannelKeys(town.suite, alice.key, alice.name, alice.kept)
    assert again.sending_key() == alice.machine.sending_key()
    assert again.highest_version == 1


@pytest.mark.spec("7")
@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(0, 7), st.integers(100, 9_000)), min_size=5, max_size=25)
)
def test_whoever_comes_goes_parts_and_meets_all_agree_once_it_is_calm(
    steps: list[tuple[int, int]],
) -> None:
    town = Town(servers=2)
    left, right = town.servers
    people = town.members(6)
    for step, pause_ms in steps:
        if step < len(people):
            who = people[step]
            if who.server is None:
                town.arrives(who, town.servers[step % 2])
            else:
                town.leaves(who)
        elif right in left.linked:
            town.parts(left, right)
        else:
            town.links(left, right)
        town.runs(pause_ms)
    if right not in left.linked:
        town.links(left, right)
    for who in people:
        if who.server is None:
            town.arrives(who)
    for _ in range(3):
        town.runs(65_000)
        for who in people:
            town.posts(who)
    town.runs(10_000)
    assert len({who.sending for who in people}) == 1
    assert all(len(town.posts(who)) == len(people) - 1 for who in people)
    assert max(who.machine.highest_version for who in people) <= len(steps) + 1
