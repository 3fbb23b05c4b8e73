"""I9: the server hands out a wrong key for a contact."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from socp.crypto import hybrid, rotation
from socp.member.effects import KeyChanged, KeyReplaced, WhoisAnswered
from socp.member.events import KeepKey, LookUp
from socp.member.records import Contact
from socp.wire import base64url, content
from socp.wire.canonical import to_members
from socp.wire.content import Text
from socp.wire.payloads import Rotation
from tests.member.desk import START_MS, Desk, Friend


def advertised(desk: Desk, friend: Friend, chain: list[Rotation], **more: object) -> None:
    desk.wall += 1
    members = desk.advert(friend)
    members["rotations"] = [to_members(step) for step in chain]
    desk.hears("USER_ADVERTISE", members | more, to="*")


def replaced(desk: Desk, friend: Friend, version: int = 2) -> Rotation:
    """The friend takes a new key."""
    new = desk.suite.generate()
    step = rotation.rotate(friend.id, friend.key, new, version, desk.wall)
    friend.key = new
    return step.rotation


@pytest.mark.threat("I9")
@pytest.mark.parametrize("way", ["advert", "answer", "history"])
@pytest.mark.parametrize("chain", ["none", "signed by nobody", "of another", "cut"])
def test_a_key_without_a_chain_from_the_pinned_one_is_refused(way: str, chain: str) -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    pinned = alice.key
    mallory = desk.suite.generate()
    one = rotation.rotate(alice.id, mallory, desk.suite.generate(), 2, desk.wall).rotation
    other = rotation.rotate(alice.id, mallory, mallory, 2, desk.wall).rotation
    replaced(desk, alice)
    second = replaced(desk, alice, 3)
    said = {"none": [], "signed by nobody": [other], "of another": [one], "cut": [second]}[chain]
    members = {"user_id": alice.id, "rotations": [to_members(step) for step in said]}
    key = {"signed by nobody": mallory.public.text, "of another": one.pubkey}.get(
        chain, alice.key.public.text
    )
    if way == "advert":
        advertised(desk, alice, said, pubkey=key)
    elif way == "answer":
        desk.hears("PUBKEY_RESPONSE", members | {"pubkey": key})
    else:
        desk.hears("KEY_HISTORY", members)
    assert desk.told(KeyReplaced) == []
    assert len(desk.told(KeyChanged)) == (way == "advert")
    desk.says(Friend(desk, "alice", pinned), "for the known key alone")
    if way == "advert":
        assert desk.sent("MSG_DIRECT") == []
        desk.event(KeepKey(alice.id, desk.told(KeyChanged)[0].claimed))
        desk.passes(0.1)
    sent = desk.sent("MSG_DIRECT")[-1]
    raw = base64url.decode(str(sent.members["ciphertext"]))
    opened = hybrid.open_(pinned, raw, from_=desk.id, to=alice.id, ts=sent.ts)
    assert content.decode(opened)[0] == Text(body="for the known key alone")


@pytest.mark.threat("I9")
@pytest.mark.parametrize("way", ["advert", "history", "answer after a message"])
def test_a_key_that_the_pinned_one_signed_is_followed_and_told_once(way: str) -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    pinned = alice.key
    chain = [replaced(desk, alice)]
    members = {"user_id": alice.id, "rotations": [to_members(step) for step in chain]}
    for _ in range(2):
        if way == "advert":
            advertised(desk, alice, chain)
        elif way == "history":
            desk.hears("KEY_HISTORY", members)
        else:
            desk.wall += 1
            alice.writes(f"it is me {desk.wall}")
            desk.hears("PUBKEY_RESPONSE", members | {"pubkey": alice.key.public.text})
    (told,) = desk.told(KeyReplaced)
    assert (told.former, told.key) == (
        pinned.public.fingerprint,
        alice.key.public.fingerprint,
    )
    assert desk.told(KeyChanged) == []
    assert len(desk.texts) == (2 if way.startswith("answer") else 0)
    assert not desk.refusals


@pytest.mark.threat("I9")
def test_who_was_verified_is_so_no_longer_and_all_of_it_is_remembered() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    contact = desk.kept(Contact)[-1]
    desk.records.append(replace(contact, verified=True))
    desk.again(desk.store())
    desk.attaches()
    advertised(desk, alice, [replaced(desk, alice)])
    (told,) = desk.told(KeyReplaced)
    assert told.was_verified
    assert not desk.kept(Contact)[-1].verified
    desk.again(desk.store())
    desk.attaches()
    desk.comes(alice)
    assert desk.told(KeyChanged) == []
    desk.event(LookUp(alice.id))
    assert "their key was replaced" in desk.told(WhoisAnswered)[-1].note


@pytest.mark.threat("I9")
@pytest.mark.threat("M2")
def test_what_the_former_key_signed_later_is_not_shown() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    former = Friend(desk, "alice", alice.key)
    late = former.delivery(former.seals("from before"))
    desk.wall += 1_000
    chain = [replaced(desk, alice)]
    desk.wall += 1_000
    advertised(desk, alice, chain)
    desk.hears("USER_DELIVER", late, ts=START_MS + 1)
    stolen = former.delivery(former.seals("by the thief"))
    desk.hears("USER_DELIVER", stolen)
    desk.hears("PUBKEY_RESPONSE", {"user_id": alice.id, "pubkey": alice.key.public.text})
    assert desk.texts == ["from before"]
    assert len(desk.refusals) == 1


@pytest.mark.threat("I9")
@pytest.mark.parametrize("seed", range(20))
def test_whatever_a_hostile_server_mixes_the_pin_is_a_key_that_its_owner_signed(seed: int) -> None:
    dice = random.Random(seed)
    desk = Desk().attaches()
    alice = desk.friend("alice")
    line = [alice.key]
    steps: list[Rotation] = []
    for version in range(2, 7):
        steps.append(replaced(desk, alice, version))
        desk.wall += 1
        line.append(alice.key)
    thief = desk.suite.generate()
    bad = [rotation.rotate(alice.id, thief, thief, v, desk.wall + v).rotation for v in range(2, 5)]
    reached = 0
    for _ in range(60):
        chain = [dice.choice(steps + bad) for _ in range(dice.randrange(1, 5))]
        if dice.random() < 0.5:
            start = dice.randrange(5)
            chain = steps[start : start + dice.randrange(1, 5)]
        claimed = chain[-1].pubkey
        desk.mono += 1_000
        advertised(desk, alice, chain, pubkey=claimed)
        pinned = desk.member.contacts.members()[0].fingerprint
        at = [key.public.fingerprint for key in line].index(pinned)
        assert at >= reached
        reached = at
