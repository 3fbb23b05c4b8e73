"""What a peer makes us hold for a while is bounded by what it takes (threat S5)."""

from __future__ import annotations

import pytest

from socp.node import naming, public_channel, relaying
from socp.wire import base64url
from socp.wire.features import GOSSIP
from tests.node.cast import advertise, linked_server, share_of
from tests.node.mesh import Mesh, Server, an_id

pytestmark = pytest.mark.threat("S5")
GOSSIPS = ("link-auth/1", "bind/1", GOSSIP)


def test_a_share_too_long_to_keep_is_not_kept_by_its_way(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    bob, _ = advertise(b, "bob")
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, ts=mesh.wall + 1)
    alice = mesh.user(a, "alice")
    box = base64url.encode(bytes(public_channel.SHARE_BYTES_MAX))
    alice.say("PUBLIC_CHANNEL_KEY_SHARE", {**share_of(alice, bob), "channel_priv_box": box})
    assert len(b.said("PUBLIC_CHANNEL_KEY_SHARE")) == 1
    assert not a.node._channel._handed
    alice.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(alice, bob, version=2))
    assert len(a.node._channel._handed) == 1


def test_who_names_the_same_newcomer_again_and_again_is_kept_once(mesh: Mesh, a: Server) -> None:
    for n in range(3):
        mesh.user(a, f"{n}")
    b = linked_server(mesh, a, "b")
    newcomers = [advertise(b, name)[0] for name in ("bob", "carol")]
    for n in range(naming.QUEUE_MIN + 100):
        said = {"add": [newcomers[n % 2]], "if_version": 0}
        b.say("PUBLIC_CHANNEL_ADD", said, ts=mesh.wall - n)
    queue = a.node._channel._naming._queue
    assert len(queue) < naming.QUEUE_MIN
    assert len({id(wanted.told) for _, _, wanted in queue if wanted.origin == b.id}) == 1


def test_what_a_new_link_says_is_held_back_by_its_bytes(
    mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "HELD_BYTES_MAX", 10_000)
    c = linked_server(mesh, a, "c", features=GOSSIPS, port=9010)
    b = linked_server(mesh, a, "b", features=GOSSIPS)
    wraps = [{"member_id": an_id("bob"), "wrapped_key": "AAAA" * 500}]
    for n in range(3):
        b.say("PUBLIC_CHANNEL_UPDATED", {"version": n, "wraps": wraps})
    assert c.said("PUBLIC_CHANNEL_UPDATED") == []
    for n in range(3, 6):
        b.say("PUBLIC_CHANNEL_UPDATED", {"version": n, "wraps": wraps})
    assert len(c.said("PUBLIC_CHANNEL_UPDATED")) == 4
