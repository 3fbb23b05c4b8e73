"""Whether the server is there, and since when it is not."""

from __future__ import annotations

from dataclasses import dataclass, replace

from socp.client.notices import GivenUp, Offline
from socp.member.effects import Online


@dataclass(frozen=True, slots=True)
class Link:
    """`since_s`: of the present state, by a clock that nobody sets."""

    attached: bool = False
    since_s: float = 0.0
    reason: str = ""  # why there is none
    over: bool = False  # it is not tried again: the person must act first
    began: bool = False  # whether there ever was one in this run

    def moved(self, notice: Online | Offline | GivenUp, now_s: float) -> Link:
        """After the notice; an outage counts from its first notice."""
        match notice:
            case Online():
                return Link(attached=True, since_s=now_s, began=True)
            case Offline():
                since_s = now_s if self.attached else self.since_s
                return replace(self, attached=False, since_s=since_s, reason=notice.reason)
            case GivenUp():
                said = notice.reason
                return replace(self, attached=False, since_s=now_s, reason=said, over=True)
