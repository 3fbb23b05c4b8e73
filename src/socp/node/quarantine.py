"""A linked server that keeps sending what we refuse is cut for a while (section 5;
threats S6, S12)."""

from __future__ import annotations

from collections import OrderedDict

from socp.node.events import Now
from socp.node.links import Link
from socp.node.pace import Bucket

STRIKES_BURST = 40
STRIKES_PER_S = 0.5
CUT_MS = 60_000
KEPT_MAX = 1_000


class Quarantine:
    """Counts refusals by key, not by link or id: neither reconnecting nor another name clears
    them."""

    def __init__(self) -> None:
        self._strikes: OrderedDict[str, Bucket] = OrderedDict()
        self._until: OrderedDict[str, int] = OrderedDict()

    def strike(self, link: Link, weight: float, now: Now) -> bool:
        """Note one refusal. True when it was one too many."""
        who = link.key.fingerprint if link.key is not None else link.peer
        bucket = self._strikes.get(who)
        if bucket is None:
            bucket = Bucket.full(STRIKES_BURST, STRIKES_PER_S, now.mono)
            self._strikes[who] = bucket
            if len(self._strikes) > KEPT_MAX:
                self._strikes.popitem(last=False)
        self._strikes.move_to_end(who)
        if bucket.take(now.mono, weight):
            return False
        del self._strikes[who]
        for name in {who, link.peer}:
            self._until[name] = now.mono + CUT_MS
            self._until.move_to_end(name)
        while len(self._until) > KEPT_MAX:
            self._until.popitem(last=False)
        return True

    def holds(self, now: Now, *names: str) -> bool:
        """True while this server, by its id or its key's fingerprint, is cut."""
        return any(self._until.get(name, 0) > now.mono for name in names)
