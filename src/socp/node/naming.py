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
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
ASKED_MS = 1_000  # so long the same ones
FOUND_MAX, FOUND_MS = 640, 10_000  # they are chosen of these: to find them is to look at everybody
AGAIN_BURST, AGAIN_PER_S = 100, 20.0  # of our users who were named before; each is signed
THEIRS_BURST, THEIRS_PER_S = 20, 2.0  # ADDs of ours on behalf of another server
QUEUE_MIN = 1_000  # to be looked at again: from so many on, those that nobody wants any more go


@dataclass(slots=True, eq=False)
class _Wanted:
    """Those of one ADD who still lack the key, and whom we told so."""

    origin: str  # their server, which says so
    user_ids: set[str]
    version: int
    until_ms: int
    ranked: bool  # our turn among the servers is there
    told: frozenset[LinkId] = frozenset()


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
        self._sweep_at = QUEUE_MIN
        self._order = count()
        self._all_told: frozenset[LinkId] = frozenset()
        self._idle: list[_Wanted] = []  # nobody who is here likely has a key
        self._late: deque[_Wanted] = deque()  # ours, when more of them are due than the pace allows
        self._pace = Buckets(THEIRS_BURST, THEIRS_PER_S)
        self._again = Buckets(AGAIN_BURST, AGAIN_PER_S)
        self._found: list[Link] = []
        self._found_until_ms = 0
        self._likely_now: list[Link] = []
        self._likely_until_ms = 0

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
            wanted.told = self._everybody()
            self._look_again(wanted, FORGOTTEN_MS, now)
        else:
            self._look_again(wanted, 0 if ours else THEIRS_MS, now)
        self.due(now)

    def _everybody(self) -> frozenset[LinkId]:
        """All who hear of every newcomer, the same object while they are the same: each ADD of a
        minute keeps it."""
        listeners = frozenset(self.listeners())
        if listeners != self._all_told:
            self._all_told = listeners
        return self._all_told

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
        if len(self._queue) >= self._sweep_at:  # who names the same users again and again
            self._queue = [each for each in self._queue if each[2].user_ids]
            heapq.heapify(self._queue)
            self._sweep_at = 2 * len(self._queue) + QUEUE_MIN

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
        if self._idle and now.mono >= self._likely_until_ms:
            self._resume(now)
        while self._queue and self._queue[0][0] <= now.mono:
            _, _, wanted = heapq.heappop(self._queue)
            if self._is_wanted(wanted, now):
                self._look(wanted, now)
        self._go_on(now)

    def _resume(self, now: Now) -> None:
        idle, self._idle = self._idle, []
        wanted = [each for each in idle if self._is_wanted(each, now)]
        if not self._likely(now):
            self._idle = wanted
            return
        for each in wanted:
            self._look_again(each, 0, now)

    def _is_wanted(self, wanted: _Wanted, now: Now) -> bool:
        """False when all of them have it, or after so long that they are forgotten."""
        if now.mono >= wanted.until_ms:
            for user_id in tuple(wanted.user_ids):
                self._settled(user_id, wanted)
        return bool(wanted.user_ids)

    def _look(self, wanted: _Wanted, now: Now) -> None:
        """Do what is due for these, and look at them again when something is."""
        if not wanted.ranked:
            wanted.ranked = True
            if rank := self._rank(min(wanted.user_ids)):
                return self._look_again(wanted, STEP_MS * rank, now)
        if not self._likely(now):
            return self._idle.append(wanted)
        if wanted.told and wanted.origin == self._emit.server_id:
            return self._late.append(wanted)
        self._tell_more(wanted, now)
        self._look_again(wanted, AGAIN_MS, now)

    def _go_on(self, now: Now) -> None:
        """With ours who were named before, who longest were not first; nobody else's names may use
        up their pace."""
        while self._late:
            wanted = self._late[0]
            if self._is_wanted(wanted, now):
                if not self._again.take("", now.mono):
                    return
                told = len(wanted.told)
                self._tell_more(wanted, now)
                if len(wanted.told) == told:  # they left, or everybody was asked
                    self._again.give_back("")
                self._look_again(wanted, AGAIN_MS, now)
            self._late.popleft()

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
            if turn and not theirs and not self._again.take("", now.mono):
                return
            add = PublicChannelAdd(add=named, if_version=wanted.version, turn=turn)
            self._emit.say(link, add, now)
            wanted.told |= {link.id}

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

    def _likely(self, now: Now) -> list[Link]:
        """Who has a key if anybody has, those with the newest share first; of these each second
        others, or the same few who are silent would keep all newcomers waiting."""
        if now.mono >= self._likely_until_ms:
            self._likely_until_ms = now.mono + ASKED_MS
            if now.mono >= self._found_until_ms:
                self._find(now)
            self._likely_now = self._best(ASKED_MAX, self._found, now)
        return self._likely_now

    def _find(self, now: Now) -> None:
        lacking = self._of(self._emit.server_id)
        users = self._links.users.items()
        ours = (link for user_id, link in users if user_id not in lacking and link.watches)
        self._found = self._best(FOUND_MAX, ours, now)
        enough = len(self._found) >= ASKED_MAX
        self._found_until_ms = now.mono + (FOUND_MS if enough else ASKED_MS)

    def _best(self, most: int, ours: Iterable[Link], now: Now) -> list[Link]:
        when = str(now.mono)
        return heapq.nlargest(
            most, ours, key=lambda link: (self._shelf.newest(link.peer), _place(when, link.peer))
        )


def _place(newcomer: str, other: str) -> bytes:
    return hashlib.sha256(newcomer.encode() + other.encode()).digest()
