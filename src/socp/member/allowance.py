"""So many of something for each person in so long: what one of them asks for costs us work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from socp.member import latest

PEOPLE_MAX: Final = 1_000


@dataclass(slots=True)
class _Used:
    since_ms: int  # monotonic
    count: int = 0


class Allowance:
    """Begins anew for each person `per_ms` after their first; of too many people the one who began
    the longest ago is forgotten."""

    def __init__(self, most: int, per_ms: int) -> None:
        self._most = most
        self._per_ms = per_ms
        self._used: dict[str, _Used] = {}

    def takes(self, who: str, count: int, mono: int) -> bool:
        """Whether they may have so many more (`mono` ms); they are counted then."""
        used = self._used.get(who)
        if used is None or mono - used.since_ms >= self._per_ms:
            self._used.pop(who, None)
            used = _Used(mono)
            latest.keep(self._used, who, used, PEOPLE_MAX)
        if used.count + count > self._most:
            return False
        used.count += count
        return True
