"""What the library lets somebody do about keys (threat I9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from socp.client.errors import NothingClaimed, NumbersDiffer, OthersKeyMeant, UnknownKey
from socp.crypto.safety_number import grouped, qr_text, safety_number
from socp.crypto.symbolic import SymbolicSuite
from socp.member.effects import KeyChanged, PeerMoved, TrustMoved
from socp.member.records import LineState, PublicChoice, TrustState
from tests.client.people import Friend, Person, somebody, two
from tests.client.v13_server import Link, serving

NOBODY = "99999999-0000-4000-8000-000000000009"


@dataclass
class Scene:
    alice: Person
    link: Link
    bob: Friend
    suite: SymbolicSuite

    def state(self) -> TrustState:
        return self.alice.me.trust_of(self.bob.id)

    def as_bob_sees_it(self) -> str:
        """What his client shows for him and Alice."""
        me = self.alice.me
        return safety_number(
            self.bob.id, self.bob.key.public.fingerprint, me.user_id, me.fingerprint
        )

    async def changes(self) -> None:
        """The server says that Bob has another key."""
        await Friend(self.suite.generate(), id=self.bob.id).comes(self.link)
        await self.alice.hears(KeyChanged)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    suite = SymbolicSuite(1)
    async with serving() as server, two(tmp_path, server, suite) as (alice, link, bob):
        await alice.hears(PeerMoved)
        yield Scene(alice, link, bob, suite)


async def test_what_he_reads_out_makes_him_verified(scene: Scene) -> None:
    me, number = scene.alice.me, scene.as_bob_sees_it()
    assert me.safety_number(scene.bob.id) == number
    assert scene.state() is TrustState.UNVERIFIED
    await me.verify(scene.bob.id, " ".join(grouped(number)))
    assert scene.state() is TrustState.VERIFIED
    await scene.alice.hears(TrustMoved, lambda moved: moved.state is TrustState.VERIFIED)
    await me.unverify(scene.bob.id)
    assert scene.state() is TrustState.UNVERIFIED
    await me.verify(scene.bob.id, qr_text(number))
    assert scene.state() is TrustState.VERIFIED


@pytest.mark.parametrize("digits", ["", "12345", "0" * 60, "not a number"])
async def test_other_digits_verify_nobody(scene: Scene, digits: str) -> None:
    with pytest.raises(NumbersDiffer):
        await scene.alice.me.verify(scene.bob.id, digits)
    assert scene.state() is TrustState.UNVERIFIED


async def test_there_is_no_number_with_somebody_whose_key_is_not_known(scene: Scene) -> None:
    me = scene.alice.me
    with pytest.raises(UnknownKey):
        me.safety_number(NOBODY)
    with pytest.raises(UnknownKey):
        await me.verify(NOBODY, "0" * 60)
    assert me.trust_of(NOBODY) is TrustState.UNVERIFIED


async def test_nothing_is_decided_where_nothing_is_claimed(scene: Scene) -> None:
    me = scene.alice.me
    with pytest.raises(NothingClaimed):
        me.claimed_number(scene.bob.id)
    with pytest.raises(NothingClaimed):
        await me.accept_key(scene.bob.id)
    with pytest.raises(NothingClaimed):
        await me.keep_key(scene.bob.id)


async def test_the_numbers_of_a_claimed_key_are_told_apart_and_take_it_only_when_asked(
    scene: Scene,
) -> None:
    me = scene.alice.me
    known = me.safety_number(scene.bob.id)
    await scene.changes()
    claimed = me.claimed_number(scene.bob.id)
    assert claimed != known == me.safety_number(scene.bob.id)
    with pytest.raises(OthersKeyMeant):
        await me.verify(scene.bob.id, claimed)
    assert scene.state() is TrustState.CHANGED
    with pytest.raises(NumbersDiffer):
        await me.accept_key(scene.bob.id, known)
    assert scene.state() is TrustState.CHANGED
    await me.accept_key(scene.bob.id, claimed)
    assert scene.state() is TrustState.VERIFIED
    assert me.safety_number(scene.bob.id) == claimed


@pytest.mark.parametrize("way", ["keep", "accept", "verify"])
async def test_a_line_to_a_changed_contact_waits_until_the_person_decides(
    scene: Scene, way: str
) -> None:
    me, bob = scene.alice.me, scene.bob.id
    await scene.changes()
    line = await me.send(bob, "are you there?")
    assert line.state is LineState.WAITING
    assert "bob's key changed on " in line.reason
    if way == "keep":
        await me.keep_key(bob)
    elif way == "accept":
        await me.accept_key(bob)
    else:
        await me.verify(bob, me.safety_number(bob))
    assert scene.state() is (TrustState.VERIFIED if way == "verify" else TrustState.UNVERIFIED)
    if way != "accept":  # under the new key he is not online yet
        async with asyncio.timeout(60):
            await line.settled()


async def test_what_was_decided_outlives_the_client(tmp_path: Path) -> None:
    suite = SymbolicSuite(1)
    async with serving() as server:
        async with two(tmp_path, server, suite) as (alice, _, bob):
            await alice.hears(PeerMoved)
            number = alice.me.safety_number(bob.id)
            await alice.me.verify(bob.id, number)
            await alice.me.choose_public(PublicChoice(verified_only=True))
        async with somebody(tmp_path, server.url, suite, attached=False) as again:
            assert again.me.trust_of(bob.id) is TrustState.VERIFIED
            assert again.me.safety_number(bob.id) == number
            assert again.me.public_choice == PublicChoice(verified_only=True)
