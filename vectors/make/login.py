"""crypto/login.json: from a password to its keys, and what a request's proof covers (section 10).

Put together here from the library's primitives, not by our own code.
"""

from __future__ import annotations

import struct
import unicodedata
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from socp.wire import base64url
from vectors.make.cast import ALICE, BOB, SERVER
from vectors.make.pen import Case, flipped, random_bytes

_EXPORT = random_bytes("export key", 64)
_NONCE = random_bytes("box nonce", 12)
_SALT = random_bytes("request salt", 32)
_PLAIN = b"the private key, in PKCS8 DER"
_PASSWORD = "correct horse battery"  # noqa: S105 - everybody's


def cases() -> list[Case]:
    """`kind` says which members a case has."""
    return [*_stretched(), *_boxes(), *_requests()]


def _stretch(password: str, server_id: str, user_id: str) -> bytes:
    salt = sha256(f"socp-stretch/1{user_id}{server_id}".encode()).digest()
    derivation = Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=65536)
    return derivation.derive(unicodedata.normalize("NFC", password).encode())


def _derive(secret: bytes, label: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length=32, salt=None, info=label).derive(secret)


def _stretched() -> list[Case]:
    rows = {
        "a password, stretched for alice": (_PASSWORD, ALICE),
        "the same for bob is another": (_PASSWORD, BOB),
        "letters are composed first (NFC)": ("cafe\u0301 cafe\u0301 cafe\u0301", ALICE),
    }
    found = []
    for why, (password, user_id) in rows.items():
        stretched = _stretch(password, SERVER, user_id)
        exchange = base64url.encode(_derive(stretched, b"socp-login/1 exchange"))
        found.append(
            {
                "why": why,
                "kind": "stretch",
                "password": password,
                "server_id": SERVER,
                "user_id": user_id,
                "stretched": base64url.encode(stretched),
                "exchange": exchange,
            }
        )
    return found


def _box(memory_kib: int, passes: int, lanes: int) -> bytes:
    head = b"socp-key-box/1" + struct.pack(">IBB", memory_kib, passes, lanes) + _NONCE
    key = _derive(_EXPORT + _stretch(_PASSWORD, SERVER, ALICE), b"socp-key-box/1 key")
    return head + AESGCM(key).encrypt(_NONCE, _PLAIN, head + ALICE.encode() + SERVER.encode())


def _boxes() -> list[Case]:
    good = _box(65536, 3, 4)
    rows = {
        "a private key, sealed": (good, ALICE, _PLAIN),
        "somebody else's box": (good, BOB, None),
        "one bit wrong at the end": (flipped(good), ALICE, None),
        "another label": (b"socp-key-box/2" + good[14:], ALICE, None),
        "a head that says 8 KiB is not paid, though all else is right": (
            _box(8, 3, 4),
            ALICE,
            None,
        ),
        "nor one that says 2 TiB": (_box(2**31, 3, 4), ALICE, None),
        "nothing at all": (b"", ALICE, None),
    }
    return [
        {
            "why": why,
            "kind": "box",
            "stretched": base64url.encode(_stretch(_PASSWORD, SERVER, ALICE)),
            "export_key": base64url.encode(_EXPORT),
            "server_id": SERVER,
            "user_id": user_id,
            "box": base64url.encode(box),
            "plaintext": None if plain is None else base64url.encode(plain),
        }
        for why, (box, user_id, plain) in rows.items()
    ]


def _requests() -> list[Case]:
    path = f"/api/v1/users/{ALICE}/login"
    rows = [
        ("a request without a body", "DELETE", path, b""),
        ("the body's bytes as sent, whatever they mean", "PUT", path, b'{"record": "x"}\n'),
    ]
    found = []
    for why, method, target, body in rows:
        parts = sha256(f"{method} {target}\n".encode()).digest() + sha256(body).digest()
        nonce = sha256(b"socp-request/1" + _SALT + parts).digest()
        found.append(
            {
                "why": why,
                "kind": "request",
                "method": method,
                "path": target,
                "salt": base64url.encode(_SALT),
                "body": base64url.encode(body),
                "client_nonce": base64url.encode(nonce),
            }
        )
    return found
