"""The shares this member would send, each when its turn comes and the pace allows (section 7)."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

SHARE_COST_MS: Final = 50
"""20 a second: each costs an RSA signature, and servers take 30 frames (section 12)."""
SHARES_BURST: Final = 8
RANKS_PER_CALL: Final = 100
KEYS_PER_MEMBER: Final = 4
"""More than so many keys at a time are not owed to one member."""


@dataclass(slots=True)
class _Owed:
    since_ms: int
    surely: bool  # they lack it; else others may count them among the holders all the same
    ready_ms: int | None = None  # None until our rank is reckoned


class PendingShares:
    """At most KEYS_PER_MEMBER for each member; its owner keeps to members who are online."""

    def __init__(self) -> None:
        self._owed: dict[str, dict[str, _Owed]] = {}  # member -> fingerprint -> debt
        self._unranked: dict[tuple[str, str], None] = {}
        self._queue: list[tuple[int, str, str]] = []  # may hold what was cancelled since
        self._spent_ms = 0

    def __len__(self) -> int:
        return len(self._owed)

    def owe(
        self,
        member: str,
        fingerprint: str,
        mono: int,
        *,
        surely: bool = True,
        wait_ms: int | None = None,
    ) -> None:
        """`member` seems to lack this key; our wait is reckoned when `ready` comes to it, unless it
        is known."""
        ready_ms = None if wait_ms is None else mono + wait_ms
        if not self._note(member, fingerprint, _Owed(mono, surely, ready_ms)):
            return
        if ready_ms is None:
            self._unranked[member, fingerprint] = None
        else:
            heapq.heappush(self._queue, (ready_ms, member, fingerprint))

    def owe_now(self, member: str, fingerprint: str, mono: int) -> None:
        """The same without waiting: the key is new, and we alone have it."""
        if self._note(member, fingerprint, _Owed(mono, surely=True, ready_ms=mono)):
            heapq.heappush(self._queue, (mono, member, fingerprint))

    def cancel(self, member: str, fingerprint: str) -> None:
        """Somebody else was quicker."""
        owed = self._owed.get(member, {})
        if owed.pop(fingerprint, None) is None:
            return
        self._unranked.pop((member, fingerprint), None)
        if not owed:
            del self._owed[member]

    def cancel_member(self, member: str) -> None:
        """They left."""
        for fingerprint in tuple(self._owed.get(member, ())):
            self.cancel(member, fingerprint)

    def clear(self) -> None:
        """Nothing is owed to anybody."""
        self._owed.clear()
        self._unranked.clear()
        self._queue.clear()

    def lacks(self, member: str, fingerprint: str) -> bool:
        """Whether they surely lack this key, so that nobody waits for them to share it."""
        owed = self._owed.get(member, {}).get(fingerprint)
        return owed is not None and owed.surely

    def ready(self, mono: int, wait_ms: Callable[[str, str], int]) -> Iterator[tuple[str, str]]:
        """What to send now, in order; `wait_ms` tells for a member and a key how long we wait."""
        self._rank(wait_ms)
        while self._queue and self._queue[0][0] <= mono:
            ready, member, fingerprint = self._queue[0]
            owed = self._owed.get(member, {}).get(fingerprint)
            due = owed is not None and owed.ready_ms == ready
            if due and not self.spend(mono):
                return
            heapq.heappop(self._queue)
            if due:
                self.cancel(member, fingerprint)
                yield member, fingerprint

    def spend(self, mono: int) -> bool:
        """Whether the pace allows one more share now; it is counted then."""
        spent = max(self._spent_ms, mono - SHARES_BURST * SHARE_COST_MS) + SHARE_COST_MS
        if spent > mono:
            return False
        self._spent_ms = spent
        return True

    def _note(self, member: str, fingerprint: str, debt: _Owed) -> bool:
        owed = self._owed.setdefault(member, {})
        if fingerprint in owed or len(owed) >= KEYS_PER_MEMBER:
            return False
        owed[fingerprint] = debt
        return True

    def _rank(self, wait_ms: Callable[[str, str], int]) -> None:
        for member, fingerprint in tuple(islice(self._unranked, RANKS_PER_CALL)):
            del self._unranked[member, fingerprint]
            owed = self._owed[member][fingerprint]
            owed.ready_ms = owed.since_ms + wait_ms(member, fingerprint)
            heapq.heappush(self._queue, (owed.ready_ms, member, fingerprint))
