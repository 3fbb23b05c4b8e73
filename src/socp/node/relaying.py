"""What a server says of its users, and of who lacks a key, on its way to other servers: whom it is
passed on to, and when (`gossip/1`, section 11)."""

from __future__ import annotations

from dataclasses import dataclass, field

from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.links import Link, Links
from socp.wire import limits

YOUNG_MS = 5_000  # a link: whoever else has one with that server says so within a second
HELD_MAX = 10_000  # things that one server said ...
HELD_BYTES_MAX = 32 * limits.MIB  # ... and what they take


@dataclass(slots=True)
class _Held:
    """What a server said over a new link; of each thing the newest."""

    until_ms: int
    frames: dict[str, bytes] = field(default_factory=dict)
    size: int = 0  # bytes


class Relaying:
    """On a new link others are about to be linked with its server too, as after a partition: those
    with `gossip/1` say so in a moment, and until then nothing is passed on to them."""

    def __init__(self, emitter: Emitter, links: Links) -> None:
        self._emit = emitter
        self._links = links
        self._held: dict[str, _Held] = {}  # by origin

    def pass_on(
        self,
        link: Link,
        origin: str,
        user_id: str,
        raw: bytes,
        listeners: tuple[LinkId, ...],
        now: Now,
    ) -> None:
        """Presence: to these users of ours, and to the servers that do not hear it themselves."""
        self._emit.relay(listeners + self.at_once(link, origin, user_id, raw, now), raw)

    def at_once(
        self, link: Link, origin: str, about: str, raw: bytes, now: Now
    ) -> tuple[LinkId, ...]:
        """The servers that are to hear this now, of those that do not hear it from its origin; the
        others hear it when they had time to say that they do. `about`: what it takes the place
        of, if that waits too."""
        servers = self._links.not_linked_with(origin, but=link.peer)
        new = link.peer == origin and link.gossips and now.mono - link.since_ms < YOUNG_MS
        if new or origin in self._held:
            waiting = self._links.gossiping(servers)
            servers = tuple(each for each in servers if each not in waiting)
            if waiting:
                self._hold(origin, about, raw, now)
        return servers

    def _hold(self, origin: str, about: str, raw: bytes, now: Now) -> None:
        held = self._held.setdefault(origin, _Held(now.mono + YOUNG_MS))
        held.size += len(raw) - len(held.frames.get(about, b""))
        held.frames[about] = raw
        if len(held.frames) > HELD_MAX or held.size > HELD_BYTES_MAX:
            self._let_go(origin)

    def due(self, now: Now) -> None:
        """Pass on what was held back, to those who still do not hear it themselves."""
        for origin, held in tuple(self._held.items()):
            if origin not in self._links.servers or now.mono >= held.until_ms:
                self._let_go(origin)

    def _let_go(self, origin: str) -> None:
        servers = self._links.gossiping(self._links.not_linked_with(origin, but=origin))
        for raw in self._held.pop(origin).frames.values():
            self._emit.relay(servers, raw)
