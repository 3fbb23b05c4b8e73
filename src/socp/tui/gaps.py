"""What did not come of somebody's messages, where it would stand (threat M12)."""

from __future__ import annotations

from typing import Final

from socp.member.effects import GapClosed, GapFound
from socp.member.history_line import HistoryLine

GAPS_MAX: Final = 1_000
OF_ONE_MAX: Final = 50


class Gaps:
    """By conversation and author, who may have several, until they close; bounded, the oldest
    gives way."""

    def __init__(self) -> None:
        self._gaps: dict[tuple[str, str], list[GapFound]] = {}

    def heard(self, notice: GapFound | GapClosed) -> None:
        """One was found, or is closed."""
        key = (notice.talk, notice.author)
        known = self._gaps.pop(key, [])
        if isinstance(notice, GapFound):
            if len(self._gaps) >= GAPS_MAX:
                del self._gaps[next(iter(self._gaps))]
            # One that something came of is told again, as what is left of it.
            others = [gap for gap in known if not _overlap(gap, notice)]
            self._gaps[key] = [*others[-OF_ONE_MAX + 1 :], notice]

    def places(self, talk: str, since_ts: int = 0) -> Places:
        """Where those of one conversation stand among its lines, of which the first that is loaded
        was said at `since_ts` (Unix ms)."""
        here = [gap for (where, _), gaps in self._gaps.items() if where == talk for gap in gaps]
        here.sort(key=lambda gap: gap.after_ts)
        return Places([gap for gap in here if gap.before_ts >= since_ts])


def _overlap(one: GapFound, other: GapFound) -> bool:
    return one.after_ts < other.before_ts and other.after_ts < one.before_ts


class Places:
    """Asked once for each line, in their order."""

    def __init__(self, gaps: list[GapFound]) -> None:
        self._gaps = gaps
        self._begun: set[str] = set()  # authors whose last line before their gap went by

    def before(self, line: HistoryLine) -> GapFound | None:
        """The gap that ends with this line."""
        author, ended = line.author, self._next(line.author)
        if ended is not None:
            begun = author in self._begun or line.ts > ended.after_ts
            if begun and line.ts >= ended.before_ts:
                self._gaps.remove(ended)
                self._begun.discard(author)
            else:
                ended = None
        following = self._next(author)
        if following is not None and line.ts >= following.after_ts:
            self._begun.add(author)  # the next line may have the very same time
        return ended

    def _next(self, author: str) -> GapFound | None:
        return next((gap for gap in self._gaps if gap.author == author), None)
