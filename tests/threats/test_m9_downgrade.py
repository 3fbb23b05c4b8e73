"""M9: features stripped from a hello to get RSA-only, unproven or unbound traffic."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from socp.crypto import content_sig
from socp.sim.frames import frame
from socp.sim.user import User
from socp.wire import base64url
from socp.wire.envelope import Envelope, decode
from tests.sim.town import Town, town


def taps(t: Town, user: User, tap: Callable[[Envelope], Iterable[bytes] | None]) -> None:
    """Somebody sits on the user's links to their server from now on; None lets a frame pass."""

    def on_the_way(data: bytes) -> Iterable[bytes]:
        changed = tap(decode(data))
        return (data,) if changed is None else changed

    user.up_tap = user.down_tap = on_the_way
    assert user.wire is not None
    user.wire.cut()


@pytest.mark.threat("M9")
def test_a_challenge_replaced_by_a_plain_ack_gets_the_person_a_warning_and_no_traffic() -> None:
    t = town()

    def strip(e: Envelope) -> Iterable[bytes] | None:
        if e.type != "AUTH_CHALLENGE":
            return None
        ack = {"msg_ref": "USER_HELLO", "server_id": t.b.id, "pubkey": t.b.key.public.text}
        return (frame("ACK", ack, from_=t.b.id, to=t.bob.id, ts=t.world.wall),)

    taps(t, t.bob, strip)
    t.bob.says(t.alice, "secret")
    t.run(5)
    assert not t.bob.member.attached
    assert any("proved itself with bind/1, link-auth/1 before" in w for w in t.bob.warnings)
    assert t.alice.texts == []


@pytest.mark.threat("M9")
def test_a_hello_stripped_of_its_features_is_refused_by_the_server() -> None:
    t = town()

    def strip(e: Envelope) -> Iterable[bytes] | None:
        if e.type != "USER_HELLO":
            return None
        dropped = ("features", "auth_nonce")
        members = {k: v for k, v in e.members.items() if k not in dropped}
        return (frame(e.type, members, from_=e.from_, to=e.to, ts=e.ts),)

    taps(t, t.bob, strip)
    t.run(3)
    assert not t.bob.member.attached
    assert "must do so again" in t.b.log()


@pytest.mark.threat("M9")
def test_a_challenge_without_bind_does_not_get_unbound_traffic() -> None:
    t = town()

    def strip(e: Envelope) -> Iterable[bytes] | None:
        if e.type != "AUTH_CHALLENGE":
            return None
        members = dict(e.members) | {"features": ["link-auth/1"]}
        return (frame(e.type, members, from_=e.from_, to=e.to, ts=e.ts),)

    taps(t, t.bob, strip)
    t.run(3)
    t.bob.says(t.alice, "still bound")
    t.run(1)
    assert t.alice.texts == ["still bound"]
    assert all("bind" in e.members for e in t.bob.sent("MSG_DIRECT"))


@pytest.mark.threat("M9")
def test_an_ack_with_fewer_features_than_were_signed_is_no_ack() -> None:
    t = town()

    def strip(e: Envelope) -> Iterable[bytes] | None:
        if e.type != "ACK" or "features" not in e.members:
            return None
        members = dict(e.members) | {"features": ["link-auth/1"]}
        return (frame(e.type, members, from_=e.from_, to=e.to, ts=e.ts, key=None),)

    taps(t, t.bob, strip)
    t.run(3)
    assert not t.bob.member.attached
    assert any("could not prove its key" in w for w in t.bob.warnings)


@pytest.mark.threat("M9")
def test_a_plain_v13_message_from_a_client_that_signed_hybrid_is_not_shown() -> None:
    t = town()
    raw = t.bob.key.public.seal(b"plain")
    ts = t.world.wall
    said = {
        "ciphertext": base64url.encode(raw),
        "sender_pub": t.alice.key.public.text,
        "content_sig": content_sig.sign_direct(t.alice.key, raw, t.alice.id, t.bob.id, ts),
    }
    t.alice.forge("MSG_DIRECT", said, to=t.bob.id, ts=ts)
    t.run(1)
    assert t.bob.texts == []
    assert "hybrid/1" in t.bob.refusals[0].reason
