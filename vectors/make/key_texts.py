"""crypto/key_text.json: texts of public keys, accepted and refused (section 3)."""

from __future__ import annotations

import base64
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from socp.wire import base64url
from vectors.make import cast
from vectors.make.pen import Case

_RSA: Final = bytes.fromhex("300d06092a864886f70d0101010500")
_RSA_NO_NULL: Final = bytes.fromhex("300b06092a864886f70d010101")
_RSA_PSS: Final = bytes.fromhex("300b06092a864886f70d01010a")


def cases() -> list[Case]:
    """`verdict` is accept (as the key named), refuse (BAD_KEY), or either of the two."""
    return [
        *(_case("accept", why, text) for why, text in _accepted().items()),
        *(_case("either", why, text) for why, text in _either().items()),
        *(_case("refuse", why, text) for why, text in _refused().items()),
    ]


def _accepted() -> dict[str, str]:
    der = cast.public("alice").der
    pem = _pem(der)
    crlf = pem.replace("\n", "\r\n")
    return {
        "base64url of the DER, no padding: what we send": base64url.encode(der),
        "base64url of the DER, padded": base64.urlsafe_b64encode(der).decode(),
        "base64 of the DER, with + and /": base64.b64encode(der).decode(),
        "PEM": pem,
        "PEM without a last line end": pem.strip(),
        "PEM with CRLF line ends": crlf,
        "base64url of PEM": base64url.encode(pem.encode()),
        "base64 of PEM, padded": base64.b64encode(pem.encode()).decode(),
        "base64url of PEM with CRLF line ends": base64url.encode(crlf.encode()),
    }


def _either() -> dict[str, str]:
    n = _modulus()
    return {
        "DER without the algorithm's NULL": base64url.encode(_spki(n, algorithm=_RSA_NO_NULL)),
        "white space around the text": f" {cast.public('alice').text}\n",
    }


def _refused() -> dict[str, str]:
    n = _modulus()
    der = cast.public("alice").der
    pem = _pem(der)
    keys = {
        "RSA-2048": _spki(n >> 2048 | 1),
        "RSA-4095": _spki(n >> 1 | 1),
        "RSA-8192: DER over 550 bytes, refused before parsing": _spki(n * n),
        "exponent 3": _spki(n, 3),
        "exponent 1: everybody's signature would hold": _spki(n, 1),
        "exponent 65539": _spki(n, 65539),
        "an even modulus": _spki(n - 1),
        "a negative modulus": _spki(n - 2**4096),
        "an RSASSA-PSS key": _spki(n, algorithm=_RSA_PSS),
        "a P-256 key": _subject(ec.derive_private_key(12345, ec.SECP256R1()).public_key()),
        "an Ed25519 key": _subject(
            ed25519.Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\x01").public_key()
        ),
        "PKCS#1 DER, not a SubjectPublicKeyInfo": _rsa_key(n, 65537),
        "DER cut short": der[:-1],
        "DER with a byte too many": der + b"\x00",
        "a private key": cast.key("channel").to_bytes(),
    }
    texts = {why: base64url.encode(data) for why, data in keys.items()}
    return texts | {
        "nothing": "",
        "words": "not a key",
        "a text that is not ASCII": "cl\u00e9",
        "PEM cut short": pem[: len(pem) // 2],
        "PEM of PKCS#1": pem.replace("PUBLIC KEY", "RSA PUBLIC KEY"),
        "PEM twice": pem + pem,
        "base64 twice over": base64url.encode(base64url.encode(der).encode()),
        "over 4096 characters, refused before decoding": "A" * 4097,
        "a PEM head and 4000 spaces: refused at once": "-----BEGIN PUBLIC KEY-----" + " " * 4000,
    }


def _modulus() -> int:
    return cast.openssl_key("alice").public_key().public_numbers().n


def _case(verdict: str, why: str, text: str) -> Case:
    key = {} if verdict == "refuse" else {"key": "alice"}
    return {"why": why, "verdict": verdict, **key, "text": text}


def _pem(der: bytes) -> str:
    key = serialization.load_der_public_key(der)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def _subject(key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.DER, form)


def _spki(n: int, e: int = 65537, *, algorithm: bytes = _RSA) -> bytes:
    """DER that a sound library would not write, so it is written here."""
    return _tlv(0x30, algorithm + _tlv(0x03, b"\x00" + _rsa_key(n, e)))


def _rsa_key(n: int, e: int) -> bytes:
    return _tlv(0x30, _integer(n) + _integer(e))


def _integer(value: int) -> bytes:
    return _tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def _tlv(tag: int, value: bytes) -> bytes:
    size = len(value)
    if size < 0x80:
        return bytes([tag, size]) + value
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + value
