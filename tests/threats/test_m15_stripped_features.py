"""M15: `hybrid/1` or another feature stripped from a user's ADVERTISE by a server."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from socp.crypto import hybrid
from socp.node.effects import Outgoing
from socp.wire import base64url
from socp.wire.canonical import canonical
from tests.sim.town import Town, town


def strips(what: str) -> object:
    """What a bad home does to its users' ADVERTISEs before it signs them."""

    def bend(said: Outgoing) -> Outgoing:
        if said.type != "USER_ADVERTISE":
            return said
        members = json.loads(said.payload)
        if what in ("features", "both"):
            members["features"] = ["link-auth/1", "bind/1"]
        if what in ("attach", "both"):
            members.pop("attach", None)
        return replace(said, payload=canonical(members))

    return bend


def last_to_bob(t: Town) -> bytes:
    t.alice.says(t.bob, "hello")
    t.run(2)
    return base64url.decode(str(t.alice.sent("MSG_DIRECT")[-1].members["ciphertext"]))


@pytest.mark.threat("M15")
@pytest.mark.parametrize("what", ["features", "attach", "both"])
def test_a_friend_whose_features_are_pinned_is_written_to_with_them(what: str) -> None:
    t = town()
    t.b.bend = strips(what)  # type: ignore[assignment]
    t.bob.leave()
    t.run(1)
    t.bob.come_back()
    t.run(2)
    assert hybrid.is_hybrid(last_to_bob(t))
    assert t.bob.texts == ["hello"]


@pytest.mark.threat("M15")
def test_posts_stay_bound_too() -> None:
    t = town()
    t.b.bend = strips("both")  # type: ignore[assignment]
    t.bob.leave()
    t.run(1)
    t.bob.come_back()
    t.run(2)
    t.alice.posts("hello")
    t.run(1)
    raw = base64url.decode(str(t.alice.sent("MSG_PUBLIC_CHANNEL")[-1].members["ciphertext"]))
    assert hybrid.is_hybrid(raw)


@pytest.mark.threat("M15")
def test_at_first_sight_the_person_is_told_that_messages_are_not_bound() -> None:
    t = town()
    t.b.bend = strips("both")  # type: ignore[assignment]
    dave = t.world.add_user("dave", t.b)
    t.run(2)
    t.alice.says(dave, "hello dave")
    t.run(1)
    assert any(w.startswith("dave's client has not signed") for w in t.alice.warnings)
