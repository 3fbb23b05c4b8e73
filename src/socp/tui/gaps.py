"""What did not come of somebody's messages, where it would stand (threat M12)."""

from __future__ import annotations

from typing import Final

from socp.member.effects import GapClosed, GapFound
from socp.member.history_line import HistoryLine

GAPS_MAX: Final = 1_000


class Gaps:
    """By conversation and author, until they close; bounded, the oldest gives way."""

    def __init__(self) -> None:
        self._gaps: dict[tuple[str, str], GapFound] = {}

    def heard(self, notice: GapFound | GapClosed) -> None:
        """One was found, or is closed."""
        key = (notice.talk, notice.author)
        self._gaps.pop(key, None)
        if isinstance(notice, GapFound):
            if len(self._gaps) >= GAPS_MAX:
                del self._gaps[next(iter(self._gaps))]
            self._gaps[key] = notice

    def places(self, talk: str) -> Places:
        """Where those of one conversation stand among its lines."""
        return Places([gap for (where, _), gap in self._gaps.items() if where == talk])


class Places:
    """Asked once for each line, in their order."""

    def __init__(self, gaps: list[GapFound]) -> None:
        self._gaps = gaps
        self._begun: set[str] = set()  # authors whose last line before their gap went by

    def before(self, line: HistoryLine) -> GapFound | None:
        """The gap that ends with this line."""
        found = next((gap for gap in self._gaps if gap.author == line.author), None)
        if found is None:
            return None
        begun = line.author in self._begun or line.ts > found.after_ts
        if begun and line.ts >= found.before_ts:
            self._gaps.remove(found)
            return found
        if line.ts >= found.after_ts:  # the next one may have the very same time
            self._begun.add(line.author)
        return None
