"""Which version a key has is its owner's word alone (section 10; threats I10, S5)."""

from __future__ import annotations

import pytest

from socp.wire.canonical import to_members
from tests.node.cast import linked_server
from tests.node.keychain import Owner, account
from tests.node.mesh import Mesh, Peer, Server

JUNK = "A" * 683  # has the length of a signature


def lies(mesh: Mesh, alice: Owner, other: Peer) -> None:
    """A server makes up how old the key is that everybody pinned."""
    step = {"version": 1000, "ts": mesh.wall, "sig": JUNK, "new_sig": JUNK, "follows": "0f" * 32}
    pubkey = alice.key.public.text
    said: dict[str, object] = {"user_id": alice.id, "rotations": [{"pubkey": pubkey, **step}]}
    #: alice.key.public.text, **step}]}
    other.say("KEY_HISTORY", said)


@pytest.mark.threat("I10")
def test_a_version_that_a_server_made_up_freezes_nobodys_key(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    peer = alice.arrives(a)
    lies(mesh, alice, linked_server(mesh, a, "evil"))
    mesh.wall += 1_000
    alice.rotates(peer)
    assert peer.errors() == []
    again = alice.arrives(a)
    lies(mesh, alice, linked_server(mesh, a, "other", port=9010))
    alice.revokes(again)
    assert again.errors() == []


@pytest.mark.threat("S5")
def test_a_made_up_version_is_neither_kept_nor_passed_on(mesh: Mesh) -> None:
    a, b, _ = mesh.three()
    alice = Owner(mesh, "alice")
    peer = alice.arrives(a)
    mesh.run(2)
    for server in (a, b):
        lies(mesh, alice, linked_server(mesh, server, f"evil {server.name}"))
    bob = mesh.user(a, "bob")
    bob.say("PUBKEY_REQUEST", {"user_id": alice.id})
    said = bob.members("PUBKEY_RESPONSE")[-1]
    assert (said["version"], said.get("rotations")) == (1, None)
    mesh.wall += 1_000
    alice.rotates(peer)
    mesh.run(2)
    assert account(b, alice.id).pubkey == alice.key.public.text


@pytest.mark.threat("I10")
def test_what_the_owner_signed_tells_the_version_whoever_brings_it(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    alice.step(ts=mesh.wall - 9_000)
    alice.arrives(a, rotations=())
    assert account(a, alice.id).version == 1
    other = linked_server(mesh, a, "other")
    (step,) = [to_members(step) for step in alice.chain]
    told: dict[str, object] = {"user_id": alice.id, "rotations": [{**step, "sig": JUNK}]}
    other.say("KEY_HISTORY", told)
    assert account(a, alice.id).version == 1
    other.say("KEY_HISTORY", {"user_id": alice.id, "rotations": [step]})
    assert account(a, alice.id).version == 2
