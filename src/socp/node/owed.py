"""What was handed to users and is not acknowledged, all of it together (threat S5).

It is remembered by the piece, and who acknowledges nothing would have us remember everything.
"""

from __future__ import annotations

from collections.abc import Mapping

from socp.node.emitter import Emitter
from socp.node.events import LinkId
from socp.node.links import Links

SLACK = 1008
LOOK_MS = 1_000
WHY = "too much was handed to you that you do not acknowledge; it is kept for your next hello"


class Owed:
    """Looks once a second; where it is too much, those who owe most begin anew."""

    def __init__(self, emitter: Emitter, links: Links, most: int) -> None:
        self._emit = emitter
        self._links = links
        self._most = most

    def bound(self, pieces: Mapping[LinkId, int]) -> None:
        """How many pieces the users of these links did not acknowledge."""
        total = sum(pieces.values())
        if total <= self._most:
            return
        for link_id in sorted(pieces, key=lambda each: -pieces[each]):
            link = self._links.all.get(link_id)
            if total <= self._most or link is None:
                break
            total -= pieces[link_id]
            self._emit.close(link, SLACK, WHY)
