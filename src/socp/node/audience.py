"""Which of our users hear of whom: with `presence/1` those they watch (section 11), without it,
as the crowd, everybody."""

from __future__ import annotations

from collections.abc import Iterable

from socp.node.crowd import Crowd
from socp.node.events import LinkId
from socp.node.links import Link, Links


class Audience:
    """What one event of presence costs depends on who wants to hear of it, not on who is here."""

    def __init__(self, links: Links, crowd: Crowd) -> None:
        self._links = links
        self.crowd = crowd
        self._watched: dict[LinkId, frozenset[str]] = {}
        self._watchers: dict[str, Link | dict[LinkId, Link]] = {}  # most have one, if any
        self._total = 0

    def joined(self, link: Link) -> None:
        """A user of ours is attached."""
        if not link.watches:
            self.crowd.joined(link)

    def lost(self, link: Link) -> None:
        """A link is gone."""
        self.crowd.lost(link)
        self.watch(link, ())

    def watch(self, link: Link, user_ids: Iterable[str]) -> list[str]:
        """From now on this link hears of these alone; those of them it did not hear of before."""
        before, now = self._watched.pop(link.id, frozenset()), dict.fromkeys(user_ids)
        if now:
            self._watched[link.id] = frozenset(now)
        self._total += len(now) - len(before)
        for user_id in before - now.keys():
            self._unwatched(user_id, link)
        fresh = [user_id for user_id in now if user_id not in before]
        for user_id in fresh:
            self._watchers[user_id] = self._with(user_id, link)
        return fresh

    def _with(self, user_id: str, link: Link) -> Link | dict[LinkId, Link]:
        watchers = self._watchers.get(user_id)
        if isinstance(watchers, Link):
            return {watchers.id: watchers, link.id: link}
        if watchers is None:
            return link
        watchers[link.id] = link
        return watchers

    def _unwatched(self, user_id: str, link: Link) -> None:
        watchers = self._watchers[user_id]
        if isinstance(watchers, dict):
            del watchers[link.id]
        if watchers is link or not watchers:
            del self._watchers[user_id]

    @property
    def total(self) -> int:
        """How many all links watch, each counted for each."""
        return self._total

    def watching(self, link_id: LinkId) -> frozenset[str]:
        """Whom this link asked to hear of."""
        return self._watched.get(link_id, frozenset())

    def of(self, user_id: str) -> tuple[LinkId, ...]:
        """The links of our users who watch this user; not the user's own."""
        watchers = self._watchers.get(user_id, {})
        return tuple(
            link.id
            for link in (watchers.values() if isinstance(watchers, dict) else (watchers,))
            if link.peer != user_id and self._links.users.get(link.peer) is link
        )
