"""Data folders with a stored server key: its fingerprint is known, and nobody waits for it."""

from __future__ import annotations

from pathlib import Path

from socp.crypto.keys import PrivateKey, RsaSuite
from socp.keystore import load_or_create
from socp.server import places
from tests.keys import test_key


class StoredSuite(RsaSuite):
    """Its new keys are the n-th stored one."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self._n = n

    def generate(self) -> PrivateKey:  # type: ignore[override]
        return test_key(self._n)


def give_key(folder: Path, n: int) -> str:
    """Put the n-th stored key where `launch.running(folder)` will look; its fingerprint."""
    key, _ = load_or_create(folder / "data" / places.KEY_FILE, StoredSuite(n))
    return key.public.fingerprint
