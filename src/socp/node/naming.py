"""Which of our users with `presence/1` hears that somebody lacks the key of the public channel
(section 7).

Where few are online that is all of them. Where many are, one who likely has the key is told, by the
newcomer's own server; then more of them, and those of other servers, for as long as nobody gives
it: so what a newcomer costs does not grow with the members.

What another server says counts for its own users alone: it can neither have ours forgotten nor
make up somebody for whom ours are asked, and it is answered at a pace (threats S3, S6).
"""

from __future__ import annotations

import hashlib
import heapq
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count

from socp.node.crowd import Crowd
from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.links import Link, Links
from socp.node.pace import Buckets
from socp.node.presence import ONLINE_PER_SERVER, Presence
from socp.node.share_shelf import ShareShelf
from socp.wire.payloads import PublicChannelAdd

FEW = 250  # while no more are online, all are told
THEIRS_MS, STEP_MS = 1_000, 500  # another server's newcomer: by our rank
AGAIN_MS = 1_500  # nobody gave it: as many more are told
FORGOTTEN_MS = 60_000
NAMED_MAX = 500  # in one ADD of ours
ASKED_MAX = 64  # of our users one of whom is chosen
HOLDERS_MS = 1_000  # so long the same ones: to find them is to look at everybody
AGAIN_BURST, AGAIN_PER_S = 100, 20.0  # of our users who were named before; each is signed
THEIRS_BURST, THEIRS_PER_S = 20, 2.0  # ADDs of ours on behalf of another server


@dataclass(slots=True, eq=False)
class _Wanted:
    """Those of one ADD who still lack the key, and whom we told so."""

    origin: str  # their server, which says so
    user_ids: set[str]
    version: int
    until_ms: int
    ranked: bool  # our turn among the servers is there
    told: set[LinkId] = field(default_factory=set)


class Naming:
    """Bounded for each server: its oldest is forgotten, and asked for when they come again."""

    def __init__(
        self,
        emitter: Emitter,
        links: Links,
        crowd: Crowd,
        presence: Presence,
        shelf: ShareShelf,
    ) -> None:
        self._emit = emitter
        self._links = links
        self._crowd = crowd
        self._presence = presence
        self._shelf = shelf
        self._wanted: dict[str, OrderedDict[str, _Wanted]] = {}  # by their server, then by user
        self._queue: list[tuple[int, int, _Wanted]] = []  # when to look at it again
        self._order = count()
        self._pace = Buckets(THEIRS_BURST, THEIRS_PER_S)
        self._again = Buckets(AGAIN_BURST, AGAIN_PER_S)
        self._holders_now: tuple[Link, ...] = ()
        self._holders_until_ms = 0

    @property
    def few(self) -> bool:
        """Whether so few are online that all hear of all."""
        return self._presence.total() <= FEW

    def listeners(self) -> tuple[LinkId, ...]:
        """Who of our users hears of every newcomer: those without `presence/1` always do."""
        return self._links.user_links() if self.few else self._crowd.links()

    def asked(self, origin: str, user_ids: Iterable[str], version: int, now: Now) -> None:
        """The server of these says that they lack this version."""
        ours = origin == self._emit.server_id
        wanted = _Wanted(origin, set(user_ids), version, now.mono + FORGOTTEN_MS, ranked=ours)
        for user_id in wanted.user_ids:
            self._want(user_id, wanted)
        if self.few:  # more may be here when it is given: these must hear of that all the same
            wanted.told = set(self.listeners())
            self._look_again(wanted, FORGOTTEN_MS, now)
        else:
            self._look_again(wanted, 0 if ours else THEIRS_MS, now)
        self.due(now)

    def _want(self, user_id: str, wanted: _Wanted) -> None:
        theirs = self._wanted.setdefault(wanted.origin, OrderedDict())
        before = theirs.pop(user_id, None)
        if before is not None:
            before.user_ids.discard(user_id)
        theirs[user_id] = wanted
        if len(theirs) > ONLINE_PER_SERVER:
            oldest, its = theirs.popitem(last=False)
            its.user_ids.discard(oldest)

    def _of(self, origin: str) -> Mapping[str, _Wanted]:
        """Which of this server's users lack it."""
        return self._wanted.get(origin, {})

    def _look_again(self, wanted: _Wanted, ms: int, now: Now) -> None:
        heapq.heappush(self._queue, (now.mono + ms, next(self._order), wanted))

    def given(self, origin: str, user_ids: Iterable[str], version: int) -> tuple[LinkId, ...]:
        """The server of these says that a share for them is there. Who should hear of it: those who
        were told that they lack it, and our own who have no key and wait for one."""
        told: set[LinkId] = set()
        theirs = self._of(origin)
        for user_id in user_ids:
            wanted = theirs.get(user_id)
            if wanted is not None and version >= wanted.version:
                told |= wanted.told
                self._settled(user_id, wanted)
        ours = self._of(self._emit.server_id)
        waiting = (u for u in ours if u in self._links.users and not self._shelf.newest(u))
        told.update(self._links.users[user_id].id for user_id in waiting)
        return tuple(sorted(told & self._links.all.keys()))

    def _settled(self, user_id: str, wanted: _Wanted) -> None:
        theirs = self._wanted[wanted.origin]
        del theirs[user_id]
        wanted.user_ids.discard(user_id)
        if not theirs:
            del self._wanted[wanted.origin]

    def due(self, now: Now) -> None:
        """Tell more of ours where nobody gave it."""
        while self._queue and self._queue[0][0] <= now.mono:
            _, _, wanted = heapq.heappop(self._queue)
            if now.mono >= wanted.until_ms:
                for user_id in tuple(wanted.user_ids):
                    self._settled(user_id, wanted)
            elif wanted.user_ids:
                self._look_again(wanted, self._next(wanted, now), now)

    def _next(self, wanted: _Wanted, now: Now) -> int:
        """Do what is due for these, and say when something is again."""
        if not wanted.ranked:
            wanted.ranked = True
            if rank := self._rank(min(wanted.user_ids)):
                return STEP_MS * rank
        self._tell_more(wanted, now)
        return AGAIN_MS

    def _rank(self, user_id: str) -> int:
        """Our place among the servers that have users."""
        own = _place(user_id, self._emit.server_id)
        return sum(_place(user_id, other) < own for other in self._presence.places())

    def _tell_more(self, wanted: _Wanted, now: Now) -> None:
        lacking = [u for u in wanted.user_ids if self._presence.location(u) == wanted.origin]
        if not lacking:
            return
        named = tuple(heapq.nsmallest(NAMED_MAX, lacking))
        theirs = wanted.origin != self._emit.server_id
        for turn, link in enumerate(self._holders(named[0], wanted, now)):
            if theirs and not self._pace.take(wanted.origin, now.mono):
                return
            # Theirs have a pace of their own: no other server's names may use up what ours need.
            if wanted.told and not theirs and not self._again.take("", now.mono):
                return
            add = PublicChannelAdd(add=named, if_version=wanted.version, turn=turn)
            self._emit.say(link, add, now)
            wanted.told.add(link.id)

    def _holders(self, user_id: str, wanted: _Wanted, now: Now) -> list[Link]:
        """As many as were told before, at least one: who has a share of that version comes first,
        then by the order of section 7."""
        lacking = self._of(self._emit.server_id)
        ours = (
            link
            for link in self._likely(now)
            if link.id not in wanted.told and link.peer not in lacking and self._links.holds(link)
        )
        return heapq.nsmallest(
            max(1, len(wanted.told)),
            ours,
            key=lambda link: (
                self._shelf.newest(link.peer) < wanted.version,
                _place(user_id, link.peer),
            ),
        )

    def _likely(self, now: Now) -> tuple[Link, ...]:
        """Who has a key if anybody has, those with the newest share first; of these each second
        others, or the same few who are silent would keep all newcomers waiting."""
        if now.mono >= self._holders_until_ms:
            lacking = self._of(self._emit.server_id)
            users = self._links.users.values()
            ours = (link for link in users if link.watches and link.peer not in lacking)
            newest = heapq.nlargest(
                ASKED_MAX,
                ours,
                key=lambda link: (self._shelf.newest(link.peer), _place(str(now.mono), link.peer)),
            )
            self._holders_now = tuple(newest)
            self._holders_until_ms = now.mono + HOLDERS_MS
        return self._holders_now


def _place(newcomer: str, other: str) -> bytes:
    return hashlib.sha256(newcomer.encode() + other.encode()).digest()
