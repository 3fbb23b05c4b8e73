"""Who gives a share when, who makes a key when, and that neither runs away (section 7)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socp.channel import waits
from socp.channel.members import MEMBERS_MAX
from socp.channel.outcomes import GenerateKey, KeyLearned, ShareToSend
from socp.crypto import channel_box
from socp.wire import base64url
from tests.channel.bench import ALICE, BOB, ME, Bench, bench
from tests.channel.town import user_id

VECTORS = Path(__file__).resolve().parents[2] / "vectors"


@pytest.fixture
def holder() -> Bench:
    mine = bench()
    mine.learns(mine.group(1))
    return mine


@pytest.fixture
def newcomer() -> Bench:
    return bench()


def ranked(newcomer: str, rank: int, names: list[str]) -> bool:
    return waits.holder_rank(newcomer, ME, names) == rank


# --- giving ---


@pytest.mark.spec("7")
def test_the_only_holder_answers_an_add_at_once(holder: Bench) -> None:
    holder.online(BOB)
    holder.add(BOB, version=1)
    (action,) = holder.after(100)
    assert isinstance(action, ShareToSend)
    assert action.member == BOB
    assert len(action.payload.shares) == 1
    assert action.payload.creator_pub == holder.me.public.text


@pytest.mark.spec("7")
@pytest.mark.parametrize("turn", [0, 3])
def test_whose_turn_it_is_may_be_said_by_the_server(holder: Bench, turn: int) -> None:
    others = [user_id(n) for n in range(10, 41)]
    target = next(n for n in others if waits.holder_rank(n, ME, others) > 5)
    holder.online(*others)
    holder.add(target, version=1, turn=turn)
    assert holder.given(max(turn * 500 - 100, 0)) == []
    assert holder.given(200) == [target]


@pytest.mark.spec("7")
def test_our_turn_is_remembered_until_the_newcomer_is_seen(holder: Bench) -> None:
    others = [user_id(n) for n in range(10, 41)]
    target = next(n for n in others if waits.holder_rank(n, ME, others) > 5)
    holder.online(*(other for other in others if other != target))
    holder.add(target, version=1, turn=0)
    holder.online(target)
    assert holder.given(200) == [target]


@pytest.mark.spec("7")
def test_what_is_given_opens_at_the_newcomer_and_goes_on_unchanged(holder: Bench) -> None:
    holder.online(BOB)
    holder.add(BOB, version=1)
    (action,) = holder.after(100)
    assert isinstance(action, ShareToSend)
    key = holder.machine.sending_key()
    assert key is not None
    wrapped = holder.keys[BOB].open(
        base64url.decode(action.payload.shares[0].wrapped_public_channel_key)
    )
    assert wrapped == key.group_key
    assert base64url.decode(action.payload.channel_priv_box) == key.box


@pytest.mark.spec("7")
@pytest.mark.parametrize("version", [0, 2, 7])
def test_an_add_for_a_version_that_is_not_current_is_ignored(holder: Bench, version: int) -> None:
    holder.online(BOB)
    holder.add(BOB, version=version)
    assert holder.given(20_000) == []


@pytest.mark.spec("7")
def test_an_add_with_a_higher_version_tells_that_we_lack_it(holder: Bench) -> None:
    holder.add(BOB, version=3)
    assert holder.machine.highest_version == 1
    assert holder.machine.highest_known == 3


@pytest.mark.spec("7")
def test_an_add_that_comes_before_the_presence_is_answered_when_that_comes(holder: Bench) -> None:
    holder.add(BOB, version=1)
    assert holder.given(1_000) == []
    holder.online(BOB)
    assert holder.given(1_000) == [BOB]


@pytest.mark.spec("7")
def test_an_add_for_somebody_who_does_not_come_within_a_minute_is_forgotten(holder: Bench) -> None:
    holder.add(BOB, version=1)
    holder.now += 60_000
    holder.online(BOB)
    assert holder.given(20_000) == []


@pytest.mark.spec("7")
def test_a_holder_of_rank_2_waits_a_second(holder: Bench) -> None:
    others = [user_id(n) for n in (10, 11, 12, 13, 14)]
    target = next(n for n in map(user_id, range(20, 41)) if ranked(n, 2, others))
    holder.online(*others, target)
    holder.add(target, version=1)
    assert holder.given(900) == []
    assert holder.given(200) == [target]


@pytest.mark.spec("7")
@pytest.mark.parametrize("hint", ["share", "wrap"])
def test_a_holder_stops_when_somebody_elses_share_or_wrap_passes(holder: Bench, hint: str) -> None:
    others = [user_id(n) for n in (10, 11, 12, 13, 14)]
    target = next(n for n in map(user_id, range(20, 41)) if ranked(n, 2, others))
    holder.online(*others, target)
    holder.add(target, version=1)
    key = holder.machine.sending_key()
    assert key is not None
    assert holder.given(500) == []
    if hint == "wrap":
        holder.updated(target, version=1)
    else:
        holder.hears(holder.share(key, others[0], target), others[0])
    assert holder.given(20_000) == []


@pytest.mark.spec("7")
def test_a_wrap_of_another_version_stops_nobody(holder: Bench) -> None:
    others = [user_id(n) for n in (10, 11, 12, 13, 14)]
    target = next(n for n in map(user_id, range(20, 41)) if ranked(n, 2, others))
    holder.online(*others, target)
    holder.add(target, version=1)
    holder.updated(target, version=2)
    assert holder.given(2_000) == [target]


@pytest.mark.spec("7")
def test_a_share_of_another_key_of_that_version_stops_nobody(holder: Bench) -> None:
    others = [user_id(n) for n in (10, 11, 12, 13, 14)]
    target = next(n for n in map(user_id, range(20, 41)) if ranked(n, 2, others))
    holder.online(*others, target)
    holder.add(target, version=1)
    holder.hears(holder.share(holder.group(1, others[0]), others[0], target), others[0])
    assert target in holder.given(2_000)


@pytest.mark.spec("7")
def test_who_leaves_before_their_turn_is_given_nothing(holder: Bench) -> None:
    others = [user_id(n) for n in (10, 11, 12, 13, 14)]
    target = next(n for n in map(user_id, range(20, 41)) if ranked(n, 2, others))
    holder.online(*others, target)
    holder.add(target, version=1)
    holder.machine.member_gone(target)
    assert holder.given(20_000) == []


@pytest.mark.spec("7")
def test_after_a_reconnect_nothing_old_is_owed(holder: Bench) -> None:
    holder.online(BOB)
    holder.add(BOB, ALICE, version=1)  # one is there, the other awaited
    holder.machine.detached()
    assert holder.given(1_000) == []
    holder.machine.attached(holder.now)
    holder.online(BOB, ALICE)
    assert holder.given(20_000) == []


@pytest.mark.spec("7")
def test_after_a_reconnect_nobody_is_online_until_they_are_seen_again(holder: Bench) -> None:
    holder.online(BOB)
    holder.machine.detached()
    holder.machine.attached(holder.now)
    holder.add(BOB, version=1)
    assert holder.given(1_000) == []


@pytest.mark.spec("7")
@pytest.mark.parametrize("giver", ["we", "somebody's wrap", "somebody's share"])
def test_who_was_just_given_the_key_is_not_given_it_again_for_a_minute(
    holder: Bench, giver: str
) -> None:
    holder.online(BOB)
    if giver == "we":
        holder.add(BOB, version=1)
        assert holder.given(1_000) == [BOB]
    elif giver == "somebody's wrap":
        holder.updated(BOB, version=1)
    else:
        key = holder.machine.sending_key()
        assert key is not None
        holder.hears(holder.share(key, ALICE, BOB))
    holder.add(BOB, version=1)
    assert holder.given(1_000) == []
    holder.now += 60_000
    holder.add(BOB, version=1)
    assert holder.given(1_000) == [BOB]


@pytest.mark.spec("7")
def test_who_used_the_key_and_then_another_lost_it(holder: Bench) -> None:
    key = holder.machine.sending_key()
    assert key is not None
    holder.online(BOB)
    holder.machine.held_by(BOB, key.fingerprint, holder.now)
    holder.machine.unreadable_by(BOB, holder.now)
    assert holder.given(1_000) == [BOB]


@pytest.mark.spec("7")
def test_who_posted_under_the_key_is_not_given_it_again(holder: Bench) -> None:
    key = holder.machine.sending_key()
    assert key is not None
    holder.online(BOB)
    holder.machine.held_by(BOB, key.fingerprint, holder.now)
    holder.add(BOB, version=1)
    assert holder.given(20_000) == []


@pytest.mark.spec("7")
def test_a_share_for_somebody_who_used_the_key_does_not_make_that_doubtful(holder: Bench) -> None:
    key = holder.machine.sending_key()
    assert key is not None
    holder.online(BOB)
    holder.machine.held_by(BOB, key.fingerprint, holder.now)
    holder.updated(BOB, version=1)
    holder.now += 60_000
    holder.add(BOB, version=1)
    assert holder.given(20_000) == []


@pytest.mark.spec("7")
def test_who_was_away_since_they_used_the_key_may_have_lost_it(holder: Bench) -> None:
    key = holder.machine.sending_key()
    assert key is not None
    holder.online(BOB)
    holder.machine.held_by(BOB, key.fingerprint, holder.now)
    holder.machine.member_gone(BOB)
    holder.now += 60_000
    holder.online(BOB)
    holder.add(BOB, version=1)
    assert holder.given(1_000) == [BOB]


@pytest.mark.spec("7")
def test_who_posts_under_another_key_is_given_ours_once_a_minute(holder: Bench) -> None:
    holder.online(BOB)
    given = []
    for _ in range(100):
        holder.machine.unreadable_by(BOB, holder.now)
        given += holder.given(100)
    assert given == [BOB]
    holder.machine.unreadable_by(BOB, holder.now + 60_000)
    holder.now += 60_000
    assert holder.given(1_000) == [BOB]


@pytest.mark.spec("7")
def test_a_list_that_names_us_who_hold_the_key_starts_no_storm() -> None:
    """A server repeats all of its users, most of whom hold the key: ranks count them as holders."""
    names = [user_id(n) for n in range(10, 40)]
    mine = bench()
    mine.learns(mine.group(1))
    mine.online(*names)
    mine.add(ME, *names, version=1)
    at_once = mine.given(400)
    assert len(at_once) < len(names) / 4


@pytest.mark.spec("12")
def test_no_more_than_20_shares_a_second_after_a_small_burst(holder: Bench) -> None:
    suite = holder.suite
    for n in range(100, 400):
        holder.machine.member_online(user_id(n), suite.generate().public, holder.now)
    holder.add(*(user_id(n) for n in range(100, 400)), version=1)
    assert len(holder.given(100)) <= 8
    assert len(holder.given(5_000)) <= 101


@pytest.mark.spec("12")
@pytest.mark.threat("S5")
def test_adds_for_ten_thousand_strangers_again_and_again_take_bounded_room(holder: Bench) -> None:
    for start in range(0, 30_000, 10_000):
        holder.add(*(user_id(n) for n in range(start, start + 10_000)), version=1)
    holder.online(BOB)
    holder.add(BOB, version=1)
    assert holder.given(1_000) == [BOB]


@pytest.mark.spec("7")
@given(n=st.integers(min_value=0, max_value=40), newcomer=st.integers(min_value=100, max_value=200))
def test_ranks_of_all_holders_are_different_up_to_the_last_that_is_counted(
    n: int, newcomer: int
) -> None:
    names = [user_id(each) for each in range(n)]
    ranks = [waits.holder_rank(user_id(newcomer), name, names) for name in names]
    assert sorted(ranks) == [min(rank, waits.HOLDER_RANKS) for rank in range(n)]


@pytest.mark.spec("7")
def test_those_who_lack_the_key_themselves_are_not_waited_for(holder: Bench) -> None:
    others = [user_id(n) for n in (10, 11, 12, 13, 14)]
    target = next(n for n in map(user_id, range(20, 41)) if ranked(n, 5, others))
    holder.online(*others, target)
    holder.add(*others, target, version=1)
    assert sorted(holder.given(100)) == sorted([*others, target])


@pytest.mark.spec("7")
def test_late_holders_do_not_all_answer_at_once() -> None:
    waited = [
        waits.holder_wait_ms(user_id(1), user_id(n), waits.HOLDER_RANKS) for n in range(2, 100)
    ]
    assert min(waited) < 5_500
    assert max(waited) > 9_500
    assert len(set(waited)) > 90


@pytest.mark.spec("12")
@pytest.mark.threat("S5")
def test_no_more_strangers_are_awaited_than_may_be_online(holder: Bench) -> None:
    holder.add(*(user_id(n) for n in range(100, 100 + MEMBERS_MAX)), version=1)
    holder.add(BOB, version=1)
    holder.online(BOB)
    assert holder.given(1_000) == []


@pytest.mark.spec("7")
@given(n=st.integers(min_value=0, max_value=10_000))
def test_holders_beyond_the_tenth_wait_between_5_and_10_s(n: int) -> None:
    assert 5_000 <= waits.holder_wait_ms(user_id(1), user_id(n), waits.HOLDER_RANKS) < 10_000


# --- those who are away ---


def absent(bench: Bench, *names: str) -> None:
    bench.machine.away((name, bench.keys[name].public) for name in names)


@pytest.mark.spec("7")
@pytest.mark.spec("11")
def test_members_who_are_away_are_given_the_key_once_and_after_those_who_wait(
    holder: Bench,
) -> None:
    holder.online(BOB)
    holder.add(BOB, version=1)
    absent(holder, ALICE, *(user_id(n) for n in range(10, 20)))
    given = holder.given(5_000)
    assert given == [BOB, *(user_id(n) for n in range(10, 20))]  # Alice made it
    absent(holder, *given)
    assert holder.given(5_000) == []


@pytest.mark.spec("7")
@pytest.mark.spec("11")
def test_who_comes_before_their_share_as_one_away_is_served_by_turns(holder: Bench) -> None:
    absent(holder, BOB)
    holder.online(BOB)
    assert holder.given(20_000) == []
    holder.machine.member_gone(BOB)
    absent(holder, BOB)
    assert holder.given(1_000) == [BOB]


@pytest.mark.spec("7")
@pytest.mark.spec("11")
def test_a_key_that_was_used_is_owed_to_those_away_when_a_newer_one_came_and_over_links(
    holder: Bench,
) -> None:
    former = holder.machine.sending_key()
    absent(holder, BOB)
    holder.learns(holder.group(2))
    holder.machine.detached()
    assert holder.given(1_000) == []
    holder.machine.attached(holder.now)
    (action,) = holder.after(1_000)
    assert isinstance(action, ShareToSend)
    assert former is not None
    assert (action.member, action.payload.version) == (BOB, former.version)


@pytest.mark.spec("7")
@pytest.mark.spec("11")
def test_who_was_seen_to_be_given_the_key_is_owed_nothing_while_away(holder: Bench) -> None:
    holder.updated(BOB, version=1)
    absent(holder, BOB)
    assert holder.given(1_000) == []


@pytest.mark.spec("7")
@pytest.mark.spec("11")
def test_who_comes_back_without_a_former_key_is_given_it_for_the_posts_that_it_opens(
    holder: Bench,
) -> None:
    former = holder.machine.sending_key()
    assert former is not None
    absent(holder, BOB)
    holder.learns(holder.group(2))
    holder.online(BOB)
    (action,) = holder.after(1_000)
    assert isinstance(action, ShareToSend)
    assert (action.member, action.payload.version) == (BOB, former.version)


@pytest.mark.spec("11")
@pytest.mark.spec("12")
def test_shares_for_those_away_keep_the_pace_too(holder: Bench) -> None:
    suite = holder.suite
    holder.machine.away((user_id(n), suite.generate().public) for n in range(100, 300))
    assert len(holder.given(100)) <= 8
    assert len(holder.given(5_000)) <= 101


@pytest.mark.spec("11")
def test_who_made_a_key_is_idle_once_all_who_are_away_were_given_it(newcomer: Bench) -> None:
    assert newcomer.machine.idle
    newcomer.after(6_000)
    newcomer.machine.generated(1, newcomer.suite.generate())
    newcomer.after(100)
    absent(newcomer, ALICE)
    assert not newcomer.machine.idle
    newcomer.machine.detached()
    assert newcomer.machine.idle  # nothing can be done about it
    newcomer.machine.attached(newcomer.now)
    assert not newcomer.machine.idle
    assert newcomer.given(1_000) == [ALICE]
    assert newcomer.machine.idle
    absent(newcomer, ALICE)
    assert newcomer.machine.idle


# --- making ---


@pytest.mark.spec("7")
def test_where_a_server_says_that_there_is_no_version_the_smallest_id_makes_one(
    newcomer: Bench,
) -> None:
    newcomer.add(ME, version=0)
    assert newcomer.after(400) == []
    assert newcomer.after(200) == [GenerateKey(1)]


@pytest.mark.spec("7")
def test_the_third_smallest_id_without_a_key_waits_two_seconds(newcomer: Bench) -> None:
    newcomer.online(ALICE, BOB, user_id(30))
    newcomer.add(ME, version=0)
    assert newcomer.after(2_400) == []
    assert newcomer.after(200) == [GenerateKey(1)]


@pytest.mark.spec("7")
def test_who_is_known_to_hold_a_key_is_not_waited_for_to_make_one(newcomer: Bench) -> None:
    newcomer.online(ALICE, BOB)
    newcomer.machine.unreadable_by(ALICE, newcomer.now)
    newcomer.machine.unreadable_by(BOB, newcomer.now)
    newcomer.add(ME, version=4)
    assert newcomer.after(4_900) == []
    assert newcomer.after(200) == [GenerateKey(5)]


@pytest.mark.spec("7")
def test_without_any_word_a_key_is_made_after_5_s(newcomer: Bench) -> None:
    assert newcomer.after(4_900) == []
    assert newcomer.after(100) == [GenerateKey(1)]


@pytest.mark.spec("7")
def test_nothing_is_made_before_the_hello_or_after_the_link_is_lost(newcomer: Bench) -> None:
    newcomer.machine.detached()
    assert newcomer.after(20_000) == []


@pytest.mark.spec("7")
@pytest.mark.parametrize("sign", ["wraps", "shares"])
def test_shares_that_pass_for_others_put_off_making_a_key_but_not_for_ever(
    newcomer: Bench, sign: str
) -> None:
    key, waited = newcomer.group(3), 0
    while not (actions := newcomer.after(1_000)):
        if sign == "wraps":
            newcomer.updated(BOB, version=3)
        else:
            newcomer.hears(newcomer.share(key, ALICE, BOB))
        waited += 1_000
        assert waited < 70_000
    assert waited >= 55_000
    assert actions == [GenerateKey(4)]


@pytest.mark.spec("7")
def test_a_key_is_asked_for_once_and_again_only_after_a_minute(newcomer: Bench) -> None:
    assert newcomer.after(60_000) == [GenerateKey(1)]
    assert newcomer.after(10_000) == [GenerateKey(1)]


@pytest.mark.spec("7")
def test_a_key_that_was_made_is_kept_first_and_then_given_to_all_in_order(newcomer: Bench) -> None:
    newcomer.online(BOB, ALICE)
    newcomer.after(8_000)
    private = newcomer.suite.generate()
    newcomer.machine.generated(1, private)
    learned, *given = newcomer.after(100)
    assert isinstance(learned, KeyLearned)
    key = learned.key
    assert (key.creator_id, key.private, key.public) == (ME, private, private.public)
    opened = channel_box.open_private(newcomer.suite, key.group_key, key.box, 1, key.public)
    assert opened.to_bytes() == private.to_bytes()
    assert [each.member for each in given if isinstance(each, ShareToSend)] == [ALICE, BOB, ME]


@pytest.mark.spec("7")
def test_a_key_that_was_made_in_vain_is_not_used(newcomer: Bench) -> None:
    newcomer.after(8_000)
    newcomer.learns(newcomer.group(1))
    newcomer.machine.generated(1, newcomer.suite.generate())
    assert newcomer.after(20_000) == []
    assert [key.creator_id for key in newcomer.machine.reading_keys()] == [ALICE]


@pytest.mark.spec("7")
def test_a_key_that_nobody_asked_for_is_not_used(newcomer: Bench) -> None:
    newcomer.machine.generated(1, newcomer.suite.generate())
    assert newcomer.after(20_000) == [GenerateKey(1)]


@pytest.mark.spec("7")
def test_who_turns_up_just_after_a_key_was_made_is_given_it_without_an_add(
    newcomer: Bench,
) -> None:
    newcomer.after(6_000)
    newcomer.machine.generated(1, newcomer.suite.generate())
    newcomer.after(1_000)
    newcomer.online(BOB)
    assert newcomer.given(500) == [BOB]


@pytest.mark.spec("7")
def test_who_holds_a_key_never_makes_one(holder: Bench) -> None:
    holder.add(ME, BOB, version=7)
    assert holder.after(120_000) == []


RANKS = json.loads((VECTORS / "wire/rank.json").read_text())["cases"]


@pytest.mark.spec("7")
@pytest.mark.parametrize("case", RANKS, ids=lambda case: case["why"])
def test_holders_take_their_turns_as_the_vectors_say(case: dict[str, Any]) -> None:
    holders = case["holders"]
    ranks = {holder: waits.holder_rank(case["newcomer"], holder, holders) for holder in holders}
    assert sorted(holders, key=lambda holder: ranks[holder]) == case["ranked"]
    assert sorted(ranks.values()) == list(range(len(holders)))


# --- rest ---


def test_who_has_no_key_or_owes_one_has_something_to_do_and_else_rests(holder: Bench) -> None:
    assert holder.machine.rests
    holder.online(BOB)
    holder.add(BOB, version=1, turn=0)
    assert not holder.machine.rests
    assert holder.given(2_000) == [BOB]
    assert holder.machine.rests
    fresh = bench()
    assert not fresh.machine.rests, "a key may have to be made"
    fresh.machine.detached()
    assert fresh.machine.rests, "without a link nothing can be done"
