"""What was handed to users and servers and is not acknowledged, all of it together (threat S5).

It is remembered by the piece, and who acknowledges nothing would have us remember everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from socp.node.drains import Drain
from socp.node.emitter import Emitter
from socp.node.events import LinkId
from socp.node.links import Links, Stage

SLACK = 1008
LOOK_MS = 1_000
WHY = "too much was handed to you that you do not acknowledge; it is kept for your next hello"


class Owed:
    """Looks once a second; where it is too much, those who owe most begin anew."""

    def __init__(self, emitter: Emitter, links: Links, most: int) -> None:
        self._emit = emitter
        self._links = links
        self._most = most

    def bound(self, pieces: Mapping[LinkId, int]) -> frozenset[LinkId]:
        """So many were not acknowledged on these links: close those of users who owe most. A server
        has the mail of many, and its link much else: those that owe most are told to the caller,
        who begins anew with them later."""
        total, servers = sum(pieces.values()), set()
        for link_id in sorted(pieces, key=lambda each: -pieces[each]):
            link = self._links.all.get(link_id)
            if total <= self._most or link is None:
                break
            total -= pieces[link_id]
            if link.stage is Stage.SERVER:
                servers.add(link_id)
            else:
                self._emit.close(link, SLACK, WHY)
        return frozenset(servers)


def owed(drains: Iterable[Drain]) -> Counter[LinkId]:
    """Pieces of mail by link."""
    pieces: Counter[LinkId] = Counter()
    for drain in drains:
        pieces[drain.link] += len(drain.out)
    return pieces
