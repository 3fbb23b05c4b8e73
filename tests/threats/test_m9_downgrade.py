"""M9: features stripped from a hello to get RSA-only, unproven or unbound traffic."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from socp.crypto import content_sig, hybrid
from socp.member.events import AcceptKey
from socp.member.records import Contact, Said
from socp.sim.frames import frame
from socp.sim.user import User
from socp.wire import base64url
from socp.wire.envelope import Envelope, decode
from tests.member.desk import Desk, an_id
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


# --- users, as seen by one client ----------------------------------------------------------------


@pytest.mark.threat("M9")
@pytest.mark.threat("M15")
@pytest.mark.parametrize("what", ["features", "both"])
def test_what_a_server_strips_from_a_pinned_user_is_required_all_the_same_and_said(
    what: str,
) -> None:
    desk = Desk().attaches()
    bob = desk.friend("bob")
    desk.goes(bob)
    desk.wall += 10
    advert = desk.advert(bob)
    advert["features"] = ["link-auth/1", "bind/1"]
    if what == "both":
        del advert["attach"]
    desk.hears("USER_ADVERTISE", advert, to="*")
    desk.says(bob, "still bound")
    raw = base64url.decode(str(desk.sent("MSG_DIRECT")[0].members["ciphertext"]))
    assert hybrid.is_hybrid(raw)
    assert any("without their own signature as before" in said for said in desk.warnings)


@pytest.mark.threat("M9")
def test_only_the_users_own_newer_signature_lowers_what_is_required_and_it_is_noted() -> None:
    desk = Desk().attaches()
    bob = desk.friend("bob")
    older = desk.advert(bob, features=("link-auth/1",), attach_ts=desk.wall - 1_000)
    newer = desk.advert(bob, features=("link-auth/1",), attach_ts=desk.wall + 1_000)
    for advert, lowered in ((older, False), (newer, True)):
        desk.wall += 10
        desk.hears("USER_ADVERTISE", advert, to="*")
        assert ("hybrid/1" not in desk.kept(Contact)[-1].features) is lowered
        assert any("no longer has hybrid/1" in said for said in desk.warnings) is lowered
    notes = [row.text for row in desk.kept(Said) if row.kind == "note"]
    assert "no longer has hybrid/1, by their own signature" in notes[-1]


@pytest.mark.threat("M9")
def test_who_takes_a_new_key_of_somebody_takes_no_feature_away() -> None:
    desk = Desk().attaches()
    bob = desk.friend("bob")
    bob.key = desk.suite.generate()
    desk.wall += 10
    desk.hears("USER_ADVERTISE", desk.advert(bob, attach_ts=0), to="*")
    desk.event(AcceptKey(bob.id, bob.key.public.fingerprint, compared=True))
    desk.wall += 10
    desk.hears("USER_ADVERTISE", desk.advert(bob, attach_ts=0), to="*")
    desk.says(bob, "bound to the new key")
    frame = desk.sent("MSG_DIRECT")[0]
    raw = base64url.decode(str(frame.members["ciphertext"]))
    assert hybrid.open_(bob.key, raw, from_=desk.id, to=bob.id, ts=frame.ts)


@pytest.mark.threat("M9")
@pytest.mark.threat("M12")
def test_who_signed_content_and_writes_without_it_is_shown_and_said_once() -> None:
    desk = Desk().attaches()
    bob = desk.friend("bob")
    for text in ("one", "two"):
        desk.wall += 1
        desk.hears("USER_DELIVER", bob.delivery(bob.seals(text)))
    assert desk.texts == ["one", "two"]
    said = [one for one in desk.warnings if "has content/1 and wrote without it" in one]
    assert len(said) == 1


@pytest.mark.threat("M9")
def test_a_server_that_proves_nothing_gets_no_traffic_where_one_proved_itself() -> None:
    desk = Desk(address="wss://chat.example.org").attaches()
    bob = desk.friend("bob")
    desk.loses_the_link()
    desk.server_id, desk.server_key = an_id("in between"), desk.suite.generate()
    desk.server_features = ()
    desk.attaches()
    desk.says(bob, "secret")
    desk.passes(5)
    assert not desk.member.attached
    assert desk.sent("MSG_DIRECT") == []
    assert any("answers there and proves nothing" in said for said in desk.warnings)
