"""What somebody signs with a key that is not theirs any more counts nowhere, whichever way it comes
(section 10; docs/protocol.md; threats I2, I10)."""

from __future__ import annotations

import pytest

from socp.crypto import content_sig
from socp.crypto.keys import PrivateKey
from socp.wire.canonical import to_members
from socp.wire.features import SERVER_FEATURES
from tests.node.cast import Members, advert_of, attach_of, deliver_of, linked_server
from tests.node.keychain import Owner
from tests.node.mesh import Mesh, Peer, Server
from tests.node.test_mailbox import keeper
from tests.node.test_transfers import start_of

pytestmark = [pytest.mark.spec("10"), pytest.mark.threat("I10")]


def rotated(mesh: Mesh, a: Server) -> tuple[Owner, Peer]:
    """Somebody of another server whose key was replaced a second ago."""
    alice, home = Owner(mesh, "alice"), linked_server(mesh, a, "b", features=SERVER_FEATURES)
    for _ in range(2):
        mesh.wall += 1_000
        attach = attach_of(alice.key, alice.id, home.id, mesh.wall)
        advert = advert_of(alice.id, home.id, alice.key, attach=attach)
        home.say(
            "USER_ADVERTISE", {**advert, "rotations": [to_members(step) for step in alice.chain]}
        )
        if len(alice.keys) == 1:
            alice.step(ts=mesh.wall + 500)
    assert home.errors() == []
    return alice, home


def manifest_of(key: PrivateKey, author: str, reader: str, ts: int) -> Members:
    said = {**start_of(), "sender_pub": key.public.text}
    sig = content_sig.sign_manifest(key, said, author, reader, ts)
    return {**said, "content_sig": sig, "sender": author, "user_id": reader}


@pytest.mark.parametrize("queued", [False, True])
@pytest.mark.parametrize("kind", ["SERVER_DELIVER", "FILE_START"])
def test_a_former_key_speaks_for_the_time_before_it_was_replaced_alone(
    mesh: Mesh, a: Server, kind: str, queued: bool
) -> None:
    alice, home = rotated(mesh, a)
    bob = keeper(mesh, a, "bob")
    for ts in (mesh.wall - 1_000, mesh.wall):
        make = deliver_of if kind == "SERVER_DELIVER" else manifest_of
        said = make(alice.keys[0], alice.id, bob.id, ts)
        home.say(kind, {**said, "queued": True} if queued else said, to=a.id, ts=ts)
    assert home.errors() == ["BAD_KEY"]
    assert len(bob.said("USER_DELIVER") + bob.said("FILE_START")) == 1
