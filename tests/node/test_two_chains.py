"""A thief and the owner of one key replace it both: whoever followed either one takes the last word
(section 10; threat I10)."""

from __future__ import annotations

import pytest

from socp.crypto import rotation
from socp.crypto.rotation import Revocation
from socp.wire.canonical import to_members
from tests.node.cast import linked_server
from tests.node.keychain import Owner
from tests.node.mesh import Mesh, Peer, Server


def forked(mesh: Mesh, a: Server) -> tuple[Owner, Peer]:
    """The owner, whose second key nobody at `a` knows, for there the thief was first; and a server
    where the owner was."""
    alice = Owner(mesh, "alice")
    thief = Owner(mesh, "alice", keys=[alice.key])
    thief.rotates(thief.arrives(a))
    alice.step(ts=mesh.wall - 10)
    other = linked_server(mesh, a, "other")
    return alice, other


def history(alice: Owner, word: Revocation, *, chain: bool = True) -> dict[str, object]:
    steps = [to_members(step) for step in alice.chain] if chain else []
    return {"user_id": alice.id, "rotations": steps, "revoked": to_members(word.revoked)}


@pytest.mark.threat("I10")
@pytest.mark.parametrize("version", [1, 2])
def test_a_revocation_counts_beside_a_chain_that_does_not(
    mesh: Mesh, a: Server, version: int
) -> None:
    """By the key that both had, or by the one that followed it elsewhere."""
    alice, other = forked(mesh, a)
    word = rotation.revoke(alice.id, alice.keys[version - 1], version, mesh.wall)
    other.say("KEY_HISTORY", history(alice, word))
    assert other.errors() == []
    assert [r.user_id for r in a.disk if isinstance(r, Revocation)] == [alice.id]
    assert alice.arrives(a).errors() == ["NOT_ALLOWED"]


@pytest.mark.threat("I10")
def test_a_key_that_no_key_of_theirs_vouches_for_ends_nothing(mesh: Mesh, a: Server) -> None:
    alice, other = forked(mesh, a)
    mallory = Owner(mesh, "alice")
    mallory.step(ts=mesh.wall - 10)
    for said in (
        history(alice, rotation.revoke(alice.id, mallory.key, 2, mesh.wall)),
        history(mallory, rotation.revoke(alice.id, mallory.key, 2, mesh.wall)),
        history(alice, rotation.revoke(alice.id, alice.key, 2, mesh.wall), chain=False),
    ):
        other.say("KEY_HISTORY", said)
    assert other.errors() == ["BAD_KEY"] * 3
    assert not [r for r in a.disk if isinstance(r, Revocation)]
