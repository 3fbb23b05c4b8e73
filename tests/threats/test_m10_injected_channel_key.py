"""M10: a server injects a key for the public channel that it knows, or an old version."""

from __future__ import annotations

import pytest

from socp.channel import shares
from socp.channel.keyring import HeldKey
from socp.crypto import channel_box, hybrid
from socp.crypto.keys import PrivateKey, Unreadable
from socp.member.effects import MembersShown
from socp.sim.ids import an_id
from socp.sim.user import User
from socp.wire import base64url
from socp.wire.canonical import to_members
from tests.sim.town import Town, town


def known_key(t: Town, version: int) -> HeldKey:
    """A channel key that the server made, and so can read with."""
    private = t.world.suite.generate()
    group_key = channel_box.new_group_key(t.world.suite)
    box = channel_box.seal_private(t.world.suite, group_key, private, version)
    return HeldKey(version, private.public, private, group_key, box, an_id("server"))


def inject(t: Town, key: HeldKey, *, author: str, signer: PrivateKey) -> None:
    """c gives alice its key, by way of a and as alice's own server would."""
    payload = shares.make(signer, t.alice.id, t.alice.key.public, key)
    for server in (t.c, t.a):
        peer = t.a if server is t.c else t.alice
        server.forge(
            peer, "PUBLIC_CHANNEL_KEY_SHARE", to_members(payload), from_=author, bind=False
        )
    t.run(1)


def reads(key: HeldKey, author: User) -> bool:
    """Whether this key opens what the author posted last."""
    post = author.sent("MSG_PUBLIC_CHANNEL")[-1]
    raw = base64url.decode(str(post.members["ciphertext"]))
    try:
        hybrid.open_(key.private, raw, from_=author.id, to="public", ts=post.ts)
    except Unreadable:
        return False
    return True


@pytest.mark.threat("M10")
@pytest.mark.parametrize("version", [1, 2, 500])
@pytest.mark.parametrize("name", ["a member's", "a stranger's"])
def test_a_key_that_no_pinned_member_signed_is_not_used(version: int, name: str) -> None:
    t = town()
    author = t.carol.id if name == "a member's" else an_id("nobody")
    key = known_key(t, version)
    inject(t, key, author=author, signer=t.world.suite.generate())
    t.alice.posts("among us")
    t.run(1)
    assert not reads(key, t.alice)
    assert t.bob.texts == t.carol.texts == ["among us"]


@pytest.mark.threat("M10")
def test_wraps_without_a_share_choose_nothing() -> None:
    t = town()
    group_key = channel_box.new_group_key(t.world.suite)
    wrap = base64url.encode(t.alice.key.public.seal(group_key))
    updated = {"version": 2, "wraps": [{"member_id": t.alice.id, "wrapped_key": wrap}]}
    t.a.forge(t.alice, "PUBLIC_CHANNEL_UPDATED", updated)
    t.run(1)
    t.alice.posts("among us")
    t.run(1)
    assert t.bob.texts == ["among us"]


@pytest.mark.threat("M10")
def test_a_user_that_a_server_makes_up_is_shown_before_anything_is_sent_to_it() -> None:
    t = town()
    t.alice.posts("before")
    t.run(1)
    t.alice.forget_notices()
    ghost = t.world.add_user("ghost", t.c)
    t.run(3)
    t.alice.posts("after")
    t.run(1)
    (shown,) = t.alice.told(MembersShown)
    assert [person.user_id for person in shown.fresh] == [ghost.id]


@pytest.mark.threat("M10")
def test_a_share_whose_box_holds_another_key_than_it_names_is_not_used() -> None:
    t = town()
    key, other = known_key(t, 2), known_key(t, 2)
    payload = shares.make(t.carol.key, t.alice.id, t.alice.key.public, key)
    mixed = to_members(payload) | {"channel_pub": other.public.text}
    t.a.forge(t.alice, "PUBLIC_CHANNEL_KEY_SHARE", mixed, from_=t.carol.id, bind=False)
    t.run(1)
    t.alice.posts("among us")
    t.run(1)
    assert not reads(other, t.alice)
    assert t.bob.texts == ["among us"]
