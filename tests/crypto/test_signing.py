"""Transport signatures and labelled texts (sections 2, 3, 10 and 11)."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest

from socp.crypto import signing
from socp.wire import payloads
from socp.wire.canonical import canonical
from socp.wire.envelope import Envelope, decode, encode
from socp.wire.errors import Code, Misuse, PeerFault
from tests.crypto.conftest import Cast
from tests.crypto.scene import ALICE, BOB, SERVER, TS

NONCE = bytes(range(32))
OTHER = bytes(range(32, 64))


def frame(payload: str, sig: str) -> Envelope:
    return Envelope("X", ALICE, BOB, TS, payload.encode(), sig)


@pytest.mark.spec("3")
def test_sig_covers_the_payload_as_received_unknown_members_included(cast: Cast) -> None:
    sig = signing.sign_transport(cast.alice, {"b": 1, "a": "é", "x-unknown": [True, None]})
    pub = cast.alice.public
    assert len(sig) == 683
    assert signing.verify_transport(pub, frame('{"a":"é", "b":1, "x-unknown":[true,null]}', sig))
    assert not signing.verify_transport(pub, frame('{"a":"é","b":1}', sig))


@pytest.mark.spec("3")
def test_what_was_found_of_one_key_is_not_taken_for_another(cast: Cast) -> None:
    received = frame('{"a":1}', signing.sign_transport(cast.alice, {"a": 1}))
    for _ in range(2):
        assert signing.verify_transport(cast.alice.public, received)
        assert not signing.verify_transport(cast.mallory.public, received)


@pytest.mark.spec("3")
def test_sig_survives_the_way_over_the_wire(cast: Cast) -> None:
    payload = canonical({"text": "hé \U0001f600", "n": 9007199254740991})
    sig = signing.sign(cast.alice, payload)
    received = decode(encode("X", ALICE, BOB, TS, payload, sig))
    assert signing.verify_transport(cast.alice.public, received)


@pytest.mark.spec("3")
@pytest.mark.spec("13")
def test_sig_over_raw_utf8_holds_as_well(cast: Cast) -> None:
    sig = signing.sign(cast.alice, '{"a":"é"}'.encode())
    assert signing.verify_transport(cast.alice.public, frame('{"a":"\\u00e9"}', sig))


@pytest.mark.spec("3")
@pytest.mark.spec("11")
@pytest.mark.threat("M1")
def test_sig_alone_covers_neither_type_nor_addressee_which_is_why_bind_exists(cast: Cast) -> None:
    sig = signing.sign_transport(cast.alice, {"a": 1})
    turned = Envelope("Y", BOB, ALICE, 0, b'{"a":1}', sig)
    assert signing.verify_transport(cast.alice.public, turned)


@pytest.mark.spec("2")
@pytest.mark.parametrize(
    "sig", ["", "AA", "A" * 682, "A" * 683, "A" * 684, "=" * 683, "*" * 683, "é" * 683, "A" * 10**6]
)
def test_a_garbage_sig_is_false_and_no_exception(cast: Cast, sig: str) -> None:
    assert signing.verify_transport(cast.alice.public, frame("{}", sig)) is False
    assert signing.verify(cast.alice.public, sig, b"{}") is False


@pytest.mark.spec("3")
def test_sig_may_be_padded(cast: Cast) -> None:
    sig = signing.sign_transport(cast.alice, {})
    assert signing.verify_transport(cast.alice.public, frame("{}", sig + "="))
    assert not signing.verify_transport(cast.alice.public, frame("{}", sig + "=="))


@pytest.mark.spec("10")
@pytest.mark.spec("11")
def test_every_labelled_text_is_label_then_members() -> None:
    ids = ALICE + SERVER
    stated = sha256(canonical({"features": ["b", "a"]})).digest()
    assert signing.link_auth(ALICE, SERVER, NONCE) == f"socp-link-auth/1{ids}".encode() + NONCE
    assert signing.link_auth("auto", SERVER, NONCE, OTHER) == (
        f"socp-link-auth/1auto{SERVER}".encode() + NONCE + OTHER
    )
    assert signing.attach(ALICE, SERVER, TS, ("b", "a")) == (
        f"socp-attach/1{ids}{TS}".encode() + stated
    )
    assert signing.directory(ALICE, "f" * 64, 3) == f"socp-directory/1{ALICE}{'f' * 64}3".encode()
    assert signing.login(ALICE, SERVER, NONCE, OTHER) == (
        f"socp-login/1{ids}".encode() + NONCE + OTHER
    )
    assert signing.password_answer(ALICE, SERVER, b"asked", b"told") == (
        f"socp-password/1{ids}".encode() + sha256(b"asked").digest() + sha256(b"told").digest()
    )
    head = sha256(b"PUT /api/v1/rotation\n").digest()
    assert signing.request_nonce("PUT", "/api/v1/rotation", NONCE, b"{}") == (
        sha256(b"socp-request/1" + NONCE + head + sha256(b"{}").digest()).digest()
    )


@pytest.mark.spec("11")
@pytest.mark.threat("M11")
@pytest.mark.parametrize("nonce", [b"", NONCE[:31], NONCE + b"x", NONCE * 2])
def test_a_nonce_of_another_length_is_never_signed(nonce: bytes) -> None:
    attempts: list[Callable[[], bytes]] = [
        lambda: signing.link_auth(ALICE, SERVER, nonce),
        lambda: signing.login(ALICE, SERVER, nonce, NONCE),
        lambda: signing.login(ALICE, SERVER, NONCE, nonce),
    ]
    for attempt in attempts:
        with pytest.raises(PeerFault) as refusal:
            attempt()
        assert refusal.value.code == Code.BAD_FRAME


@pytest.mark.spec("11")
def test_an_exporter_value_of_another_length_is_our_own_fault() -> None:
    with pytest.raises(Misuse):
        signing.link_auth(ALICE, SERVER, NONCE, b"short")


@pytest.mark.spec("11")
@pytest.mark.threat("M11")
def test_no_two_labelled_texts_are_alike() -> None:
    texts = {
        signing.link_auth(ALICE, SERVER, NONCE),
        signing.link_auth(SERVER, ALICE, NONCE),
        signing.link_auth(ALICE, SERVER, OTHER),
        signing.link_auth(ALICE, SERVER, NONCE, OTHER),
        signing.login(ALICE, SERVER, NONCE, OTHER),
        signing.login(ALICE, SERVER, OTHER, NONCE),
        signing.attach(ALICE, SERVER, TS, ()),
        signing.attach(ALICE, SERVER, TS, ("a",)),
        signing.directory(ALICE, "f" * 64, 1),
    }
    assert len(texts) == 9


def stated(cast: Cast, *features: str, ts: int = TS) -> payloads.Attach:
    preimage = signing.attach(ALICE, SERVER, ts, features)
    return payloads.Attach(ts=ts, sig=signing.sign(cast.alice, preimage))


@pytest.mark.spec("11")
@pytest.mark.threat("I3")
def test_an_attach_holds_for_its_user_server_and_key(cast: Cast) -> None:
    word = stated(cast, "hybrid/1")
    pub = cast.alice.public
    assert signing.attach_holds(pub, ALICE, SERVER, word, ["hybrid/1"])
    assert not signing.attach_holds(pub, BOB, SERVER, word, ["hybrid/1"])
    assert not signing.attach_holds(pub, ALICE, BOB, word, ["hybrid/1"])
    assert not signing.attach_holds(cast.mallory.public, ALICE, SERVER, word, ["hybrid/1"])


@pytest.mark.spec("11")
@pytest.mark.threat("M15")
@pytest.mark.parametrize("shown", [[], ["hybrid/1"], ["bind/1", "hybrid/1"], ["hybrid/1,bind/1"]])
def test_features_stripped_or_turned_break_the_attach(cast: Cast, shown: list[str]) -> None:
    word = stated(cast, "hybrid/1", "bind/1")
    assert not signing.attach_holds(cast.alice.public, ALICE, SERVER, word, shown)


@pytest.mark.spec("11")
def test_an_attach_of_another_time_does_not_hold(cast: Cast) -> None:
    later = payloads.Attach(ts=TS + 1, sig=stated(cast).sig)
    assert not signing.attach_holds(cast.alice.public, ALICE, SERVER, later, [])


@pytest.mark.spec("11")
@pytest.mark.parametrize("ts", [0, 12, 2**53 - 1])
def test_an_attach_with_an_unfit_time_or_id_is_false_and_no_exception(cast: Cast, ts: int) -> None:
    word = payloads.Attach(ts=ts, sig=stated(cast).sig)
    assert signing.attach_holds(cast.alice.public, ALICE, SERVER, word, []) is False
    assert signing.attach_holds(cast.alice.public, "alice", SERVER, stated(cast), []) is False
