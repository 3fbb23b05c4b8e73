"""PRESENCE_WATCH (section 11, `presence/1`): those who were asked about are answered, a few at a
time, at the speed of the link; what changes after that is told as it happens."""

from __future__ import annotations

from collections import OrderedDict

from socp.node.audience import Audience
from socp.node.effects import Outgoing, Snapshot
from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.links import Link, Links
from socp.node.pace import Bucket
from socp.node.presence import Presence
from socp.node.room import Room
from socp.node.rotation import Rotations
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import PresenceWatch

ANSWERS_A_PAGE = 200  # 2.4 kB each, where somebody is online
SIGNATURES_BURST, SIGNATURES_PER_S = 200, 200  # of all users: a quarter of a core
FEW = 32  # half of the room is for links that watch no more
OF_WHAT_IS_FREE = 3  # of the other half a link may take one in so many that are free
FULL = "others watch as many users as this server has memory for; watch fewer, or ask again later"
NO_ROOM = "this server's memory is full; those you watch stay watched; ask for more later"
WATCH_PAGE = 2**62 + 1  # of no mailbox, which count from 1


class Watches:
    """Who is still to be told of whom. A link has at most as many questions as it watches."""

    def __init__(
        self,
        emitter: Emitter,
        links: Links,
        audience: Audience,
        presence: Presence,
        rotations: Rotations,
        room: Room,
        most: int,
    ) -> None:
        """All links together watch `most` users, each counted for each."""
        self._emit = emitter
        self._links = links
        self._audience = audience
        self._presence = presence
        self._rotations = rotations
        self._room = room
        self._most = most
        self._open: OrderedDict[LinkId, dict[str, None]] = OrderedDict()
        self._telling: set[LinkId] = set()
        self._signatures: Bucket | None = None

    def fresh(self, link: Link, watch: PresenceWatch) -> int:
        """How many of these it does not watch yet. Raises PeerFault where it may not: a thousand
        ids take a quarter of a megabyte, and each link may name as many (S11)."""
        if not link.watches:
            raise PeerFault(
                Code.UNKNOWN_TYPE, "PRESENCE_WATCH needs presence/1: announce it in features"
            )
        wanted, watched = frozenset(watch.users), self._audience.watching(link.id)
        fresh = len(wanted - watched)
        if fresh and self._room.is_short:
            raise PeerFault(Code.RATE_LIMITED, NO_ROOM)
        if fresh and len(wanted) > self._most_of(len(watched)):
            raise PeerFault(Code.RATE_LIMITED, FULL)
        return fresh

    def _most_of(self, watched: int) -> int:
        """How many a link that watches so many may watch."""
        total = self._audience.total
        free, free_for_many = self._most - total, self._most // 2 - total
        return watched + max(0, free_for_many // OF_WHAT_IS_FREE, min(free, FEW - watched))

    def asked(self, link: Link, watch: PresenceWatch, now: Now) -> None:
        """Watch these and nobody else."""
        fresh = self._audience.watch(link, watch.users)
        watched = self._audience.watching(link.id)
        waiting = [user_id for user_id in self._open.pop(link.id, {}) if user_id in watched]
        if fresh or waiting:
            self._open[link.id] = dict.fromkeys((*waiting, *fresh))
            self._answer(link, now)

    def lost(self, link: Link) -> None:
        """A link is gone."""
        self._audience.lost(link)
        self._open.pop(link.id, None)
        self._telling.discard(link.id)

    def told(self, link_id: LinkId, page: int, now: Now) -> bool:
        """A page of answers went out. False where it was another list."""
        if page != WATCH_PAGE:
            return False
        self._telling.discard(link_id)
        link = self._links.all.get(link_id)
        if link is not None and link_id in self._open:
            self._answer(link, now)
        return True

    def due(self, now: Now) -> None:
        """What waits for a signature: whoever waits longest comes first."""
        for link_id in tuple(self._open):
            link = self._links.all[link_id]
            if link_id not in self._telling:
                self._open.move_to_end(link_id)
                self._answer(link, now)

    def _answer(self, link: Link, now: Now) -> None:
        """One page; the next one when the link took it."""
        if link.id in self._telling:
            return
        waiting = self._open[link.id]
        frames: list[Outgoing | bytes] = []
        for user_id in tuple(waiting)[:ANSWERS_A_PAGE]:
            frame = self._presence.last_word(user_id)
            if frame is None and self._may_sign(now):
                frame = self._presence.away(user_id, now)
            if frame is not None:
                del waiting[user_id]
                frames += (*self._rotations.last_word(link, user_id, now), frame)
        if not waiting:
            del self._open[link.id]
        if frames:
            self._telling.add(link.id)
            self._emit.add(Snapshot(link.id, tuple(frames), WATCH_PAGE))

    def _may_sign(self, now: Now) -> bool:
        if self._signatures is None:
            self._signatures = Bucket.full(SIGNATURES_BURST, SIGNATURES_PER_S, now.mono)
        return self._signatures.take(now.mono)
