"""I6: RSA keys that are too short, too long, with another exponent, or no RSA keys at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from socp.channel import shares
from socp.channel.keyring import HeldKey
from socp.crypto import channel_box, content_sig
from socp.crypto.keys import RsaPrivateKey, RsaSuite
from socp.member.effects import PeerMoved
from socp.member.events import Say
from socp.sim.ids import an_id
from socp.sim.server import Server
from socp.sim.user import User
from socp.sim.world import World
from socp.wire import base64url
from socp.wire.canonical import canonical, to_members
from socp.wire.envelope import encode
from tests.keys import COUNT, test_key

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "crypto" / "key_text.json"
REFUSED = {
    case["why"]: case["text"]
    for case in json.loads(VECTORS.read_text())["cases"]
    if case["verdict"] == "refuse"
}
# Those that OpenSSL would gladly compute with.
WEAK = [why for why in REFUSED if why.startswith(("RSA-", "exponent", "an even"))]


class StoredKeys(RsaSuite):
    """The real suite, but nobody waits for a key."""

    def __init__(self) -> None:
        super().__init__()
        self._made = 0

    def generate(self) -> RsaPrivateKey:
        self._made += 1
        return test_key(self._made % COUNT)


@dataclass
class Place:
    """Two linked servers with real keys; alice is at a, bob at c."""

    world: World
    a: Server
    c: Server
    alice: User
    bob: User


def place() -> Place:
    world = World(suite=StoredKeys())
    a, c = world.add_server("a", 8001), world.add_server("c", 8003)
    world.run(5)
    alice, bob = world.add_user("alice", a), world.add_user("bob", c)
    world.run(8)
    assert a.linked == {c.id}
    for user in (alice, bob):
        assert user.member.attached
        user.forget_notices()
    return Place(world, a, c, alice, bob)


def accounts(server: Server) -> set[str]:
    return {account.user_id for account in server.disk.load().accounts}


def rsa_2048() -> tuple[rsa.RSAPrivateKey, str]:
    """A key of 2048 bits that does sign, and its text."""
    key = rsa.generate_private_key(65537, 2048)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    der = key.public_key().public_bytes(serialization.Encoding.DER, form)
    return key, base64url.encode(der)


def signed_by(key: rsa.RSAPrivateKey, data: bytes) -> str:
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return base64url.encode(key.sign(data, pss, hashes.SHA256()))


@pytest.mark.threat("I6")
def test_nobody_gets_an_account_with_a_key_that_is_none_or_weak() -> None:
    p = place()
    assert len(REFUSED) > 20
    for why, text in REFUSED.items():
        if not text:
            continue
        stranger = p.world.add_stranger(why, test_key(9))
        stranger.dials(p.a)
        p.world.run(0.1)
        hello = {"client": "weak", "pubkey": text, "enc_pubkey": text}
        stranger.say("USER_HELLO", hello, signed=False)
        p.world.run(0.1)
        (error,) = stranger.said("ERROR")
        assert error.members["code"] == ("BAD_FRAME" if "4096" in why else "BAD_KEY"), why
        assert stranger.said("ACK") == stranger.said("AUTH_CHALLENGE") == [], why
        assert stranger.close_code is not None, why
    assert accounts(p.a) == {p.alice.id, p.bob.id}
    assert p.alice.told(PeerMoved) == p.bob.told(PeerMoved) == []


@pytest.mark.threat("I6")
@pytest.mark.parametrize("kind", ["SERVER_HELLO_JOIN", "SERVER_HELLO_LINK", "SERVER_ANNOUNCE"])
def test_no_server_links_with_a_weak_key_that_does_sign(kind: str) -> None:
    p = place()
    key, text = rsa_2048()
    stranger = p.world.add_stranger("server", test_key(9))
    stranger.dials(p.a)
    p.world.run(0.1)
    payload = canonical({"host": "localhost", "port": 8009, "pubkey": text})
    sig = signed_by(key, payload)
    stranger.raw(encode(kind, stranger.id, "*", p.world.wall, payload, sig))
    p.world.run(1)
    assert [e.members["code"] for e in stranger.said("ERROR")] == ["BAD_KEY"]
    assert stranger.said("SERVER_WELCOME") == stranger.said("USER_ADVERTISE") == []
    assert stranger.close_code is not None
    assert p.a.linked == {p.c.id}
    assert stranger.id not in {pin.server_id for pin in p.a.disk.load().pins}


@pytest.mark.threat("I6")
@pytest.mark.parametrize("why", WEAK)
def test_no_server_makes_a_client_write_to_a_weak_key(why: str) -> None:
    p = place()
    ghost = an_id("ghost")
    for teller, hearer in ((p.c, p.a), (p.a, p.alice)):
        said = {"user_id": ghost, "server_id": teller.id, "pubkey": REFUSED[why]}
        teller.forge(hearer, "USER_ADVERTISE", said)
    p.world.run(1)
    assert ghost not in accounts(p.a)
    assert p.alice.member.contacts.resolve(ghost[:8]) == []
    p.alice.event(Say(ghost, "secret"))
    p.a.forge(p.alice, "PUBKEY_RESPONSE", {"user_id": ghost, "pubkey": REFUSED[why]})
    p.world.run(3)
    assert p.alice.sent("MSG_DIRECT") == []
    p.alice.says(p.bob, "we go on")
    p.world.run(1)
    assert p.bob.texts == ["we go on"]


@pytest.mark.threat("I6")
@pytest.mark.parametrize("weak", [True, False], ids=["weak", "sound"])
def test_a_message_that_a_weak_key_really_signed_is_not_shown(weak: bool) -> None:
    p = place()
    ghost, ts = an_id("ghost"), p.world.wall
    raw = p.alice.key.public.seal(b"hello")
    preimage = content_sig.direct_preimage(raw, ghost, p.alice.id, ts)
    key, text = rsa_2048()
    sig = signed_by(key, preimage)
    if not weak:
        text, sig = test_key(9).public.text, base64url.encode(test_key(9).sign(preimage))
    ciphertext = base64url.encode(raw)
    said = {"ciphertext": ciphertext, "sender": ghost, "sender_pub": text, "content_sig": sig}
    p.a.forge(p.alice, "USER_DELIVER", said, to=p.alice.id, ts=ts)
    p.world.run(10)
    assert p.alice.texts == ([] if weak else ["hello"])
    pinned = {contact.user_id for contact in p.alice.disk.load().contacts}
    assert (ghost in pinned) is not weak


@pytest.mark.threat("I6")
@pytest.mark.parametrize("why", WEAK)
def test_not_even_a_member_makes_others_post_under_a_weak_channel_key(why: str) -> None:
    p = place()
    private = test_key(9)
    group_key = channel_box.new_group_key(p.world.suite)
    box = channel_box.seal_private(p.world.suite, group_key, private, 2)
    held = HeldKey(2, private.public, private, group_key, box, p.bob.id)
    share = to_members(shares.make(p.bob.key, p.alice.id, p.alice.key.public, held))
    weak = share | {"channel_pub": REFUSED[why]}
    p.bob.forge("PUBLIC_CHANNEL_KEY_SHARE", weak, to="*")
    p.a.forge(p.alice, "PUBLIC_CHANNEL_KEY_SHARE", weak, from_=p.bob.id, bind=False)
    p.world.run(2)
    p.alice.posts("among us")
    p.world.run(2)
    assert p.bob.texts == ["among us"]
