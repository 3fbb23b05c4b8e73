"""Our client with others' programs: a plain v1.3 client, a plain v1.3 server (section 13)."""

from __future__ import annotations

import pytest

from socp.crypto import content_sig
from socp.member.effects import MessageArrived, Online, Trust
from socp.member.events import Say
from socp.member.records import LineState
from socp.sim.stranger import Stranger
from socp.sim.user import User
from socp.sim.world import World
from socp.wire import base64url
from socp.wire.envelope import Envelope
from tests.sim.town import Town, town


def v13_client(t: Town, name: str = "victor") -> Stranger:
    """Attached to server a: no features, an empty sig."""
    stranger = t.world.add_stranger(name)
    stranger.dials(t.a)
    t.run(0.1)
    hello = {"client": "v13", "pubkey": stranger.key.public.text, "enc_pubkey": ""}
    stranger.say("USER_HELLO", hello, signed=False)
    t.run(1)
    return stranger


def raw(envelope: Envelope) -> bytes:
    return base64url.decode(str(envelope.members["ciphertext"]))


@pytest.mark.spec("13")
def test_a_v13_client_writes_to_us_and_we_write_back_in_blocks_it_can_read() -> None:
    t = town()
    victor = v13_client(t)
    ts = t.world.wall
    sealed = t.bob.key.public.seal(b"hello from 1.3")
    said = {
        "ciphertext": base64url.encode(sealed),
        "sender_pub": victor.key.public.text,
        "content_sig": content_sig.sign_direct(victor.key, sealed, victor.id, t.bob.id, ts),
    }
    victor.say("MSG_DIRECT", said, to=t.bob.id, ts=ts, signed=False)
    t.run(1)
    assert [(m.text, m.trust) for m in t.bob.messages] == [("hello from 1.3", Trust.NOT_BOUND)]
    t.bob.says(_as_user(t, victor), "x" * 1000)
    t.run(1)
    got = victor.said("USER_DELIVER")
    assert "".join(victor.key.open(raw(e)).decode() for e in got) == "x" * 1000
    assert t.bob.line("x" * 1000).state is LineState.DELIVERED


@pytest.mark.spec("7")
def test_a_v13_client_is_given_the_channels_key_and_reads_our_posts() -> None:
    t = town()
    victor = v13_client(t)
    t.run(5)
    shares = [e for e in victor.said("PUBLIC_CHANNEL_KEY_SHARE") if victor.id in str(e.members)]
    assert shares
    t.alice.posts("hello all")
    t.run(1)
    (post,) = victor.said("MSG_PUBLIC_CHANNEL")
    assert len(raw(post)) == 512
    assert t.bob.texts == ["hello all"]
    assert t.bob.told(MessageArrived)[0].trust is Trust.NOT_BOUND


@pytest.mark.spec("8")
def test_a_v13_client_gets_a_file_in_blocks_it_can_read() -> None:
    t = town()
    victor = v13_client(t)
    t.alice.sends_file(_as_user(t, victor), "small.txt", b"abc" * 1000)
    t.run(10)
    (start,) = victor.said("FILE_START")
    assert start.from_ == t.alice.id
    content = b"".join(victor.key.open(raw(e)) for e in victor.said("FILE_CHUNK"))
    assert content == b"abc" * 1000
    assert len(victor.said("FILE_END")) == 1


@pytest.mark.spec("11")
@pytest.mark.parametrize("honest", [True, False])
def test_another_client_with_link_auth_must_prove_its_key(honest: bool) -> None:
    t = town()
    stranger = t.world.add_stranger("dora")
    stranger.dials(t.a)
    t.run(0.1)
    stranger.hello("link-auth/1")
    t.run(0.1)
    if not honest:
        stranger.key = t.world.suite.generate()
    stranger.prove()
    t.run(1)
    assert t.bob.member.contacts.is_online(stranger.id) is honest
    assert bool(stranger.said("ACK")) is honest


class PlainServer:
    """What a v1.3 server does for two users, by hand."""

    def __init__(self) -> None:
        self.world = World()
        self.plain = self.world.add_stranger("plain server")
        self.address = self.plain.listens(9001)

    def user(self, name: str) -> User:
        user = User(
            name, self.world.suite, self.world.suite.generate(), self.world.network, self.address
        )
        user.start()
        self.world.run(0.5)
        return user


@pytest.mark.spec("13")
def test_our_client_talks_over_a_server_of_plain_v13() -> None:
    p = PlainServer()
    alice = p.user("alice")
    p.plain.say("ACK", {"msg_ref": "USER_HELLO"}, to=alice.id)
    bob = p.world.suite.generate()
    bob_id = p.world.add_stranger("bob").id
    meta = {"display_name": "bob", "pubkey": bob.public.text}
    advert = {"user_id": bob_id, "server_id": p.plain.id, "meta": meta}
    p.plain.say("USER_ADVERTISE", advert)
    p.world.run(1)
    assert alice.told(Online)[0].proven is False
    alice.event(Say(bob_id, "hello"))
    p.world.run(6)
    (said,) = p.plain.said("MSG_DIRECT")
    assert bob.open(raw(said)) == b"hello"
    assert alice.line("hello").state is LineState.DONE
    ts = p.world.wall
    sealed = alice.key.public.seal(b"hello yourself")
    deliver = {
        "ciphertext": base64url.encode(sealed),
        "sender": bob_id,
        "sender_pub": bob.public.text,
        "content_sig": content_sig.sign_direct(bob, sealed, bob_id, alice.id, ts),
    }
    p.plain.say("USER_DELIVER", deliver, to=alice.id, ts=ts)
    p.world.run(1)
    assert [(m.text, m.trust) for m in alice.messages] == [("hello yourself", Trust.NOT_BOUND)]


def _as_user(t: Town, stranger: Stranger) -> User:
    """A stand-in with the stranger's id, for `says` and `sends_file`."""
    return User(stranger.name, t.world.suite, stranger.key, t.world.network, t.a.address)
