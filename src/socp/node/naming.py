"""Which of our users with `presence/1` hears that somebody lacks the key of the public channel
(section 7).

Where few are online that is all of them. Where many are, one who likely has the key is told, by the
newcomer's own server; then more of them, and those of other servers, for as long as nobody gives
it: so what a newcomer costs does not grow with the members.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.links import Link, Links
from socp.node.presence import Presence
from socp.node.share_shelf import ShareShelf
from socp.wire.payloads import PublicChannelAdd

FEW = 250  # while no more are online, all are told
OURS_MS, THEIRS_MS, STEP_MS = 0, 1_000, 500  # our own newcomer; another server's, by our rank
AGAIN_MS = 3_000  # nobody gave it: as many more are told
FORGOTTEN_MS = 60_000
WANTED_MAX = 5_000
ASKED_MAX = 500  # of our users one of whom is chosen


@dataclass(slots=True, eq=False)
class _Wanted:
    """Those of one ADD who still lack the key, and whom we told so."""

    user_ids: set[str]
    version: int
    next_ms: int
    until_ms: int
    told: set[LinkId] = field(default_factory=set)


class Naming:
    """Bounded: the oldest is forgotten, and asked for again when its user comes again."""

    def __init__(
        self, emitter: Emitter, links: Links, presence: Presence, shelf: ShareShelf
    ) -> None:
        self._emit = emitter
        self._links = links
        self._presence = presence
        self._shelf = shelf
        self._wanted: OrderedDict[str, _Wanted] = OrderedDict()  # by the user who lacks it

    @property
    def few(self) -> bool:
        """Whether so few are online that all hear of all."""
        return self._presence.total() <= FEW

    def listeners(self) -> tuple[LinkId, ...]:
        """Who of our users hears of every newcomer: those without `presence/1` always do."""
        users = self._links.users.values()
        return tuple(link.id for link in users if self.few or not link.watches)

    def asked(self, user_ids: Iterable[str], version: int, now: Now, *, ours: bool) -> None:
        """Somebody's server says that these lack this version."""
        lacking, until_ms = set(user_ids), now.mono + FORGOTTEN_MS
        if self.few:  # more may be here when it is given: these must hear of that all the same
            wanted = _Wanted(lacking, version, until_ms, until_ms, set(self.listeners()))
        else:
            rank = 0 if ours else self._rank(min(lacking, default=""))
            wait_ms = OURS_MS if ours else THEIRS_MS + STEP_MS * rank
            wanted = _Wanted(lacking, version, now.mono + wait_ms, until_ms)
        for user_id in lacking:
            self._wanted[user_id] = wanted
            self._wanted.move_to_end(user_id)
        while len(self._wanted) > WANTED_MAX:
            self._wanted.popitem(last=False)
        self.due(now)

    def _rank(self, user_id: str) -> int:
        """Our place among the servers that have users."""
        own = _place(user_id, self._emit.server_id)
        return sum(_place(user_id, other) < own for other in self._presence.places())

    def given(self, user_ids: Iterable[str], version: int) -> tuple[LinkId, ...]:
        """A share for these passes. Who should hear of it: those who were told that they lack it,
        and our own who wait for theirs."""
        told: set[LinkId] = set()
        for user_id in user_ids:
            wanted = self._wanted.get(user_id)
            if wanted is not None and version >= wanted.version:
                del self._wanted[user_id]
                wanted.user_ids.discard(user_id)
                told |= wanted.told
        waiting = self._links.users.keys() & self._wanted.keys()
        told.update(self._links.users[user_id].id for user_id in waiting)
        return tuple(sorted(told & self._links.all.keys()))

    def due(self, now: Now) -> None:
        """Tell more of ours where nobody gave it."""
        for user_id, wanted in tuple(self._wanted.items()):
            if now.mono >= wanted.until_ms:
                del self._wanted[user_id]
            elif now.mono >= wanted.next_ms:
                wanted.next_ms = now.mono + AGAIN_MS
                self._tell_more(user_id, wanted, now)

    def _tell_more(self, user_id: str, wanted: _Wanted, now: Now) -> None:
        lacking = tuple(sorted(wanted.user_ids))
        turn = len(wanted.told)
        for link in self._holders(user_id, wanted):
            add = PublicChannelAdd(add=lacking, if_version=wanted.version, turn=turn)
            self._emit.say(link, add, now)
            wanted.told.add(link.id)
            turn += 1

    def _holders(self, user_id: str, wanted: _Wanted) -> list[Link]:
        """As many as were told before, at least one: who has a share of that version comes first,
        then by the order of section 7."""
        ours = (
            link
            for link in self._links.users.values()
            if link.watches and link.id not in wanted.told and link.peer not in self._wanted
        )
        return heapq.nsmallest(
            max(1, len(wanted.told)),
            islice(ours, ASKED_MAX),
            key=lambda link: (
                self._shelf.newest(link.peer) < wanted.version,
                _place(user_id, link.peer),
            ),
        )


def _place(newcomer: str, other: str) -> bytes:
    return hashlib.sha256(newcomer.encode() + other.encode()).digest()
