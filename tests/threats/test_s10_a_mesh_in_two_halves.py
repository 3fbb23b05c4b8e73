"""S10: a mesh falls apart and heals, after both halves changed."""

from __future__ import annotations

import random

import pytest

from socp.member.effects import KeyChanged
from socp.sim.user import User
from socp.wire.payloads import ListRequest
from tests.sim.town import Town, town

HEALED_S = 90  # two servers find each other again within a minute (section 5), and say who is there


def fall_apart(t: Town) -> None:
    """Carol's half, with her server, is alone; 45 s later the other half knows."""
    t.world.network.part(t.c, t.carol)


def heal(t: Town) -> None:
    t.world.network.heal()
    t.run(HEALED_S)


def seen_online(t: Town, user: User) -> set[str]:
    """Who is there, as this user's server says."""
    user.forge(ListRequest.TYPE, {}, to=user.id)
    t.run(1)
    whole = [said for said in user.heard("USER_LIST") if "everybody" not in said.members]  # no page
    listed = whole[-1].members["users"]
    assert isinstance(listed, list)
    return set(listed)


def all_agree(t: Town, there: set[str]) -> None:
    for user in t.users:
        if user.member.attached:
            assert seen_online(t, user) == there


@pytest.mark.threat("S10")
def test_each_half_goes_on_alone_and_knows_whom_it_lost() -> None:
    t = town()
    fall_apart(t)
    t.run(5)
    assert seen_online(t, t.alice) == {t.alice.id, t.bob.id}
    assert seen_online(t, t.carol) == {t.carol.id}
    t.alice.says(t.bob, "only us")
    t.run(2)
    assert t.bob.texts == ["only us"]


@pytest.mark.threat("S10")
def test_directories_agree_again_after_both_halves_changed() -> None:
    t = town()
    fall_apart(t)
    t.run(5)
    dave, erin = t.world.add_user("dave", t.a), t.world.add_user("erin", t.b)
    t.bob.leave()
    t.run(10)
    assert seen_online(t, t.alice) == {t.alice.id, dave.id, erin.id}
    heal(t)
    all_agree(t, {t.alice.id, t.carol.id, dave.id, erin.id})
    t.carol.says(erin, "new here?")
    t.run(2)
    assert erin.texts == ["new here?"]


@pytest.mark.threat("S10")
def test_what_was_said_across_the_rift_arrives_once_and_in_order() -> None:
    t = town()
    fall_apart(t)
    t.run(5)
    for n in range(3):
        t.alice.says(t.carol, f"over {n}")
        t.carol.says(t.alice, f"back {n}")
    t.run(30)
    assert t.carol.texts == []
    heal(t)
    assert t.carol.texts == [f"over {n}" for n in range(3)]
    assert t.alice.texts == [f"back {n}" for n in range(3)]


@pytest.mark.threat("S10")
def test_a_user_who_moved_to_the_other_half_is_where_they_said_last() -> None:
    t = town()
    t.world.network.part(t.c, t.carol, t.bob)
    t.bob.leave()
    t.bob.address = t.c.address
    t.bob.come_back()
    t.run(20)
    assert seen_online(t, t.carol) == {t.bob.id, t.carol.id}
    heal(t)
    all_agree(t, {t.alice.id, t.bob.id, t.carol.id})
    t.alice.says(t.bob, "moved?")
    t.run(3)
    assert t.bob.texts == ["moved?"]


@pytest.mark.threat("S10")
def test_an_id_that_two_halves_pinned_with_two_keys_is_told_and_nobody_is_moved() -> None:
    """Split brain on an id: who was first in one half stays so there, and hears of the other."""
    t = town()
    fall_apart(t)
    t.run(5)
    dave = t.world.add_user("dave", t.a)
    t.run(2)
    impostor = t.world.add_user("dave", t.c)
    t.run(10)
    dave.says(t.alice, "it is me")
    t.run(2)
    heal(t)
    t.alice.says(dave, "which one?")
    t.run(5)
    assert dave.texts == ["which one?"]
    assert impostor.texts == []
    assert t.alice.told(KeyChanged) == []


@pytest.mark.threat("S10")
@pytest.mark.parametrize("seed", range(8))
def test_any_number_of_rifts_ends_with_all_in_agreement_and_nothing_lost(seed: int) -> None:
    dice = random.Random(seed)
    t = town(seed + 1)
    said: dict[User, list[str]] = {user: [] for user in t.users}
    for step in range(10):
        network, halves = t.world.network, [(t.a, t.alice), (t.b, t.bob), (t.c, t.carol)]
        match dice.randrange(4):
            case 0:
                network.part(*dice.choice(halves))
            case 1:
                network.heal()
            case 2:
                user = dice.choice(t.users)
                user.leave()
                t.run(dice.random() * 3)
                user.come_back()
            case 3:
                author, reader = dice.sample(t.users, 2)
                said[reader].append(f"{author.name} {step}")
                author.says(reader, f"{author.name} {step}")
        t.run(dice.random() * 30)
    heal(t)
    t.run(60)
    all_agree(t, {user.id for user in t.users})
    for reader, texts in said.items():
        assert sorted(reader.texts) == sorted(texts)
