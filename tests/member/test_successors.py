"""Contacts who replaced their key or revoked their id: what counts, and how often (section 10)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from socp.crypto import rotation
from socp.crypto.keys import PrivateKey
from socp.crypto.rotation import KeyStep, Revocation
from socp.member.effects import KeyReplaced, KeyRevoked
from socp.member.events import LookUp, Verify
from socp.member.records import Contact, Said
from socp.member.successors import CHAINS_BURST, CHAINS_PER_S, REPLACED, REVOKED, VERIFY_AGAIN
from socp.wire import limits
from socp.wire.canonical import to_members
from socp.wire.payloads import Revoked, Rotation
from tests.member.desk import Desk, Friend

pytestmark = [pytest.mark.spec("10"), pytest.mark.threat("I10")]


class Scene:
    """Alice is pinned, and says things about her keys."""

    def __init__(self) -> None:
        self.desk = Desk().attaches()
        self.alice: Friend = self.desk.friend("alice")
        self.keys: list[PrivateKey] = [self.alice.key]
        self.chain: list[Rotation] = []

    def says(self, *, revoked: Revoked | None = None, chain: list[Rotation] | None = None) -> None:
        said = self.chain if chain is None else chain
        members: dict[str, object] = {
            "user_id": self.alice.id,
            "rotations": [to_members(step) for step in said],
        }
        if revoked is not None:
            members["revoked"] = to_members(revoked)
        self.desk.hears("KEY_HISTORY", members, to="*")

    def replaces_her_key(self) -> Rotation:
        new = self.desk.suite.generate()
        self.desk.wall += 60_000
        step = rotation.rotate(
            self.alice.id, self.keys[-1], new, len(self.keys) + 1, self.desk.wall
        )
        self.keys.append(new)
        self.chain.append(step.rotation)
        return step.rotation

    @property
    def notes(self) -> list[str]:
        """What was written into the history beside what people said."""
        return [said.text for said in self.desk.kept(Said) if said.kind == "note"]

    def word(self, key: PrivateKey, version: int = 1, *, ts: int | None = None) -> Revoked:
        when = self.desk.wall if ts is None else ts
        return rotation.revoke(self.alice.id, key, version, when).revoked


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_replaced_key_is_kept_told_and_noted(scene: Scene) -> None:
    scene.replaces_her_key()
    scene.says()
    old, new = (key.public for key in scene.keys)
    assert scene.desk.told(KeyReplaced) == [
        KeyReplaced(scene.alice.id, old.fingerprint, new.fingerprint, False)
    ]
    assert scene.desk.kept(Contact)[-1].pubkey == new.text
    assert [step.version for step in scene.desk.kept(KeyStep)] == [1, 2]
    assert [step.pubkey for step in scene.desk.kept(KeyStep)] == [old.text, new.text]
    assert REPLACED in scene.notes


def test_who_was_verified_is_to_be_compared_again(scene: Scene) -> None:
    scene.desk.event(Verify(scene.alice.id, scene.alice.key.public.fingerprint))
    scene.replaces_her_key()
    scene.says()
    (told,) = scene.desk.told(KeyReplaced)
    assert told.was_verified
    assert not scene.desk.kept(Contact)[-1].verified
    assert VERIFY_AGAIN in scene.notes


def test_a_chain_that_came_before_moves_nothing_again(scene: Scene) -> None:
    scene.replaces_her_key()
    for _ in range(3):
        scene.says()
    assert len(scene.desk.told(KeyReplaced)) == 1
    scene.replaces_her_key()
    scene.says()
    assert len(scene.desk.told(KeyReplaced)) == 2
    assert [step.version for step in scene.desk.kept(KeyStep)] == [1, 2, 3]


def test_a_revocation_by_any_key_of_hers_counts_and_is_told_once(scene: Scene) -> None:
    scene.replaces_her_key()
    scene.says()
    said = scene.word(scene.keys[0])
    for _ in range(2):
        scene.says(revoked=said)
    assert scene.desk.told(KeyRevoked) == [KeyRevoked(scene.alice.id)]
    (kept,) = scene.desk.kept(Revocation)
    assert kept.revoked == said
    assert scene.notes.count(REVOKED) == 1


def test_a_revocation_by_a_key_that_we_never_saw_counts_where_the_chain_shows_it(
    scene: Scene,
) -> None:
    """We met her with her second key; the first one revokes."""
    first = scene.desk.suite.generate()
    step = rotation.rotate(scene.alice.id, first, scene.alice.key, 2, scene.desk.wall)
    said = scene.word(first)
    scene.says(revoked=said, chain=[])
    assert scene.desk.told(KeyRevoked) == []
    scene.says(revoked=said, chain=[step.rotation])
    assert scene.desk.told(KeyRevoked) == [KeyRevoked(scene.alice.id)]


@pytest.mark.parametrize("what", ["another's key", "another's name", "damaged", "changed", "ahead"])
def test_a_revocation_that_is_not_hers_or_not_of_now_counts_for_nothing(
    scene: Scene, what: str
) -> None:
    said = scene.word(scene.alice.key)
    if what == "another's key":
        said = scene.word(scene.desk.suite.generate())
    elif what == "another's name":
        said = replace(scene.word(scene.desk.suite.generate()), pubkey=said.pubkey)
    elif what == "damaged":
        said = replace(said, pubkey="AAAA")
    elif what == "changed":
        said = replace(said, version=2)
    else:
        said = scene.word(scene.alice.key, ts=scene.desk.wall + limits.TS_WINDOW_MS + 1)
    scene.says(revoked=said)
    assert scene.desk.told(KeyRevoked) == []
    assert scene.desk.kept(Revocation) == []


def test_a_chain_of_somebody_unknown_is_left(scene: Scene) -> None:
    bob, second = scene.desk.friend("bob", online=False), scene.desk.suite.generate()
    step = rotation.rotate(bob.id, bob.key, second, 2, scene.desk.wall).rotation
    members = {"user_id": bob.id, "rotations": [to_members(step)]}
    scene.desk.hears("KEY_HISTORY", members, to="*")
    assert scene.desk.kept(KeyStep) == []
    assert scene.desk.warnings == []


def test_a_revocation_of_somebody_unknown_is_left(scene: Scene) -> None:
    bob = scene.desk.friend("bob", online=False)
    said = rotation.revoke(bob.id, bob.key, 1, scene.desk.wall).revoked
    members = {"user_id": bob.id, "rotations": [], "revoked": to_members(said)}
    scene.desk.hears("KEY_HISTORY", members, to="*")
    assert scene.desk.told(KeyRevoked) == []


@pytest.mark.threat("S3")
def test_chains_are_looked_at_at_a_pace_and_what_waits_is_heard_when_it_is_said_again(
    scene: Scene,
) -> None:
    forged = scene.word(scene.desk.suite.generate())
    for _ in range(CHAINS_BURST):
        scene.says(revoked=forged)
    said = scene.word(scene.alice.key)
    scene.says(revoked=said)
    assert scene.desk.told(KeyRevoked) == []
    scene.desk.mono += 1_000 // CHAINS_PER_S
    scene.says(revoked=said)
    assert scene.desk.told(KeyRevoked) == [KeyRevoked(scene.alice.id)]


@pytest.mark.threat("S3")
def test_a_replaced_key_is_looked_at_at_that_pace_too(scene: Scene) -> None:
    forged = scene.word(scene.desk.suite.generate())
    for _ in range(CHAINS_BURST):
        scene.says(revoked=forged)
    scene.replaces_her_key()
    scene.says()
    assert scene.desk.told(KeyReplaced) == []
    scene.desk.mono += 1_000 // CHAINS_PER_S
    scene.says()
    assert len(scene.desk.told(KeyReplaced)) == 1


def test_the_chain_may_come_with_the_word_that_she_is_online(scene: Scene) -> None:
    old, step = scene.alice.key.public, scene.replaces_her_key()
    advert = scene.desk.advert(scene.alice, key=scene.keys[-1])
    scene.desk.hears("USER_ADVERTISE", advert | {"rotations": [to_members(step)]}, to="*")
    (told,) = scene.desk.told(KeyReplaced)
    assert (told.former, told.key) == (old.fingerprint, scene.keys[-1].public.fingerprint)


def answered(desk: Desk, friend: Friend, key: PrivateKey, **more: object) -> None:
    """The directory knows somebody whom we asked about."""
    desk.event(LookUp(friend.id))
    desk.hears("PUBKEY_RESPONSE", {"user_id": friend.id, "pubkey": key.public.text, **more})


def test_of_somebody_new_the_chain_in_the_answer_says_which_version_their_key_has(
    scene: Scene,
) -> None:
    bob, second = scene.desk.friend("bob", online=False), scene.desk.suite.generate()
    step = rotation.rotate(bob.id, bob.key, second, 2, scene.desk.wall)
    answered(scene.desk, bob, second, rotations=[to_members(step.rotation)])
    assert scene.desk.kept(Contact)[-1].pubkey == second.public.text
    assert [(each.user_id, each.version) for each in scene.desk.kept(KeyStep)] == [(bob.id, 2)]


def test_of_somebody_new_the_answer_may_say_that_they_revoked_their_id(scene: Scene) -> None:
    bob = scene.desk.friend("bob", online=False)
    said = rotation.revoke(bob.id, bob.key, 1, scene.desk.wall).revoked
    answered(scene.desk, bob, bob.key, revoked=to_members(said))
    assert scene.desk.told(KeyRevoked) == [KeyRevoked(bob.id)]
