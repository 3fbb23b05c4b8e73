"""I1: USER_HELLO with somebody's id and no proof: squat, take mail, block the owner."""

from __future__ import annotations

import pytest

from socp.crypto.keys import PrivateKey
from socp.node import calls
from tests.node.callers import Caller
from tests.node.mesh import Mesh, Peer, Server, load, message


@pytest.fixture
def mesh() -> Mesh:
    return Mesh()


@pytest.fixture
def a(mesh: Mesh) -> Server:
    return mesh.server("a")


def bare(mesh: Mesh, server: Server, name: str, key: PrivateKey) -> Peer:
    """A hello with the owner's public key, which everybody knows, and no proof."""
    return mesh.user(server, name, key=key, features=())


def nothing_was_handed_out(peer: Peer) -> None:
    assert (peer.errors(), peer.closed) == (["NOT_ALLOWED"], 1008)
    assert {each.type for each in peer.heard} == {"ERROR"}


@pytest.mark.threat("I1")
def test_who_ever_proved_must_prove_again(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice")
    alice.drop()
    nothing_was_handed_out(bare(mesh, a, "alice", alice.key))
    assert mesh.user(a, "alice", key=alice.key).said("ACK")


@pytest.mark.threat("I1")
def test_who_ever_proved_must_prove_again_after_a_restart(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice")
    again = mesh.server("a", remembered=load(a.disk), key=a.key)
    nothing_was_handed_out(bare(mesh, again, "alice", alice.key))


@pytest.mark.threat("I1")
def test_who_registered_over_http_proved_as_well(mesh: Mesh, a: Server) -> None:
    alice = Caller(mesh, a, "alice", mesh.suite.generate())
    alice.got(alice.register(), calls.Registered)
    nothing_was_handed_out(bare(mesh, a, "alice", alice.key))


@pytest.mark.threat("I1")
@pytest.mark.parametrize("features", [(), ("link-auth/1", "bind/1")])
def test_the_owner_stays_where_they_are_and_goes_on_hearing(
    mesh: Mesh, a: Server, features: tuple[str, ...]
) -> None:
    alice, bob = mesh.user(a, "alice"), mesh.user(a, "bob")
    squatter = mesh.open_socket(a, "alice", key=alice.key, features=features)
    said: dict[str, object] = {"pubkey": alice.key.public.text, "features": list(features)}
    if features:
        said["auth_nonce"] = "A" * 43
    squatter.say("USER_HELLO", said)
    if features:
        squatter.say("AUTH_PROOF", {"proof": "A" * 683}, bind=False)
    assert squatter.errors() == (["INVALID_SIG"] if features else ["NOT_ALLOWED"])
    assert squatter.closed == 1008
    bob.say("MSG_DIRECT", message(bob, alice.id), to=alice.id)
    assert alice.said("USER_DELIVER")
    assert not squatter.said("USER_DELIVER")
    assert alice.closed is None


@pytest.mark.threat("I1")
def test_an_id_squatted_with_its_owners_key_is_still_the_owners(mesh: Mesh, a: Server) -> None:
    """A stranger comes first, with a public key that is not theirs: all they did is to pin it."""
    key = mesh.suite.generate()
    bare(mesh, a, "alice", key).drop()
    alice = mesh.user(a, "alice", key=key)
    assert alice.said("ACK")
    alice.drop()
    nothing_was_handed_out(bare(mesh, a, "alice", key))
