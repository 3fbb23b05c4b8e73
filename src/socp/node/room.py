"""Who still finds room: newcomers are refused before memory runs out, and users who are here go on
(threat S11)."""

from __future__ import annotations

from collections import OrderedDict

from socp.node.budget import Budget, Table
from socp.node.effects import Shed
from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.links import Link, Links, Stage
from socp.wire import limits

SERVER = "server.server"
OVERLOAD = 1013
SHED_PAUSE_MS = 50  # what was cut is free only once the system has heard of it
LINKS_AGAIN = 95  # percent of all links: below, newcomers are welcome again
NO_ROOM = "this server's memory is full; come back later, or ask its operator for more --memory"
MAKE_WAY = "too many wait to say hello; say yours at once"
_STRANGE = (Stage.FRESH, Stage.CHALLENGED)


class Room:
    """Knows how many links there are, and what the whole process holds as last measured."""

    def __init__(self, budget: Budget, emitter: Emitter, links: Links) -> None:
        self._budget = budget
        self._emit = emitter
        self._links = links
        self._most = budget.rows(Table.LINKS)
        self._resident = 0
        self._no_memory = False
        self._refusing = False
        self._refused = 0
        self._shed_ms = -SHED_PAUSE_MS
        self._strangers: OrderedDict[LinkId, Link] = OrderedDict()

    @property
    def is_refusing(self) -> bool:
        return self._refusing

    @property
    def is_short(self) -> bool:
        """Whether what can be done without must wait. That is so before newcomers are refused, so
        it alone has nobody refused."""
        return self._resident > self._budget.again

    def came(self, link: Link, now: Now) -> None:
        """Somebody connected: they stay, or are told why not. Whom we dialled we wanted."""
        if link.dialled is not None:
            return None
        if self._no_memory or len(self._links.all) > self._most:
            self._begin()
            self._refused += 1
            return self._turn_away(link, NO_ROOM, now)
        self._strangers[link.id] = link
        if len(self._strangers) > 2 * self._budget.strangers:
            self._thin_out(now)
        return None

    def measured(self, resident: int, now: Now) -> None:
        """The process holds so many bytes."""
        budget, self._resident = self._budget, resident
        if resident > budget.brim and now.mono - self._shed_ms >= SHED_PAUSE_MS:
            self._shed_ms = now.mono
            self._emit.add(Shed(resident - budget.full))
        if resident > budget.full:
            self._no_memory = True
            self._begin()
        elif resident < budget.again:
            self._no_memory = False

    def due(self) -> None:
        """Whether newcomers are welcome again."""
        few = len(self._links.all) * 100 <= self._most * LINKS_AGAIN
        if self._refusing and few and not self._no_memory:
            self._refusing = False
            self._emit.info(
                SERVER, f"Newcomers are welcome again; {self._refused} were turned away"
            )
            self._refused = 0

    def _begin(self) -> None:
        if self._refusing:
            return
        self._refusing = True
        held, total = self._resident // limits.MIB, self._budget.total // limits.MIB
        self._emit.warn(
            SERVER,
            f"No room for newcomers: {len(self._links.all)} of {self._most} links and {held} of"
            f" {total} MiB are taken; those who are here go on; start with more --memory for more",
        )

    def _thin_out(self, now: Now) -> None:
        """Who waited longest and has not said who they are makes room."""
        here = self._links.all
        strange = [link for link in self._strangers.values() if link.stage in _STRANGE]
        self._strangers = OrderedDict((link.id, link) for link in strange if link.id in here)
        while len(self._strangers) > self._budget.strangers:
            _, link = self._strangers.popitem(last=False)
            self._turn_away(link, MAKE_WAY, now)

    def _turn_away(self, link: Link, why: str, now: Now) -> None:
        link.move(Stage.CLOSING, now.mono)
        self._emit.close(link, OVERLOAD, why)
