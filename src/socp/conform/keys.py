"""RSA as section 3 has it, on `cryptography` alone."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from socp.conform.canonical import b64, unb64
from socp.conform.figures import EXPONENT, RSA_BITS, SALT_MAX_BYTES, SALT_SHORT_BYTES

_SHA: Final = hashes.SHA256()
_OAEP: Final = padding.OAEP(padding.MGF1(_SHA), _SHA, None)
_TEXT_CHARS_MAX: Final = 4_096
_PEM_HEAD: Final = "-----BEGIN"
_PEM: Final = re.compile(
    r"-----BEGIN PUBLIC KEY-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END PUBLIC KEY-----\s*"
)
_SPKI_RSA: Final = bytes.fromhex("300d06092a864886f70d0101010500")


class NotAKey(ValueError):
    """What is wrong with a key's text."""


def _pss(salt_bytes: int) -> padding.PSS:
    return padding.PSS(padding.MGF1(_SHA), salt_bytes)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key as it was read; `form` is how it was written: "" for the page's own form."""

    rsa: rsa.RSAPublicKey = field(repr=False)
    form: str = ""

    @property
    def der(self) -> bytes:
        """Its SubjectPublicKeyInfo, as we encode it."""
        return self.rsa.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def text(self) -> str:
        """As it goes on the wire."""
        return b64(self.der)

    @property
    def pem(self) -> bytes:
        return self.rsa.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def fingerprint(self) -> str:
        """64 lower-case hex digits."""
        return hashlib.sha256(self.der).hexdigest()

    def signed(self, signature: str, data: bytes) -> bool:
        """Whether this key signed `data`, with whatever salt."""
        try:
            self.rsa.verify(unb64(signature), data, _AUTO, _SHA)
        except (InvalidSignature, ValueError):
            return False
        return True

    def salt_of(self, signature: str, data: bytes) -> int | None:
        """The salt's length in a good signature, where it is one of the two that are in use."""
        for salt in (SALT_MAX_BYTES, SALT_SHORT_BYTES):
            try:
                self.rsa.verify(unb64(signature), data, _pss(salt), _SHA)
            except (InvalidSignature, ValueError):
                continue
            return salt
        return None

    def sealed(self, plaintext: bytes) -> bytes:
        """One OAEP block of it."""
        return self.rsa.encrypt(plaintext, _OAEP)


_AUTO: Final = padding.PSS(padding.MGF1(_SHA), padding.PSS.AUTO)


def read_key(text: object) -> PublicKey:
    """A key in any form that section 13 lists. Raises NotAKey."""
    if not isinstance(text, str) or not text:
        raise NotAKey("no key is there")
    if len(text) > _TEXT_CHARS_MAX:
        raise NotAKey(f"{len(text)} characters")
    der, form = _der(text)
    try:
        key = serialization.load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise NotAKey("it is not base64url of a DER SubjectPublicKeyInfo") from fault
    if not isinstance(key, rsa.RSAPublicKey):
        raise NotAKey("it is not an RSA key")
    numbers = key.public_numbers()
    if key.key_size != RSA_BITS or numbers.e != EXPONENT or not numbers.n % 2:
        raise NotAKey(f"RSA-{key.key_size}, e = {numbers.e}")
    found = PublicKey(key, form)
    if found.der != der:
        raise NotAKey("its DER is not that of a plain RSA SubjectPublicKeyInfo")
    return found


def _der(text: str) -> tuple[bytes, str]:
    """Its DER, and the name of a form that is not the page's."""
    if text.startswith(_PEM_HEAD):
        return _unarmoured(text), "PEM text"
    try:
        data = unb64(text.replace("+", "-").replace("/", "_"))
    except ValueError as fault:
        raise NotAKey("it is not base64url") from fault
    if data.startswith(_PEM_HEAD.encode()):
        return _unarmoured(data.decode("ascii", "replace")), "base64url of PEM"
    if "+" in text or "/" in text:
        return data, "plain base64"
    return data, "padded base64url" if text.endswith("=") else ""


def _unarmoured(pem: str) -> bytes:
    found = _PEM.fullmatch(pem)
    if found is None:
        raise NotAKey("its PEM cannot be read")
    try:
        return base64.b64decode("".join(found[1].split()), validate=True)
    except ValueError as fault:
        raise NotAKey("its PEM cannot be read") from fault


class PrivateKey:
    """A key of ours; its repr shows the fingerprint alone."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key())

    def __repr__(self) -> str:
        return f"<PrivateKey {self.public.fingerprint}>"

    def sign(self, data: bytes, *, salt_bytes: int = SALT_MAX_BYTES) -> str:
        """A signature as it goes on the wire."""
        return b64(self._key.sign(data, _pss(salt_bytes), _SHA))

    def opened(self, ciphertext: bytes) -> bytes | None:
        """What one OAEP block says, None for what does not open."""
        try:
            return self._key.decrypt(ciphertext, _OAEP)
        except ValueError:
            return None


def new_key() -> PrivateKey:
    """A fresh one, half a second of work."""
    return PrivateKey(rsa.generate_private_key(EXPONENT, RSA_BITS))


def unfit_spki(modulus: int, exponent: int) -> str:
    """A key text of any numbers, sound or not: what a server must refuse before it uses it."""
    numbers = _der_of(0x30, _der_integer(modulus) + _der_integer(exponent))
    return b64(_der_of(0x30, _SPKI_RSA + _der_of(0x03, b"\0" + numbers)))


def _der_integer(value: int) -> bytes:
    return _der_of(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _der_of(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
