"""What of a frame's arithmetic can be done before the brain handles it, and after it answered."""

from __future__ import annotations

import pytest

from socp.crypto.keys import PrivateKey
from socp.crypto.symbolic import SymbolicSuite
from socp.member.ahead import Ahead
from socp.member.effects import MessageArrived, Transmit
from socp.member.emitter import Emitter
from socp.member.events import FrameReceived, Now
from socp.wire import base64url
from socp.wire.envelope import decode
from socp.wire.payloads import Ack
from tests.member.desk import Desk


class Noted:
    """A key that counts what is asked of it."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key
        self.public = key.public
        self.signed = 0
        self.ahead: list[bytes] = []

    def sign(self, data: bytes) -> bytes:
        self.signed += 1
        return self._key.sign(data)

    def open(self, ciphertext: bytes) -> bytes:
        return self._key.open(ciphertext)

    def open_ahead(self, ciphertext: bytes) -> bool:
        self.ahead.append(ciphertext)
        return self._key.open_ahead(ciphertext)

    def to_bytes(self) -> bytes:
        return self._key.to_bytes()


def noting() -> tuple[Desk, Noted]:
    """A desk whose key counts."""
    desk = Desk()
    desk.key = key = Noted(desk.key)
    desk.again(desk.remembered)
    return desk.attaches(), key


def test_the_sealed_block_of_a_message_is_opened_ahead() -> None:
    desk, key = noting()
    bob = desk.friend("bob")
    raw = bob.seals("hello")
    envelope = desk.frame("USER_DELIVER", bob.delivery(raw))
    work = desk.member.ahead(FrameReceived(envelope))
    assert work is not None
    work()
    assert key.ahead == [raw[:512]]
    assert not desk.told(MessageArrived)  # nothing is decided yet
    desk.hears_again(envelope)
    assert [each.text for each in desk.told(MessageArrived)] == ["hello"]


@pytest.mark.parametrize("ciphertext", ["", "!", "AAAA"])
def test_nothing_can_be_done_ahead_about_what_is_no_ciphertext(ciphertext: str) -> None:
    desk, _ = noting()
    bob = desk.friend("bob")
    members = {**bob.delivery(bob.seals("hello")), "ciphertext": ciphertext}
    assert desk.member.ahead(FrameReceived(desk.frame("USER_DELIVER", members))) is None


def test_nothing_can_be_done_ahead_about_other_frames() -> None:
    desk, _ = noting()
    assert desk.member.ahead(FrameReceived(desk.frame("USER_LIST", {"users": []}))) is None
    post = {"ciphertext": "A" * 683, "sender_pub": "", "content_sig": ""}
    frame = desk.frame("MSG_PUBLIC_CHANNEL", post, from_=desk.id)
    assert desk.member.ahead(FrameReceived(frame)) is None  # no key of the channel is here


def test_a_post_is_tried_with_each_key_of_the_channel_ahead_until_one_opens_it() -> None:
    suite = SymbolicSuite(1)
    keys = [Noted(suite.generate()) for _ in range(3)]
    desk = Desk()
    bob = desk.friend("bob")
    raw = keys[1].public.seal(b"hello")
    post = {
        "ciphertext": base64url.encode(raw),
        "sender_pub": bob.key.public.text,
        "content_sig": "",
    }
    frame = desk.frame("MSG_PUBLIC_CHANNEL", post, from_=bob.id)
    work = Ahead(lambda: desk.key, lambda author: keys if author == bob.id else ()).work(frame)
    assert work is not None
    work()
    assert [key.ahead for key in keys] == [[raw], [raw], []]


def test_a_frame_is_signed_when_its_bytes_are_asked_for_and_once() -> None:
    key = Noted(SymbolicSuite(1).generate())
    emit = Emitter("me", key)
    emit.send(Ack(msg_ref="m" * 43), Now(1_790_000_000_000, 1))
    (effect,) = emit.take()
    assert isinstance(effect, Transmit)
    assert key.signed == 0
    assert effect.frame.size > len("m" * 43)
    assert decode(effect.data).type == "ACK"
    assert effect.data is effect.data
    assert key.signed == 1
