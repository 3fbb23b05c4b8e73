"""Whether the server is there, and since when it is not."""

from __future__ import annotations

from dataclasses import dataclass, replace

from socp.client.notices import GivenUp, Offline
from socp.member.effects import Online


@dataclass(frozen=True, slots=True)
class Link:
    """`since_ms`: Unix ms, of the present state."""

    attached: bool = False
    since_ms: int = 0
    reason: str = ""  # why there is none
    over: bool = False  # it is not tried again: the person must act first
    began: bool = False  # whether there ever was one in this run

    def moved(self, notice: Online | Offline | GivenUp, now: int) -> Link:
        """After the notice. `now`: Unix ms; an outage counts from its first notice."""
        match notice:
            case Online():
                return Link(attached=True, since_ms=now, began=True)
            case Offline():
                since = now if self.attached or not self.since_ms else self.since_ms
                return replace(self, attached=False, since_ms=since, reason=notice.reason)
            case GivenUp():
                return replace(self, attached=False, since_ms=now, reason=notice.reason, over=True)
