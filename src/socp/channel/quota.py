"""How many new keys one member may bring in: nobody floods the ring and the disk behind it."""

from __future__ import annotations

from typing import Final

KEYS_PER_AUTHOR: Final = 8
WINDOW_MS: Final = 10 * 60_000
AUTHORS_MAX: Final = 1024


class KeyQuota:
    """KEYS_PER_AUTHOR in WINDOW_MS for each member; the AUTHORS_MAX latest are counted."""

    def __init__(self) -> None:
        self._brought: dict[str, tuple[int, ...]] = {}  # author -> when, monotonic ms

    def allows(self, author_id: str, mono: int) -> bool:
        """Whether they may bring another one now."""
        return len(self._recent(author_id, mono)) < KEYS_PER_AUTHOR

    def brought(self, author_id: str, mono: int) -> None:
        """They did."""
        recent = (*self._recent(author_id, mono), mono)
        self._brought.pop(author_id, None)
        if len(self._brought) >= AUTHORS_MAX:
            del self._brought[next(iter(self._brought))]
        self._brought[author_id] = recent

    def _recent(self, author_id: str, mono: int) -> tuple[int, ...]:
        return tuple(when for when in self._brought.get(author_id, ()) if mono - when < WINDOW_MS)
