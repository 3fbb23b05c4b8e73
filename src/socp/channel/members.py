"""Who is online and which keys they seem to hold: for who lacks a share, never for trust."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from socp.crypto.keys import PublicKey
from socp.wire import limits

MEMBERS_MAX: Final = limits.LIST_ROWS
HOLDINGS_MAX: Final = 8
"""Keys remembered per member; the channel has one or two in use at a time."""
FRESH_MS: Final = 60_000
"""So long a share that passed counts as received, whatever a server says."""
SOME_KEY: Final = ""
"""Stands for the fingerprint of a key that we do not hold."""


@dataclass(frozen=True, slots=True)
class _Holding:
    seen_ms: int
    proven: bool  # they used it; else a share for them passed


class Members:
    """Both tables are bounded: who comes beyond that is left out, the oldest knowledge goes."""

    def __init__(self) -> None:
        self.online: dict[str, PublicKey] = {}
        self._holdings: dict[str, dict[str, _Holding]] = {}

    def came(self, user_id: str, key: PublicKey) -> bool:
        """They are online with this pinned key; False where too many are."""
        if user_id not in self.online and len(self.online) >= MEMBERS_MAX:
            return False
        self.online[user_id] = key
        return True

    def left(self, user_id: str) -> None:
        """What they used counts as a mere share now: they may come back with an older profile."""
        self.online.pop(user_id, None)
        self._doubt(user_id)

    def all_left(self) -> None:
        """Our own link is gone."""
        self.online.clear()
        for user_id in self._holdings:
            self._doubt(user_id)

    def used(self, user_id: str, fingerprint: str, mono: int) -> None:
        """They shared this key or posted under it."""
        self._learn(user_id, fingerprint, _Holding(mono, proven=True))

    def was_given(self, user_id: str, fingerprint: str, mono: int) -> None:
        """A share of this key for them passed, or we sent it."""
        held = self._holdings.get(user_id, {}).get(fingerprint)
        if held is None or not held.proven:
            self._learn(user_id, fingerprint, _Holding(mono, proven=False))

    def forget(self, user_id: str, fingerprint: str) -> None:
        """It turned out that they lack it."""
        self._holdings.get(user_id, {}).pop(fingerprint, None)

    def holds(self, user_id: str, fingerprint: str, mono: int) -> bool:
        """Whether a server's word that they lack it is not to be followed."""
        holding = self._holdings.get(user_id, {}).get(fingerprint)
        return holding is not None and (holding.proven or mono - holding.seen_ms < FRESH_MS)

    def given_lately(self, user_id: str, fingerprint: str, mono: int) -> bool:
        """Whether a share of it for them passed so lately that it may still be on its way."""
        holding = self._holdings.get(user_id, {}).get(fingerprint)
        return holding is not None and mono - holding.seen_ms < FRESH_MS and not holding.proven

    def ever_held(self, user_id: str, fingerprint: str) -> bool:
        """Whether anything ever said that they hold it."""
        return fingerprint in self._holdings.get(user_id, {})

    def last_used(self, user_id: str) -> str | None:
        """The key they used last, as far as we know."""
        held = self._holdings.get(user_id, {})
        return next((name for name in reversed(held) if held[name].proven), None)

    def keyless(self) -> Iterator[str]:
        """Who is online and not known to hold any key."""
        return (user_id for user_id in self.online if not self._holdings.get(user_id))

    def _learn(self, user_id: str, fingerprint: str, holding: _Holding) -> None:
        if user_id not in self._holdings and len(self._holdings) >= MEMBERS_MAX:
            del self._holdings[next(iter(self._holdings))]
        held = self._holdings.setdefault(user_id, {})
        held.pop(fingerprint, None)  # to the end: the oldest goes first
        if len(held) >= HOLDINGS_MAX:
            del held[next(iter(held))]
        held[fingerprint] = holding

    def _doubt(self, user_id: str) -> None:
        held = self._holdings.get(user_id, {})
        for fingerprint, holding in held.items():
            held[fingerprint] = _Holding(holding.seen_ms, proven=False)
