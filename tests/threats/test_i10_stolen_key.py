"""A thief replaced the key: whoever has the former one can still end the id, and nothing else."""

from __future__ import annotations

import pytest

from socp.crypto import rotation
from socp.crypto.rotation import Revocation
from tests.node.failing import full
from tests.node.keychain import Owner
from tests.node.mesh import Mesh, Peer, Server


def stolen(mesh: Mesh, a: Server) -> tuple[Owner, Peer, Peer]:
    """Alice, the thief's link, and her own with the former key."""
    alice = Owner(mesh, "alice")
    alice.rotates(alice.arrives(a))
    thief = alice.arrives(a)
    mesh.wall += 1_000
    own = alice.arrives(a, key=alice.keys[0], rotations=())
    return alice, thief, own


@pytest.fixture
def mesh() -> Mesh:
    return Mesh()


@pytest.fixture
def a(mesh: Mesh) -> Server:
    return mesh.server("a")


@pytest.mark.threat("I10")
def test_a_former_key_ends_the_id_that_a_thief_took(mesh: Mesh, a: Server) -> None:
    alice, thief, own = stolen(mesh, a)
    bob = mesh.user(a, "bob")
    assert own.errors() == ["BAD_KEY"]
    assert not own.lost
    alice.revokes(own, key=alice.keys[0], version=1)
    assert own.members("ACK")[-1]["msg_ref"] == "KEY_REVOKE"
    assert (own.closed, thief.closed) == (1008, 1008)
    assert bob.members("KEY_HISTORY")[-1]["user_id"] == alice.id
    assert alice.arrives(a).errors() == ["NOT_ALLOWED"]
    assert alice.arrives(a, key=alice.keys[0]).errors() == ["NOT_ALLOWED"]


@pytest.mark.threat("I10")
def test_a_former_key_is_handed_nothing_and_may_say_nothing_else(mesh: Mesh, a: Server) -> None:
    alice, thief, own = stolen(mesh, a)
    bob = mesh.user(a, "bob")
    thief.drop()
    assert own.said("ACK") == []
    bob.say("PUBKEY_REQUEST", {"user_id": alice.id})
    step = rotation.rotate(alice.id, alice.keys[0], mesh.suite.generate(), 3, mesh.wall)
    for kind, members in (
        ("LIST_REQUEST", {}),
        ("KEY_ROTATE", {"user_id": alice.id, "pubkey": step.pubkey, "version": 3}),
        ("PUBKEY_REQUEST", {"user_id": bob.id}),
    ):
        again = alice.arrives(a, key=alice.keys[0], rotations=())
        again.say(kind, dict(members))
        assert again.errors() == ["BAD_KEY", "NOT_ALLOWED"]
        assert again.closed == 1008
    assert {frame.type for frame in own.heard} == {"AUTH_CHALLENGE", "ERROR"}
    mesh.run(32)
    assert own.closed == 1008


@pytest.mark.threat("I10")
def test_only_who_proves_the_former_key_may_speak_with_it(mesh: Mesh, a: Server) -> None:
    alice, _, _ = stolen(mesh, a)
    bare = alice.arrives(a, key=alice.keys[0], rotations=(), features=("bind/1", "rotate/1"))
    assert bare.errors()
    assert bare.closed == 1008
    forger = alice.arrives(a, key=alice.keys[0], rotations=())
    alice.revokes(forger, key=mesh.suite.generate(), version=1)
    assert forger.errors() == ["BAD_KEY", "BAD_KEY"]
    assert forger.closed == 1008
    assert not [record for record in a.disk if isinstance(record, Revocation)]


@pytest.mark.threat("I10")
@pytest.mark.threat("S8")
def test_a_last_word_of_a_former_key_that_cannot_be_stored_is_told_so(
    mesh: Mesh, a: Server
) -> None:
    alice, thief, own = stolen(mesh, a)
    with full(a):
        alice.revokes(own, key=alice.keys[0], version=1)
    error = own.members("ERROR")[-1]
    assert (error["code"], error["msg_ref"]) == ("TIMEOUT", "KEY_REVOKE")
    assert (own.closed, thief.closed) == (1013, None)
