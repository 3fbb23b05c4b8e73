"""I4: SERVER_ANNOUNCE or HELLO with another server's id."""

from __future__ import annotations

import pytest

from socp.sim.stranger import Stranger
from tests.sim.town import Town, town

HELLOS = ("SERVER_HELLO_JOIN", "SERVER_HELLO_LINK", "SERVER_ANNOUNCE")


def impostor(t: Town) -> Stranger:
    stranger = t.world.add_stranger("impostor")
    stranger.dials(t.a)
    t.run(0.1)
    return stranger


def hello(pubkey: str, *features: str) -> dict[str, object]:
    said: dict[str, object] = {"host": "localhost", "port": 8002, "pubkey": pubkey}
    if features:
        said |= {"features": list(features), "auth_nonce": "A" * 43}
    return said


def nothing_changed(t: Town) -> None:
    assert t.a.linked == {t.b.id, t.c.id}
    t.alice.says(t.bob, "hello")
    t.run(2)
    assert t.bob.texts == ["hello"]


@pytest.mark.threat("I4")
@pytest.mark.parametrize("kind", HELLOS)
def test_a_known_id_with_another_key_is_refused(kind: str) -> None:
    t = town()
    stranger = impostor(t)
    stranger.say(kind, hello(stranger.key.public.text), to="localhost:8001", from_=t.b.id)
    t.run(1)
    assert stranger.said("ERROR")[0].members["code"] == "BAD_KEY"
    assert stranger.close_code is not None
    nothing_changed(t)


@pytest.mark.threat("I4")
@pytest.mark.parametrize("kind", HELLOS)
def test_a_known_id_with_its_own_key_and_no_signature_by_it_is_refused(kind: str) -> None:
    t = town()
    stranger = impostor(t)
    stranger.say(kind, hello(t.b.key.public.text), to="localhost:8001", from_=t.b.id)
    t.run(1)
    assert stranger.close_code is not None
    nothing_changed(t)


@pytest.mark.threat("I4")
@pytest.mark.parametrize("kind", HELLOS)
def test_a_recorded_hello_gets_a_challenge_and_no_further(kind: str) -> None:
    t = town()
    stranger = impostor(t)
    recorded = [
        data
        for wire in t.world.network.wires_of(t.b)
        for data in (*wire.up_log, *wire.down_log)
        if b'"SERVER_HELLO' in data[:40] and t.b.id.encode() in data[:120]
    ]
    assert recorded, "the servers said hello when they linked"
    for data in recorded:
        if stranger.wire is not None:
            stranger.raw(data)
            t.run(0.1)
    t.run(11)
    assert stranger.said("SERVER_WELCOME") == []
    assert stranger.said("USER_ADVERTISE") == []
    assert stranger.close_code is not None
    nothing_changed(t)


@pytest.mark.threat("I4")
def test_a_wrong_proof_ends_the_link_and_changes_nothing() -> None:
    t = town()
    stranger = impostor(t)
    said = hello(t.b.key.public.text, "link-auth/1", "bind/1")
    stranger.say("SERVER_HELLO_JOIN", said, to="localhost:8001", from_=t.b.id)
    t.run(0.1)
    if stranger.wire is not None:
        stranger.say("AUTH_PROOF", {"proof": "A" * 683}, from_=t.b.id)
    t.run(1)
    assert stranger.close_code is not None
    assert stranger.said("USER_ADVERTISE") == []
    nothing_changed(t)
