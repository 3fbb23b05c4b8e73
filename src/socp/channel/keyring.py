"""The channel keys one member holds, and which of them is used for sending (section 7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from socp.crypto.keys import PrivateKey, PublicKey

KEYS_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class HeldKey:
    """One key of the channel that this member can open and that a pinned member vouched for."""

    version: int
    public: PublicKey
    private: PrivateKey
    group_key: bytes = field(repr=False)  # 32 bytes
    box: bytes = field(repr=False)  # channel_priv_box, raw, to share it on unchanged
    creator_id: str  # who shared it with us: us, where we made it

    @property
    def fingerprint(self) -> str:
        """Of the public half: tells two keys of one version apart."""
        return self.public.fingerprint


class Keyring:
    """At most KEYS_KEPT keys: higher versions first, then lower fingerprints."""

    def __init__(self, keys: Iterable[HeldKey] = ()) -> None:
        self._keys: dict[str, HeldKey] = {}
        for key in keys:
            self.add(key)

    def add(self, key: HeldKey) -> bool:
        """Take `key` in; False where it is held already, or older than all of a full ring."""
        if key.fingerprint in self._keys:
            return False
        ordered = sorted((*self._keys.values(), key), key=_rank)[:KEYS_KEPT]
        self._keys = {held.fingerprint: held for held in ordered}
        return key.fingerprint in self._keys

    def get(self, fingerprint: str) -> HeldKey | None:
        """The key with this public half, where it is held."""
        return self._keys.get(fingerprint)

    def newest_first(self) -> tuple[HeldKey, ...]:
        """All of them, the one for sending first."""
        return tuple(self._keys.values())

    @property
    def sending(self) -> HeldKey | None:
        """The lowest fingerprint of the highest version, or None where nothing is held."""
        return next(iter(self._keys.values()), None)

    @property
    def highest(self) -> int:
        """The highest version held, 0 for none."""
        return 0 if self.sending is None else self.sending.version


def rank(version: int, fingerprint: str) -> tuple[int, str]:
    """Where a key stands among others, the one for sending first."""
    return -version, fingerprint


def _rank(key: HeldKey) -> tuple[int, str]:
    return rank(key.version, key.fingerprint)
