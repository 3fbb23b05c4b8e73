"""What strangers can do again and again is one line in the log, then a count (P5, S3)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from socp.node.events import Now

QUIET_MS = 60 * 60_000  # after so long without, the next one is news
KEPT_MAX = 1_000


@dataclass(slots=True)
class Tally:
    count: int
    last_ms: int  # monotonic


class Tallies:
    """How often each thing happened."""

    def __init__(self) -> None:
        self._tallies: OrderedDict[str, Tally] = OrderedDict()

    def count(self, about: str, now: Now) -> int:
        """One more; how many it were where that is worth a line: the first, the 10th, the 100th,
        else 0."""
        tally = self._tallies.get(about)
        if tally is None or now.mono - tally.last_ms > QUIET_MS:
            tally = self._tallies[about] = Tally(0, now.mono)
            if len(self._tallies) > KEPT_MAX:
                self._tallies.popitem(last=False)
        tally.count, tally.last_ms = tally.count + 1, now.mono
        self._tallies.move_to_end(about)
        return tally.count if str(tally.count).strip("0") == "1" else 0
