"""Who is connected: one Link a socket, and the tables of section 4 that point to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

from socp.crypto.fast_sig import OwnSession, PeerSession
from socp.crypto.keys import PublicKey
from socp.node.events import LinkId, LinkOpened
from socp.node.hearsay import Hearsay
from socp.node.pace import Bucket
from socp.wire.addresses import HostPort
from socp.wire.features import BIND, FAST_SIG, GOSSIP, LINK_AUTH, MAILBOX, PRESENCE
from socp.wire.payloads import ServerHello, UserHello


class Stage(Enum):
    """Where a link stands. Anything not reachable here is refused by the routes."""

    FRESH = auto()  # they came to us, no first frame yet
    CHALLENGED = auto()  # AUTH_CHALLENGE is out, AUTH_PROOF is due
    WAITING = auto()  # proof holds; an older link is being pinged, or our own dial decides
    DIALLED = auto()  # we dialled and said hello
    PROVING = auto()  # we dialled, were challenged and sent AUTH_PROOF
    FORMER = auto()  # proved a key that was theirs before: their last word is taken, nothing else
    USER = auto()
    SERVER = auto()
    CLOSING = auto()


@dataclass(slots=True)
class Link:
    """One socket. `peer`, `key` and `features` are claims until the stage is USER or SERVER."""

    opened: LinkOpened
    stage: Stage
    since_ms: int  # monotonic, of the stage
    heard_ms: int  # monotonic, last sign of life
    bucket: Bucket
    bytes_bucket: Bucket
    errors: Bucket
    peer: str = ""
    key: PublicKey | None = None
    features: tuple[str, ...] = ()
    proven: bool = False
    hello: ServerHello | UserHello | None = None
    hello_to: str = ""
    nonce: bytes = b""  # the other side's auth_nonce
    address: HostPort | None = None  # where a server says it listens
    hearsay: Hearsay | None = None  # of a server with `gossip/1`, from when the link is the one
    attach: tuple[int, str] | None = None  # ts and sig of a user's valid attach
    strikes: int = 0
    pinged_ms: int = 0
    established_ms: int = 0
    excess: int = 0
    announced: bool = True  # `fast-sig/1`: by our hello, else by our answer where we have it
    agreed: bool = False  # to `fast-sig/1`: both ends have it, and we told our session key
    share: Bucket | None = None  # of signatures by our own key, from its first message on
    fast: OwnSession | None = None  # the session key of ours that the other end knows
    told: OwnSession | None = None  # the next one, told and not acknowledged
    session: PeerSession | None = None  # the other end's, where it stated one
    settling: str = ""  # KEY_ROTATE or KEY_REVOKE of its user that the disk has not taken yet
    id: LinkId = field(init=False)

    def __post_init__(self) -> None:
        self.id = self.opened.link

    @property
    def dialled(self) -> HostPort | None:
        return self.opened.dialled

    @property
    def bound(self) -> bool:
        """True where both ends have `bind/1`: frames of this link carry it (section 11)."""
        return BIND in self.features

    @property
    def gossips(self) -> bool:
        """True with `gossip/1`; without `bind/1` a HEARTBEAT could be said again as a newer one."""
        return GOSSIP in self.features and self.bound

    @property
    def can_agree(self) -> bool:
        """True where the other end could take a session key of ours: both ends say so, frames are
        bound to this link, and the keys of both ends are proved (`link-auth/1`)."""
        both = self.announced and FAST_SIG in self.features
        return both and self.bound and self.has_link_auth

    @property
    def watches(self) -> bool:
        """True of a user with `presence/1`, who hears of nobody before they ask."""
        return PRESENCE in self.features

    @property
    def acks(self) -> bool:
        """True where the peer acknowledges what it has kept (`mailbox/1`), and who it is was
        proven: only then mail is deleted on its word (section 11; threats I1, M14)."""
        return MAILBOX in self.features and (self.proven or self.stage is Stage.SERVER)

    @property
    def has_link_auth(self) -> bool:
        return LINK_AUTH in self.features

    def move(self, stage: Stage, mono: int) -> None:
        self.stage, self.since_ms = stage, mono

    def name(self) -> str:
        """For the log: who this is, as far as known."""
        if self.stage is Stage.USER:
            return f"user {self.peer}"
        if self.stage is Stage.SERVER:
            return f"server {self.peer}"
        if self.dialled is not None:
            return f"ws://{self.dialled}"
        return self.opened.address


@dataclass(slots=True)
class Links:
    """All links; `users` and `servers` hold the one live link of each identified peer."""

    all: dict[LinkId, Link] = field(default_factory=dict)
    users: dict[str, Link] = field(default_factory=dict)
    servers: dict[str, Link] = field(default_factory=dict)
    _unheard: dict[str, tuple[LinkId, ...]] = field(default_factory=dict)
    """By origin, what was found of it since it changed who is linked with whom."""
    _named: tuple[str, ...] | None = None

    def user_links(self, *, but: str = "") -> tuple[LinkId, ...]:
        return tuple(link.id for user, link in self.users.items() if user != but)

    def server_links(self, *but: str) -> tuple[LinkId, ...]:
        return tuple(link.id for server, link in self.servers.items() if server not in but)

    def joined(self, link: Link) -> None:
        """This is now the one live link of its server."""
        self.servers[link.peer] = link
        self._changed()

    def parted(self, link: Link) -> None:
        """Its server has none now."""
        del self.servers[link.peer]
        self._changed()

    def _changed(self) -> None:
        self._unheard.clear()
        self._named = None

    def server_ids(self) -> tuple[str, ...]:
        """The servers we are linked with, in order."""
        if self._named is None:
            self._named = tuple(sorted(self.servers))
        return self._named

    def told(self, hearsay: Hearsay, linked_with: frozenset[str]) -> None:
        """With whom the server of a link says it is linked."""
        if linked_with != hearsay.linked_with:
            hearsay.linked_with = linked_with
            self._unheard.clear()

    def not_linked_with(self, origin: str, *, but: str) -> tuple[LinkId, ...]:
        """Servers that did not say they hear from `origin` themselves (section 11, `gossip/1`)."""
        found = self._unheard.get(origin)
        if found is None:
            found = self._unheard[origin] = tuple(
                link.id
                for server, link in self.servers.items()
                if server != origin
                and (link.hearsay is None or origin not in link.hearsay.linked_with)
            )
        source = self.servers.get(but)
        return found if source is None else tuple(each for each in found if each != source.id)

    def gossiping(self, ids: Iterable[LinkId]) -> tuple[LinkId, ...]:
        """Those of them with servers that tell with whom they are linked (`gossip/1`)."""
        return tuple(each for each in ids if self.all[each].hearsay is not None)

    def holds(self, link: Link) -> bool:
        """True while `link` is the live link of its peer."""
        table = self.users if link.stage is Stage.USER else self.servers
        return table.get(link.peer) is link
