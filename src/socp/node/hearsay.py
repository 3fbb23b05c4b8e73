"""What two servers with `gossip/1` have told each other on one link (section 11)."""

from __future__ import annotations

from dataclasses import dataclass, field

from socp.node.pace import Bucket
from socp.wire import roll
from socp.wire.roll import Roll

HEARD_MAX = 10_000  # users of one server: what is over it is not counted, and proves nothing
FIRST_WAIT_MS = 10_000  # from one PRESENCE_SYNC of ours to the next, while none brings an end
LAST_WAIT_MS = 60_000


@dataclass(slots=True)
class Heard:
    """Whom the peer named as its users since it began to tell of all of them."""

    users: dict[str, int] = field(default_factory=dict)  # with their entries in the roll
    roll: Roll = field(default_factory=Roll)

    def came(self, user_id: str, fingerprint: str, attach_ts: int | None) -> None:
        self.left(user_id)
        if len(self.users) < HEARD_MAX:
            one = roll.entry(user_id, fingerprint, attach_ts)
            self.users[user_id], self.roll = one, self.roll.with_(one)

    def left(self, user_id: str) -> None:
        one = self.users.pop(user_id, None)
        if one is not None:
            self.roll = self.roll.without(one)


@dataclass(slots=True)
class Hearsay:
    """Both directions of one link. Times are monotonic ms."""

    syncs: Bucket  # how often the peer may ask
    # what it told us
    ts: int = 0  # of its newest HEARTBEAT: an older one is a replay
    linked_with: frozenset[str] = frozenset()
    heard: Heard | None = field(default_factory=Heard)
    # what we make of it
    asks: bool = False  # what is heard is the answer to our PRESENCE_SYNC
    keys_compared: bool = False  # of the public channel, theirs with ours
    untimely: bool = False  # some of it did not count because of its ts
    settled: Roll | None = None  # the difference that was left once all was heard
    settled_until_ms: int = 0
    ask_again_ms: int = 0
    wait_ms: int = FIRST_WAIT_MS
    # what we told it
    links_told: tuple[str, ...] | None = None
    links_untold: int = 0  # heartbeats since
    telling: bool = False  # a snapshot is on its way

    def asked(self, mono: int) -> None:
        """PRESENCE_SYNC goes out: what is heard from now on is the answer."""
        self.heard, self.asks, self.untimely = Heard(), True, False
        self.ask_again_ms = mono + self.wait_ms
        self.wait_ms = min(2 * self.wait_ms, LAST_WAIT_MS)

    def proved(self) -> None:
        """What the peer said of its users is what we heard of them."""
        self.heard, self.settled, self.wait_ms = None, None, FIRST_WAIT_MS
        self.asks = self.untimely = False
