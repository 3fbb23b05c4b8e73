"""Stored RSA-4096 keys for tests, which are half a second each to make and 2 ms to load."""

from __future__ import annotations

import json
from functools import cache
from itertools import cycle
from pathlib import Path

from socp.crypto.keys import PrivateKey, RsaPrivateKey, RsaSuite, load_private
from socp.wire import base64url

_POOL = Path(__file__).resolve().parent.parent / "vectors" / "keys" / "pool.json"


@cache
def test_key(n: int) -> RsaPrivateKey:
    """The n-th stored test key, 0 to COUNT - 1, the same object each time."""
    return load_private(base64url.decode(_private_texts()[n]))


@cache
def _private_texts() -> list[str]:
    return [row["private"] for row in json.loads(_POOL.read_text())["keys"]]


COUNT = len(_private_texts())


class StoredKeys(RsaSuite):
    """Takes the stored keys one after the other instead of making new ones."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = cycle(range(COUNT))

    def generate(self) -> RsaPrivateKey:
        return test_key(next(self._numbers))


class SpiedKey:
    """A key that remembers what it was given to sign. What is made of it also makes one wait."""

    def __init__(self, key: PrivateKey) -> None:
        self.public = key.public
        self.signed: list[bytes] = []
        self._key = key

    def sign(self, data: bytes) -> bytes:
        self.signed.append(data)
        return self._key.sign(data)

    def open(self, ciphertext: bytes) -> bytes:
        return self._key.open(ciphertext)

    def open_ahead(self, ciphertext: bytes) -> bool:
        return self._key.open_ahead(ciphertext)

    def to_bytes(self) -> bytes:
        return self._key.to_bytes()


test_key.__test__ = False  # type: ignore[attr-defined]  # its name is no test's, wherever it is imported
