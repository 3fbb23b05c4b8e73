"""I3: USER_ADVERTISE for somebody else's user, or with another key, so that mail goes to the
thief."""

from __future__ import annotations

import pytest

from socp.crypto.keys import PublicKey
from socp.member.effects import KeyChanged
from socp.sim.user import User
from tests.sim.town import Town, town


def advert(user: User, server_id: str, key: PublicKey) -> dict[str, object]:
    return {
        "user_id": user.id,
        "server_id": server_id,
        "meta": {"display_name": user.name, "pubkey": key.text},
        "pubkey": key.text,
    }


def everybody_still_reaches_bob(t: Town) -> None:
    t.run(1)
    t.alice.says(t.bob, "for bob alone")
    t.carol.says(t.bob, "and this")
    t.run(2)
    assert sorted(t.bob.texts) == ["and this", "for bob alone"]


@pytest.mark.threat("I3")
@pytest.mark.parametrize("whose", ["the user's key", "the thief's key"])
@pytest.mark.parametrize("said_by", ["itself", "the home"])
def test_a_server_cannot_claim_a_user_who_is_at_another(whose: str, said_by: str) -> None:
    t = town()
    key = t.bob.key.public if whose == "the user's key" else t.carol.key.public
    home = t.c.id if said_by == "itself" else t.b.id
    claim = advert(t.bob, home, key)
    from_ = t.c.id if said_by == "itself" else t.b.id
    t.c.forge(t.a, "USER_ADVERTISE", claim, from_=from_)
    t.c.forge(t.b, "USER_ADVERTISE", claim, from_=from_)
    everybody_still_reaches_bob(t)
    assert t.alice.told(KeyChanged) == []


@pytest.mark.threat("I3")
def test_a_server_cannot_remove_a_user_who_is_at_another() -> None:
    t = town()
    for server_id in (t.b.id, t.c.id):
        t.c.forge(t.a, "USER_REMOVE", {"user_id": t.bob.id, "server_id": server_id})
    everybody_still_reaches_bob(t)


@pytest.mark.threat("I3")
def test_ones_own_server_cannot_give_a_friend_another_key() -> None:
    t = town()
    t.b.forge(t.bob, "USER_ADVERTISE", advert(t.alice, t.b.id, t.carol.key.public))
    t.run(1)
    (changed,) = t.bob.told(KeyChanged)
    assert changed.pinned == t.alice.key.public.fingerprint
    t.bob.says(t.alice, "only you")
    t.run(2)
    assert t.alice.texts == []  # not before Bob has decided
    t.bob.keeps_keys()
    t.run(2)
    assert t.alice.texts == ["only you"]


@pytest.mark.threat("I3")
def test_a_user_who_moves_with_their_own_proof_is_followed() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    t.bob.address = t.c.address
    t.bob.come_back()
    t.run(2)
    t.alice.says(t.bob, "where are you?")
    t.run(1)
    assert t.bob.texts == ["where are you?"]
