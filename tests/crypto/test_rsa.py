"""What holds of RSA keys alone."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from socp.crypto.keys import (
    OPENED_AHEAD_MAX,
    KeyRefused,
    RsaPrivateKey,
    RsaSuite,
    Unreadable,
    load_foreign_private,
    load_private,
)
from socp.wire import base64url
from socp.wire.errors import Code, PeerFault
from tests.keys import COUNT, test_key

PKCS8 = (
    serialization.Encoding.DER,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)


@pytest.mark.spec("3")
@pytest.mark.parametrize("salt", [478, 32, 0])
def test_every_salt_length_verifies(salt: int) -> None:
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
    signature = _openssl(test_key(0)).sign(b"hello", pss, hashes.SHA256())
    assert test_key(0).public.verify(signature, b"hello")


@pytest.mark.spec("3")
def test_we_sign_with_the_maximal_salt() -> None:
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 478)
    signature = test_key(0).sign(b"hello")
    _openssl(test_key(0)).public_key().verify(signature, b"hello", pss, hashes.SHA256())


@pytest.mark.spec("3")
def test_a_new_rsa_key_has_4096_bits_and_exponent_65537() -> None:
    made = RsaSuite().generate()
    numbers = _openssl(made).public_key().public_numbers()
    assert (numbers.n.bit_length(), numbers.e) == (4096, 65537)
    assert made.to_der() == made.to_bytes()


@pytest.mark.threat("I6")
@pytest.mark.parametrize("load", [load_private, load_foreign_private])
def test_a_private_key_of_another_size_is_refused(load: object) -> None:
    small = rsa.generate_private_key(65537, 2048).private_bytes(*PKCS8)
    with pytest.raises(KeyRefused, match="RSA-2048"):
        load(small)  # type: ignore[operator]


@pytest.mark.threat("I6")
def test_a_private_key_that_is_not_rsa_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(*PKCS8)
    with pytest.raises(KeyRefused, match="not an RSA key"):
        load_private(other)


@pytest.mark.threat("I6")
@pytest.mark.parametrize("part", ["d", "dmp1", "dmq1", "iqmp", "n"])
def test_a_damaged_private_key_is_refused(part: str) -> None:
    der = test_key(0).to_bytes()
    numbers = _openssl(test_key(0)).private_numbers()
    value = numbers.public_numbers.n if part == "n" else getattr(numbers, part)
    whole = value.to_bytes((value.bit_length() + 7) // 8, "big")
    changed = (value ^ (1 << 64)).to_bytes(len(whole), "big")
    assert der.count(whole) == 1
    with pytest.raises(KeyRefused, match=r"it is damaged|or a damaged one"):
        load_private(der.replace(whole, changed))


@pytest.mark.threat("I6")
@pytest.mark.parametrize(
    ("size", "why"), [(8192, "not a private key, or a damaged one"), (8193, "8193 bytes are too")]
)
def test_more_than_8_kib_are_no_private_key_before_they_are_parsed(size: int, why: str) -> None:
    with pytest.raises(KeyRefused, match=why):
        load_private(bytes(size))


@pytest.mark.threat("I6")
def test_a_private_key_whose_halves_do_not_meet_is_refused() -> None:
    ours, other = (_openssl(test_key(n)).private_numbers() for n in (0, 1))
    der = test_key(0).to_bytes().replace(_bytes(ours.q), _bytes(other.q))
    with pytest.raises(KeyRefused, match="do not belong together; it is damaged"):
        load_private(der)


def test_a_private_key_made_elsewhere_is_taken_as_pem_and_der() -> None:
    key = _openssl(test_key(0))
    pem = key.private_bytes(serialization.Encoding.PEM, *PKCS8[1:])
    for form in (pem, test_key(0).to_der()):
        assert load_foreign_private(form).public == test_key(0).public


def test_a_locked_private_key_is_refused_with_the_remedy() -> None:
    locked = _openssl(test_key(0)).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    with pytest.raises(KeyRefused, match="unlock it first"):
        load_foreign_private(locked)


CHANGES = st.lists(
    st.tuples(st.integers(0, 2400), st.binary(max_size=2), st.integers(0, 2)), max_size=4
)


def _changed(data: bytes, changes: list[tuple[int, bytes, int]]) -> bytes:
    for at, put, cut in changes:
        data = data[:at] + put + data[at + cut :]
    return data


@pytest.mark.spec("3")
@pytest.mark.threat("I6")
@settings(deadline=None)
@given(CHANGES)
def test_a_key_with_any_bytes_changed_is_refused_or_another_sound_key(
    changes: list[tuple[int, bytes, int]],
) -> None:
    text = base64url.encode(_changed(test_key(0).public.der, changes))
    refusal = None
    try:
        parsed = RsaSuite().parse_public(text)
    except PeerFault as fault:
        refusal = fault.code
    else:
        key = serialization.load_der_public_key(parsed.der)
        assert isinstance(key, rsa.RSAPublicKey)
        numbers = key.public_numbers()
        assert (numbers.n.bit_length(), numbers.n % 2, numbers.e) == (4096, 1, 65537)
        assert parsed.verify(b"\x01" * 512, b"x") is False
    assert refusal in (None, Code.BAD_KEY)


@pytest.mark.threat("I6")
@settings(deadline=None)
@given(CHANGES)
def test_a_private_key_with_any_bytes_changed_is_refused_or_the_same(
    changes: list[tuple[int, bytes, int]],
) -> None:
    try:
        loaded = load_private(_changed(test_key(0).to_bytes(), changes))
    except KeyRefused:
        return
    assert loaded.public == test_key(0).public


def test_the_stored_keys_are_at_least_24_and_all_different() -> None:
    assert COUNT >= 24
    assert len({test_key(n).public for n in range(COUNT)}) == COUNT


def _openssl(key: RsaPrivateKey) -> rsa.RSAPrivateKey:
    loaded = serialization.load_der_private_key(
        key.to_bytes(), None, unsafe_skip_rsa_key_validation=True
    )
    assert isinstance(loaded, rsa.RSAPrivateKey)
    return loaded


def _bytes(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


class Counted:
    """OpenSSL's key, counting what it opens."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key
        self.opened = 0

    def public_key(self) -> rsa.RSAPublicKey:
        return self._key.public_key()

    def decrypt(self, ciphertext: bytes, scheme: padding.OAEP) -> bytes:
        self.opened += 1
        return self._key.decrypt(ciphertext, scheme)


def _counted() -> tuple[RsaPrivateKey, Counted]:
    counted = Counted(_openssl(test_key(0)))
    return RsaPrivateKey(counted), counted  # type: ignore[arg-type]


def test_what_was_opened_ahead_is_had_at_once_and_once() -> None:
    key, counted = _counted()
    sealed = key.public.seal(b"hello")
    key.open_ahead(sealed)
    assert key.open(sealed) == b"hello"
    assert counted.opened == 1
    assert key.open(sealed) == b"hello"
    assert counted.opened == 2  # it is not kept for longer


@pytest.mark.threat("M8")
def test_what_cannot_be_opened_cannot_be_opened_ahead() -> None:
    key, counted = _counted()
    garbage = test_key(1).public.seal(b"hello")
    key.open_ahead(garbage)
    with pytest.raises(Unreadable):
        key.open(garbage)
    assert counted.opened == 1
    key.open_ahead(b"short")
    assert counted.opened == 1


def test_what_was_opened_ahead_and_is_never_asked_for_does_not_pile_up() -> None:
    key, counted = _counted()
    first = key.public.seal(b"first")
    key.open_ahead(first)
    for _ in range(OPENED_AHEAD_MAX):
        key.open_ahead(key.public.seal(b"more"))
    assert key.open(first) == b"first"
    assert counted.opened == OPENED_AHEAD_MAX + 2  # it had been forgotten
