"""What holds of keys in either form: RSA ones, and the simulator's."""

from __future__ import annotations

import copy
import hashlib
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from socp.crypto.keys import (
    KeyRefused,
    RsaSuite,
    Unreadable,
)
from socp.wire import base64url
from socp.wire.errors import Code, Misuse, PeerFault
from tests.crypto.conftest import Cast
from tests.keys import COUNT, test_key


@pytest.mark.spec("3")
def test_what_was_signed_verifies(cast: Cast) -> None:
    signature = cast.alice.sign(b"hello")
    assert len(signature) == 512
    assert cast.alice.public.verify(signature, b"hello")


@pytest.mark.spec("3")
def test_a_signature_is_different_each_time(cast: Cast) -> None:
    assert cast.alice.sign(b"hello") != cast.alice.sign(b"hello")


@pytest.mark.spec("3")
def test_a_signature_holds_for_no_other_text(cast: Cast) -> None:
    assert not cast.alice.public.verify(cast.alice.sign(b"hello"), b"hello!")


@pytest.mark.spec("3")
def test_a_signature_holds_under_no_other_key(cast: Cast) -> None:
    assert not cast.bob.public.verify(cast.alice.sign(b"hello"), b"hello")


@pytest.mark.spec("3")
@pytest.mark.parametrize("at", [0, 15, 16, 47, 48, 300, 511])
def test_one_wrong_bit_anywhere_breaks_a_signature(cast: Cast, at: int) -> None:
    signature = bytearray(cast.alice.sign(b"hello"))
    signature[at] ^= 1
    assert not cast.alice.public.verify(bytes(signature), b"hello")


@pytest.mark.spec("3")
@pytest.mark.parametrize(
    "garbage", [b"", b"\x00" * 511, b"\x00" * 512, b"\xff" * 512, b"\x00" * 513, b"x" * 100_000]
)
def test_a_garbage_signature_is_false_and_no_exception(cast: Cast, garbage: bytes) -> None:
    assert cast.alice.public.verify(garbage, b"hello") is False


@pytest.mark.spec("3")
@pytest.mark.parametrize("size", [0, 1, 32, 445, 446])
def test_what_was_sealed_opens_for_the_holder(cast: Cast, size: int) -> None:
    sealed = cast.bob.public.seal(b"x" * size)
    assert len(sealed) == 512
    assert cast.bob.open(sealed) == b"x" * size


@pytest.mark.spec("3")
def test_sealing_is_different_each_time(cast: Cast) -> None:
    assert cast.bob.public.seal(b"hello") != cast.bob.public.seal(b"hello")


@pytest.mark.spec("3")
def test_the_plaintext_is_not_seen_in_what_was_sealed(cast: Cast) -> None:
    assert b"hello bob" not in cast.bob.public.seal(b"hello bob" * 10)


@pytest.mark.spec("3")
def test_447_bytes_fit_no_block(cast: Cast) -> None:
    with pytest.raises(Misuse, match="447 bytes do not fit one OAEP block"):
        cast.bob.public.seal(b"x" * 447)


@pytest.mark.spec("3")
def test_nobody_else_opens_what_was_sealed(cast: Cast) -> None:
    with pytest.raises(Unreadable):
        cast.mallory.open(cast.bob.public.seal(b"hello"))


@pytest.mark.spec("3")
@pytest.mark.threat("M8")
def test_every_failure_to_open_looks_the_same(cast: Cast) -> None:
    sealed = cast.bob.public.seal(b"hello")
    wrong = [
        b"",
        sealed[:-1],
        sealed + b"\x00",
        bytes(512),
        b"\xff" * 512,
        cast.alice.public.seal(b"hello"),
    ]
    for at in (0, 20, 49, 60, 511):
        turned = bytearray(sealed)
        turned[at] ^= 1
        wrong.append(bytes(turned))
    said = set()
    for ciphertext in wrong:
        with pytest.raises(Unreadable) as failure:
            cast.bob.open(ciphertext)
        error = failure.value
        said.add((type(error), str(error), error.args, error.__cause__, error.__suppress_context__))
        assert not error.__dict__
    assert len({text for _, text, *_ in said}) == 1


@pytest.mark.spec("3")
def test_the_fingerprint_is_sha_256_over_the_der(cast: Cast) -> None:
    key = cast.alice.public
    assert key.fingerprint == hashlib.sha256(key.der).hexdigest()
    assert len(key.der) == 550


@pytest.mark.spec("3")
def test_the_text_of_a_key_parses_to_that_key(cast: Cast) -> None:
    key = cast.alice.public
    assert base64url.decode(key.text) == key.der
    assert cast.suite.parse_public(key.text) == key


@pytest.mark.spec("3")
@pytest.mark.threat("I7")
def test_a_key_in_every_form_of_text_is_one_identity(cast: Cast) -> None:
    key = cast.alice.public
    parsed = [cast.suite.parse_public(text) for text in _forms(key.der)]
    assert {one.fingerprint for one in parsed} == {key.fingerprint}
    assert {one.text for one in parsed} == {key.text}
    assert {*parsed, key} == {key}
    assert all(one.verify(cast.alice.sign(b"x"), b"x") for one in parsed)


def _forms(der: bytes) -> list[str]:
    text = base64url.encode(der)
    standard = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
    lines = [standard[at : at + 64] for at in range(0, len(standard), 64)]
    pem = "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""])
    crlf = pem.replace("\n", "\r\n")
    padded = text + "=" * (-len(text) % 4)
    return [text, padded, standard, pem, crlf, pem.strip()] + [
        base64url.encode(one.encode()) for one in (pem, crlf)
    ]


@pytest.mark.spec("3")
def test_two_keys_are_never_equal(cast: Cast) -> None:
    assert cast.alice.public != cast.bob.public
    assert len({cast.alice.public, cast.bob.public, cast.mallory.public}) == 3


@pytest.mark.spec("3")
@pytest.mark.threat("I6")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "=",
        "AA",
        "A" * 735,
        "A" * 4096,
        "A" * 4097,
        "!" * 734,
        "-----BEGIN PUBLIC KEY-----",
        "é",
    ],
)
def test_a_text_that_is_no_key_is_refused(cast: Cast, text: str) -> None:
    with pytest.raises(PeerFault) as refusal:
        cast.suite.parse_public(text)
    assert refusal.value.code == Code.BAD_KEY
    why, _, remedy = refusal.value.detail.partition("; ")
    assert why.startswith("the ")
    assert remedy == (
        "send an RSA-4096 key with exponent 65537, base64url of its DER SubjectPublicKeyInfo"
    )


@pytest.mark.threat("P5")
def test_a_private_key_shows_its_public_half_alone(cast: Cast) -> None:
    shown = f"{cast.alice!r} {cast.alice} {cast.alice.public!r}"
    assert cast.alice.public.fingerprint in shown
    secret = cast.alice.to_bytes()
    assert base64url.encode(secret[-64:]) not in shown
    assert secret.hex()[-64:] not in shown
    assert len(shown) < 300


@pytest.mark.threat("P5")
@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_private_key_is_neither_pickled_nor_copied(cast: Cast, take: object) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        take(cast.alice)  # type: ignore[operator]


def test_a_private_key_comes_back_from_its_bytes(cast: Cast) -> None:
    again = cast.suite.load_private(cast.alice.to_bytes())
    assert again.public == cast.alice.public
    assert again.open(cast.alice.public.seal(b"hello")) == b"hello"
    assert cast.alice.public.verify(again.sign(b"x"), b"x")


@pytest.mark.parametrize("data", [b"", b"junk", b"\x30\x82", b"x" * 100_000])
def test_bytes_that_are_no_private_key_are_refused(cast: Cast, data: bytes) -> None:
    with pytest.raises(KeyRefused):
        cast.suite.load_private(data)


def test_a_new_key_is_nobody_elses(cast: Cast) -> None:
    real = isinstance(cast.suite, RsaSuite)
    made = test_key(COUNT - 1) if real else cast.suite.generate()  # RSA generates once, below
    assert made.public not in {cast.alice.public, cast.bob.public}


def test_random_bytes_have_the_size_asked_for_and_differ(cast: Cast) -> None:
    drawn = [cast.suite.random(32) for _ in range(100)]
    assert {len(one) for one in drawn} == {32}
    assert len(set(drawn)) == 100
    assert cast.suite.random(0) == b""


@pytest.mark.spec("3")
def test_a_text_seen_before_costs_a_look_up(cast: Cast) -> None:
    text = cast.alice.public.text
    assert cast.suite.parse_public(text) is cast.suite.parse_public(text)


def test_keys_may_be_used_from_several_threads_at_once(cast: Cast) -> None:
    def turn(n: int) -> bool:
        text = b"%d" % n
        opened = cast.bob.open(cast.bob.public.seal(text))
        return opened == text and cast.alice.public.verify(cast.alice.sign(text), text)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(turn, range(40)))


@pytest.mark.spec("3")
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("A" * 4097, "the key text has 4097 characters, more than 4096"),
        ("A" * 735, "the key has 551 bytes of DER, more than 550"),
        ("A" * 733, "the key text is neither base64url nor PEM"),
        ("-----BEGIN PUBLIC KEY-----", "the PEM text is not one whole PUBLIC KEY block"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA", "the PEM text is not one whole PUBLIC KEY block"),
        ("AAAA", "the key is not (an RSA key in a SubjectPublicKeyInfo|a symbolic one)"),
    ],
)
def test_who_sends_a_text_that_is_no_key_is_told_what_it_is(
    cast: Cast, text: str, why: str
) -> None:
    with pytest.raises(PeerFault, match=why):
        cast.suite.parse_public(text)


@pytest.mark.threat("M8")
def test_what_does_not_open_says_the_same_whatever_was_wrong(cast: Cast) -> None:
    for wrong in (b"", bytes(512), cast.alice.public.seal(b"x")):
        with pytest.raises(Unreadable, match=r"^does not open with this key$"):
            cast.bob.open(wrong)
