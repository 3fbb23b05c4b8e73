"""Who waits while the older link of the same peer is pinged (sections 5 and 6, NAME_IN_USE)."""

from __future__ import annotations

from socp.node.events import LinkId
from socp.node.links import Link, Links, Stage


class Newcomers:
    """At most one newcomer for each old link; both ends of an entry go with their links."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._by_old: dict[LinkId, LinkId] = {}

    def __len__(self) -> int:
        return len(self._by_old)

    def __contains__(self, newcomer: Link) -> bool:
        return newcomer.id in self._by_old.values()

    def awaited(self, old: Link) -> bool:
        """True while somebody waits for the ping of `old`."""
        return old.id in self._by_old

    def wait(self, newcomer: Link, old: Link, mono: int) -> None:
        newcomer.move(Stage.WAITING, mono)
        self._by_old[old.id] = newcomer.id

    def taken(self, old: Link) -> Link | None:
        """Who waited for `old`, if they still do. They do no longer."""
        newcomer = self._links.all.get(self._by_old.pop(old.id, -1))
        return newcomer if newcomer is not None and newcomer.stage is Stage.WAITING else None

    def lost(self, newcomer: Link) -> None:
        """A newcomer's socket is gone: the next one may wait in its place."""
        for old, waiting in tuple(self._by_old.items()):
            if waiting == newcomer.id:
                del self._by_old[old]
