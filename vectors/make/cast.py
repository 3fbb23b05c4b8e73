"""Who appears in the vectors: ids, times, and the stored test keys."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from socp.crypto.keys import RsaPrivateKey, RsaPublicKey, RsaSuite, load_private
from socp.wire import base64url

VECTORS: Final = Path(__file__).resolve().parent.parent
POOL: Final = VECTORS / "keys" / "pool.json"
POOL_KEYS: Final = 32
NAMES: Final = ("alice", "bob", "server", "channel")
WARNING: Final = "TEST KEYS: their private halves are public. Never use one outside tests."

ALICE: Final = "a11ce000-0000-4000-8000-000000000001"
BOB: Final = "b0b00000-0000-4000-8000-000000000002"
CAROL: Final = "ca401000-0000-4000-8000-000000000003"
SERVER: Final = "5e44e400-0000-4000-8000-000000000004"
FILE: Final = "f11e0000-0000-4000-8000-000000000005"
TS: Final = 1_760_000_000_000


@cache
def key(name: str) -> RsaPrivateKey:
    """The test key of one of NAMES."""
    return load_private(base64url.decode(pool()[NAMES.index(name)]["private"]))


def public(name: str) -> RsaPublicKey:
    """Its public half."""
    return key(name).public


@cache
def openssl_key(name: str) -> rsa.RSAPrivateKey:
    """The same key for what ours refuses to do: other salts, other paddings."""
    loaded = serialization.load_der_private_key(key(name).to_bytes(), None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    return loaded


@cache
def pool() -> list[dict[str, str]]:
    """The rows of keys/pool.json."""
    rows: list[dict[str, str]] = json.loads(POOL.read_text())["keys"]
    return rows


def grow_pool() -> str:
    """The text of keys/pool.json, with keys added until there are POOL_KEYS; those there stay."""
    rows = pool() if POOL.exists() else []
    suite = RsaSuite()
    while len(rows) < POOL_KEYS:
        made = suite.generate()
        rows.append(
            {
                "fingerprint": made.public.fingerprint,
                "private": base64url.encode(made.to_bytes()),
            }
        )
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    return f'{{"what":{json.dumps(WARNING)},\n"keys":[\n{lines}\n]}}\n'


def described() -> list[dict[str, str]]:
    """The rows of keys/test-keys.json: the keys that vectors name, in every form one may want."""
    return [_described(name) for name in NAMES]


def _described(name: str) -> dict[str, str]:
    private = openssl_key(name)
    pem = serialization.Encoding.PEM
    return {
        "name": name,
        "why": "a test key, known to all",
        "fingerprint": public(name).fingerprint,
        "public": public(name).text,
        "public_pem": private.public_key()
        .public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
        "private_pem": private.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
    }
