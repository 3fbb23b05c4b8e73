"""I10: key rotation used to take over an account."""

from __future__ import annotations

import pytest

from socp.crypto import rotation, signing
from socp.crypto.keys import PrivateKey
from socp.member.effects import KeyChanged, KeyReplaced, KeyRevoked, OwnKeyMoved, OwnKeyState
from socp.sim.user import User
from socp.wire.canonical import to_members
from socp.wire.payloads import Revoked, Rotation
from tests.sim.town import Town, town


def advert(user: User, server_id: str, key: PrivateKey, *steps: Rotation) -> dict[str, object]:
    return {
        "user_id": user.id,
        "server_id": server_id,
        "meta": {"display_name": user.name, "pubkey": key.public.text},
        "pubkey": key.public.text,
        "rotations": [to_members(step) for step in steps],
    }


def bob_is_still_bob(t: Town) -> None:
    """Everybody reaches Bob under the key he has, and nobody else does."""
    t.run(1)
    for user in (t.alice, t.carol):
        assert user.told(KeyReplaced) == []
        user.keeps_keys()
        user.says(t.bob, f"{user.name} to bob alone")
    t.bob.says(t.alice, "me")
    t.run(3)
    assert sorted(t.bob.texts) == ["alice to bob alone", "carol to bob alone"]
    assert "me" in t.alice.texts


@pytest.mark.threat("I10")
def test_without_the_old_key_nobody_names_its_successor() -> None:
    t = town()
    thief = t.world.suite.generate()
    forged = rotation.rotate(t.bob.id, thief, thief, 2, t.world.wall).rotation
    history = {"user_id": t.bob.id, "rotations": [to_members(forged)]}
    claim = advert(t.bob, t.c.id, thief, forged)
    for peer in (t.a, t.b):
        t.c.forge(peer, "USER_ADVERTISE", claim)
        t.c.forge(peer, "KEY_HISTORY", history)
    # Nor does one's own server convince its user.
    t.a.forge(t.alice, "USER_ADVERTISE", advert(t.bob, t.a.id, thief, forged))
    t.a.forge(t.alice, "KEY_HISTORY", history)
    t.run(1)
    assert [changed.user_id for changed in t.alice.told(KeyChanged)] == [t.bob.id]
    bob_is_still_bob(t)


@pytest.mark.threat("I10")
def test_a_link_of_ones_own_rotates_nobody_else() -> None:
    t = town()
    step = rotation.rotate(t.bob.id, t.carol.key, t.world.suite.generate(), 2, t.world.wall)
    said = {**to_members(step.rotation), "user_id": t.bob.id}
    t.carol.forge("KEY_ROTATE", said, to=t.c.id)
    word = rotation.revoke(t.bob.id, t.carol.key, 1, t.world.wall)
    dead = {"user_id": t.bob.id, "version": 1, "ts": word.ts, "sig": word.sig}
    t.carol.forge("KEY_REVOKE", dead, to=t.c.id)
    t.run(1)
    assert [e.members["code"] for e in t.carol.heard("ERROR")] == ["NOT_ALLOWED"] * 2
    bob_is_still_bob(t)


@pytest.mark.threat("I10")
def test_nobody_makes_anothers_key_their_own() -> None:
    """Mallory would be known by Alice's key, and Alice's words would be hers."""
    t = town()
    mallory = t.carol
    facts = (mallory.id, mallory.key.public.fingerprint, t.alice.key.public.fingerprint)
    at = (2, t.world.wall)
    sig = signing.sign(mallory.key, rotation.rotate_text(*facts, *at))
    taken = Rotation(
        pubkey=t.alice.key.public.text,
        follows=mallory.key.public.fingerprint,
        version=2,
        ts=t.world.wall,
        sig=sig,
        new_sig=signing.sign(mallory.key, rotation.rotate_new_text(*facts, *at, sig)),
    )
    mallory.forge("KEY_ROTATE", {**to_members(taken), "user_id": mallory.id}, to=t.c.id)
    t.run(1)
    assert [e.members["code"] for e in mallory.heard("ERROR")] == ["BAD_KEY"]
    t.c.forge(t.a, "KEY_HISTORY", {"user_id": mallory.id, "rotations": [to_members(taken)]})
    t.run(1)
    mallory.says(t.bob, "it is carol")
    t.run(2)
    assert t.bob.texts == ["it is carol"]
    assert t.bob.told(KeyReplaced) == []


@pytest.mark.threat("I10")
@pytest.mark.threat("P4")
def test_a_thief_of_the_former_key_is_nobody_once_it_is_replaced() -> None:
    t = town()
    stolen = t.bob.key
    t.bob.rotates()
    t.run(5)
    assert t.bob.told(OwnKeyMoved)[-1].state is OwnKeyState.REPLACED
    for user in t.users:
        user.forget_notices()
    thief = t.world.suite.generate()
    fork = rotation.rotate(t.bob.id, stolen, thief, 2, t.world.wall).rotation
    later = rotation.rotate(t.bob.id, stolen, thief, 3, t.world.wall).rotation
    for step in (fork, later):
        for peer in (t.a, t.b):
            t.c.forge(peer, "USER_ADVERTISE", advert(t.bob, t.c.id, thief, step))
            t.c.forge(peer, "USER_ADVERTISE", advert(t.bob, t.c.id, stolen))
    t.run(1)
    bob_is_still_bob(t)


@pytest.mark.threat("I10")
def test_the_owner_of_a_stolen_key_ends_what_the_thief_made_of_it() -> None:
    """The thief was first: the revocation by the old key beats the rotation all the same."""
    t = town()
    own = t.bob.key
    t.bob.rotates()  # here plays the thief
    t.run(5)
    word = rotation.revoke(t.bob.id, own, 1, t.world.wall)
    said = {"user_id": t.bob.id, "revoked": to_members(word.revoked)}
    t.c.forge(t.b, "KEY_HISTORY", said)
    t.run(3)
    assert not t.bob.member.attached
    assert [told.user_id for told in t.alice.told(KeyRevoked)] == [t.bob.id]


@pytest.mark.threat("I10")
def test_nobody_revokes_another() -> None:
    t = town()
    forged = rotation.revoke(t.bob.id, t.carol.key, 1, t.world.wall).revoked
    as_bobs = Revoked(pubkey=t.bob.key.public.text, version=1, ts=forged.ts, sig=forged.sig)
    for word in (forged, as_bobs):
        said = {"user_id": t.bob.id, "revoked": to_members(word)}
        for peer in (t.a, t.b):
            t.c.forge(peer, "KEY_HISTORY", said)
        t.a.forge(t.alice, "KEY_HISTORY", said)
    t.run(1)
    assert t.alice.told(KeyRevoked) == []
    bob_is_still_bob(t)


@pytest.mark.threat("I10")
def test_a_lost_key_is_somebody_new() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    t.bob.kill()
    t.bob.key = t.world.suite.generate()
    t.bob.stays = True
    t.bob.start()
    t.run(5)
    assert not t.bob.member.attached
    assert t.alice.told(KeyReplaced) == []
