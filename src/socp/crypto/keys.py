"""Keys: sign, verify, seal and open behind one interface, and its RSA-4096 form (section 3)."""

from __future__ import annotations

import hashlib
import secrets
from functools import cached_property, lru_cache
from typing import Final, NoReturn, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from socp.crypto import key_text
from socp.crypto.fast_keys import Ed25519Key, Ed25519Public, FastKey, FastPublicKey, checked_raw
from socp.wire import base64url, limits
from socp.wire.errors import Misuse

KEY_BITS: Final = 4096
EXPONENT: Final = 65537
PARSED_KEYS_KEPT: Final = 4096
PRIVATE_BYTES_MAX: Final = 8192
OPENED_AHEAD_MAX: Final = 64

_PSS_SIGN: Final = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)  # 478 bytes
_PSS_VERIFY: Final = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
_OAEP: Final = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
_SHA256: Final = hashes.SHA256()

_RSA_ALGORITHMS: Final = tuple(
    bytes.fromhex(text)
    # AlgorithmIdentifier of rsaEncryption, with its NULL and, as a few encoders write it, without.
    for text in ("300d06092a864886f70d0101010500", "300b06092a864886f70d010101")
)


class Unreadable(Exception):
    """A ciphertext that does not open. It never says why: that would be an oracle (threat M8)."""

    def __init__(self) -> None:
        super().__init__("does not open with this key")


class KeyRefused(Exception):
    """A private key that we will not use; the text says why, and never what is in it."""


class PublicKey(Protocol):
    """Somebody's identity, and what one can do with it."""

    @property
    def der(self) -> bytes:
        """SubjectPublicKeyInfo as we encode it: what keys are compared by (threat I7)."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over `der`, 64 lower-case hex digits."""

    @property
    def text(self) -> str:
        """What goes on the wire: base64url of `der`, no padding."""

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Whether the holder signed `data`. Garbage is False, never an exception."""

    def seal(self, plaintext: bytes) -> bytes:
        """512 bytes that only the holder opens. Over 446 bytes of plaintext: Misuse."""


class PrivateKey(Protocol):
    """The holder's half. Never printed, never pickled."""

    @property
    def public(self) -> PublicKey:
        """The half to give away."""

    def sign(self, data: bytes) -> bytes:
        """A signature of 512 bytes, different each time."""

    def open(self, ciphertext: bytes) -> bytes:
        """The plaintext of `seal`, or Unreadable."""

    def open_ahead(self, ciphertext: bytes) -> bool:
        """Do the arithmetic of `open`, in any thread; who opens the same next has it at once. False
        where that will be Unreadable."""

    def to_bytes(self) -> bytes:
        """The secret itself, for sealing and storing; `Suite.load_private` takes it back."""


class Suite(Protocol):
    """Where keys and random bytes come from: RSA in earnest, symbolic ones in simulation."""

    def generate(self) -> PrivateKey:
        """A new key. Takes a good part of a second with RSA: call it in a thread."""

    def parse_public(self, text: str) -> PublicKey:
        """The key in any accepted form of text (section 3); PeerFault(BAD_KEY) before any use."""

    def load_private(self, data: bytes) -> PrivateKey:
        """The key that `to_bytes` gave, or KeyRefused."""

    def random(self, size: int) -> bytes:
        """`size` bytes for keys and nonces."""

    def fast_key(self) -> FastKey:
        """A new session key, at once (section 11, `fast-sig/1`)."""

    def parse_fast(self, raw: bytes) -> FastPublicKey:
        """Somebody's session key; PeerFault(BAD_KEY) where it cannot be one."""


class KeyIdentity:
    """What a public key of either form is known by. Equal when the DER that we encode is."""

    def __init__(self, der: bytes) -> None:
        self.der = der
        self.fingerprint = hashlib.sha256(der).hexdigest()

    @cached_property
    def text(self) -> str:
        """Base64url of the DER, no padding."""
        return base64url.encode(self.der)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyIdentity) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.fingerprint}>"


class SecretHolder:
    """What private keys of either form share: they are named by the public half alone."""

    def __init__(self, identity: KeyIdentity) -> None:
        self._identity = identity

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._identity.fingerprint}>"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a private key is not pickled or copied; write it with the keystore")


class RsaPublicKey(KeyIdentity):
    """An RSA-4096 public key that passed every check of section 3. Safe to use from any thread."""

    def __init__(self, key: rsa.RSAPublicKey) -> None:
        super().__init__(
            key.public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        self._key = key

    def verify(self, signature: bytes, data: bytes) -> bool:
        """PSS with SHA-256 and any salt length: others sign with 478 bytes of salt or with 32."""
        if len(signature) != limits.RSA_BYTES:
            return False
        try:
            self._key.verify(signature, data, _PSS_VERIFY, _SHA256)
        except InvalidSignature:
            return False
        return True

    def seal(self, plaintext: bytes) -> bytes:
        """OAEP with SHA-256, no label: 512 bytes for at most 446."""
        if len(plaintext) > limits.OAEP_PLAINTEXT_BYTES:
            raise Misuse(f"{len(plaintext)} bytes do not fit one OAEP block")
        return self._key.encrypt(plaintext, _OAEP)


class RsaPrivateKey(SecretHolder):
    """An RSA-4096 private key. Signing and opening let go of the GIL and may run in any thread."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self.public = RsaPublicKey(key.public_key())
        super().__init__(self.public)
        self._key = key
        self._ahead: dict[bytes, bytes | None] = {}  # opened and not asked for; None: Unreadable

    def sign(self, data: bytes) -> bytes:
        """PSS with SHA-256 and the maximal salt, which most others insist on; 512 bytes."""
        return self._key.sign(data, _PSS_SIGN, _SHA256)

    def open(self, ciphertext: bytes) -> bytes:
        """The plaintext, or Unreadable whatever was wrong."""
        if len(ciphertext) != limits.RSA_BYTES:
            raise Unreadable
        opened = self._ahead.pop(ciphertext, b"")  # an empty one is opened again
        if opened == b"":
            opened = self._opened(ciphertext)
        if opened is None:
            raise Unreadable
        return opened

    def open_ahead(self, ciphertext: bytes) -> bool:
        """See PrivateKey. What nobody asked for is forgotten in time."""
        if len(ciphertext) != limits.RSA_BYTES:
            return False
        opened = self._opened(ciphertext)
        if len(self._ahead) >= OPENED_AHEAD_MAX:
            self._ahead.clear()
        self._ahead[ciphertext] = opened
        return opened is not None

    def _opened(self, ciphertext: bytes) -> bytes | None:
        try:
            return self._key.decrypt(ciphertext, _OAEP)
        except ValueError:
            return None

    def to_bytes(self) -> bytes:
        """PKCS8 DER, unencrypted."""
        return self._key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    to_der = to_bytes


class RsaSuite:
    """The real thing."""

    def __init__(self) -> None:
        self._parsed = lru_cache(PARSED_KEYS_KEPT)(_parse)

    def generate(self) -> RsaPrivateKey:
        """A new RSA-4096 key; half a second of processor time, more at times."""
        return RsaPrivateKey(rsa.generate_private_key(EXPONENT, KEY_BITS))

    def parse_public(self, text: str) -> RsaPublicKey:
        """See Suite. The same text again costs a look-up: each message repeats its sender's key."""
        return self._parsed(text)

    def load_private(self, data: bytes) -> RsaPrivateKey:
        """See Suite: PKCS8 DER."""
        return load_private(data)

    def random(self, size: int) -> bytes:
        """From the operating system's generator."""
        return secrets.token_bytes(size)

    def fast_key(self) -> Ed25519Key:
        """See Suite: Ed25519."""
        return Ed25519Key()

    def parse_fast(self, raw: bytes) -> Ed25519Public:
        """See Suite: any 32 bytes; those that are no point verify nothing."""
        return Ed25519Public(checked_raw(raw))


def load_private(der: bytes) -> RsaPrivateKey:
    """A private key in DER that we, or a member in a channel's box, wrote: 2 ms. Else KeyRefused.

    OpenSSL's own check takes 200 ms, with the GIL held, and is left out: all it adds to the
    arithmetic checked here is that both factors are prime, and a maker who cheats there could as
    well publish the key.
    """
    return _checked(_parse_private(der, trusted=True))


def load_foreign_private(data: bytes) -> RsaPrivateKey:
    """A private key made elsewhere, DER or PEM, checked in full: 0.2 s. Else KeyRefused."""
    return _checked(_parse_private(data, trusted=False))


def _parse_private(data: bytes, *, trusted: bool) -> rsa.RSAPrivateKey:
    if len(data) > PRIVATE_BYTES_MAX:
        raise KeyRefused(f"{len(data)} bytes are too many for an RSA-{KEY_BITS} private key")
    pem = data.lstrip().startswith(b"-----BEGIN")
    load = serialization.load_pem_private_key if pem else serialization.load_der_private_key
    try:
        key = load(data, None, unsafe_skip_rsa_key_validation=trusted)
    except TypeError:
        raise KeyRefused("the private key is locked by a passphrase; unlock it first") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRefused("not a private key, or a damaged one") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KeyRefused("not an RSA key")
    return key


def _checked(key: rsa.RSAPrivateKey) -> RsaPrivateKey:
    numbers = key.private_numbers()
    public = numbers.public_numbers
    if public.n.bit_length() != KEY_BITS or public.e != EXPONENT:
        raise KeyRefused(
            f"RSA-{public.n.bit_length()} with exponent {public.e % 2**64}, "
            f"not RSA-{KEY_BITS} with {EXPONENT}"
        )
    if not _consistent(numbers):
        raise KeyRefused("the numbers of the private key do not belong together; it is damaged")
    checked = RsaPrivateKey(key)
    if not checked.public.verify(checked.sign(b"self-test"), b"self-test"):
        raise KeyRefused("the private key does not fit its public half; it is damaged")
    return checked


def _consistent(numbers: rsa.RSAPrivateNumbers) -> bool:
    p, q, d, e = numbers.p, numbers.q, numbers.d, numbers.public_numbers.e
    return (
        p.bit_length() == q.bit_length() == KEY_BITS // 2
        and p != q
        and p * q == numbers.public_numbers.n
        and 0 < d < numbers.public_numbers.n
        and d * e % (p - 1) == 1
        and d * e % (q - 1) == 1
        and numbers.dmp1 == d % (p - 1)
        and numbers.dmq1 == d % (q - 1)
        and 0 < numbers.iqmp < p
        and numbers.iqmp * q % p == 1
    )


def _parse(text: str) -> RsaPublicKey:
    der = key_text.der_of(text)
    # The header is 30 82 and two bytes of length; PKCS#1 and other algorithms are refused unparsed.
    if not der[4:].startswith(_RSA_ALGORITHMS):
        raise key_text.refused("the key is not an RSA key in a SubjectPublicKeyInfo")
    try:
        key = serialization.load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        raise key_text.refused("the key's DER is damaged") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise key_text.refused("the key is not an RSA key")
    numbers = key.public_numbers()
    if numbers.n.bit_length() != KEY_BITS:
        raise key_text.refused(f"the key has {numbers.n.bit_length()} bits")
    if numbers.e != EXPONENT:
        raise key_text.refused("the key's public exponent is not 65537")
    if numbers.n % 2 == 0:
        raise key_text.refused("the key's modulus is even")
    return RsaPublicKey(key)
