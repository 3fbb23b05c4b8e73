"""What is checked of every frame before its handler sees it: rate, identity, signature, binding."""

from __future__ import annotations

from socp.crypto.fast_sig import hop_signed
from socp.crypto.signing import verify_transport
from socp.node.events import Now
from socp.node.links import Link, Stage
from socp.node.pace import AddressBuckets
from socp.node.routes import Route
from socp.node.settings import Settings
from socp.node.strain import SigningLoad
from socp.node.trust import ServerTrust
from socp.wire import limits
from socp.wire.bind import check_bind
from socp.wire.canonical import is_plain
from socp.wire.envelope import Envelope, check_ts
from socp.wire.errors import Code, PeerFault
from socp.wire.features import BIND
from socp.wire.hop import FAST_PREFIX, is_hop
from socp.wire.ids import EVERYONE
from socp.wire.payloads import Payload

EXCESS_MAX = 600  # frames over the rate before a user's link is cut
WATCHED_A_TOKEN = limits.WATCHED_A_FRAME  # newly watched users that one frame of the rate pays for
ESCAPED = 6  # bytes that one byte becomes at the most where it is escaped
LIST_ROWS_A_TOKEN = 150  # of a list that one frame of the rate pays for


class Gate:
    """Raises PeerFault for what must not pass."""

    def __init__(self, settings: Settings, trust: ServerTrust, load: SigningLoad) -> None:
        self._settings = settings
        self._trust = trust
        self._load = load
        self._hellos = AddressBuckets(settings.hellos_per_s, settings.hellos_per_s)

    def count(self, link: Link, envelope: Envelope, route: Route | None, now: Now) -> int:
        """The limits of section 12: for how many ms the peer should not be read from.

        Raises PeerFault(RATE_LIMITED); who goes on and on far over the rate is cut.
        """
        if link.stage is Stage.FRESH:
            if not link.opened.loopback and not self._hellos.take(link.opened.address, now.mono):
                raise PeerFault(
                    Code.RATE_LIMITED, "too many hellos from your address; wait", close=1013
                )
        elif link.stage is Stage.SERVER:
            if not link.bucket.take(now.mono):
                raise PeerFault(Code.RATE_LIMITED, "too many frames on this link; send less")
            if route is not None and route.signs:
                return self._load.server_pause_ms(link, envelope, now)
        elif link.stage is Stage.USER:
            return self._count_user(link, envelope, route, now)
        return 0

    def _count_user(self, link: Link, envelope: Envelope, route: Route | None, now: Now) -> int:
        """Messages by number; transfers, and what is long, by bytes: slowed, never refused."""
        size = len(envelope.payload)
        if route is not None and route.by_bytes:
            slow_ms = self._load.pause_ms(link, envelope) if route.signs else 0
            return max(slow_ms, link.bytes_bucket.owe(now.mono, max(size, route.cost_bytes)))
        self._settle_count(link, link.bucket.take(now.mono))
        if route is not None and route.signs:
            self._load.check(link, envelope, now)
        return link.bytes_bucket.owe(now.mono, size)

    def count_garbage(self, link: Link, now: Now) -> None:
        """Bytes that are no frame, from a user: as one that is."""
        if link.stage is Stage.USER:
            self._settle_count(link, link.bucket.take(now.mono))

    def count_list(self, link: Link, rows: int, now: Now) -> None:
        """A long list costs as much of the rate as it makes work (S3)."""
        cost = min(rows // LIST_ROWS_A_TOKEN, self._settings.user_frames_burst - 1)
        self._settle_count(link, link.bucket.take(now.mono, cost))

    def count_watch(self, link: Link, users: int, now: Now) -> None:
        """Each of them is answered with up to 2.4 kB."""
        cost = min(users // WATCHED_A_TOKEN, self._settings.user_frames_burst - 1)
        self._settle_count(link, link.bucket.take(now.mono, cost))

    def _settle_count(self, link: Link, fits: bool) -> None:
        if fits:
            link.excess = max(0, link.excess - 1)
            return
        link.excess += 1
        raise PeerFault(
            Code.RATE_LIMITED,
            f"more than {self._settings.user_frames_per_s} frames a second; send slower",
            close=1008 if link.excess > EXCESS_MAX else None,
        )

    def check(
        self, link: Link, envelope: Envelope, payload: Payload, route: Route, now: Now
    ) -> bool:
        """False for a frame to drop in silence: by a server nobody introduced to us."""
        if route.timed:
            check_ts(envelope.ts, now.wall)
        if link.stage is Stage.USER:
            self._check_user(link, envelope, payload, route, now)
        elif link.stage is Stage.SERVER:
            return self.check_server(link, envelope, payload, route, now)
        else:
            check_bind(envelope, payload, required=False)
        return True

    def _check_user(
        self, link: Link, envelope: Envelope, payload: Payload, route: Route, now: Now
    ) -> None:
        """`from` is the link's own user; with `bind/1` all but MSG_* and FILE_* must be signed."""
        if envelope.from_ != link.peer:
            raise PeerFault(Code.NOT_ALLOWED, f"from is not {link.peer}, the user of this link")
        signed = link.bound and not route.unsigned
        check_bind(envelope, payload, required=signed and not route.bindless)
        if signed and not hop_signed(link.key, link.session, envelope, now.wall):
            raise PeerFault(Code.INVALID_SIG, f"{envelope.type}: sig does not verify")

    @staticmethod
    def check_room(link: Link, envelope: Envelope) -> None:
        """What goes on must fit a frame with what the next hops put around it, and with all that
        they escape: else one user could have servers cut each other off, and readers be cut off
        at each hello by what waits for them (S12)."""
        hops = 2 if link.stage is Stage.USER else 1
        most = limits.FRAME_BYTES - hops * limits.HOP_BYTES
        size = len(envelope.payload)
        if ESCAPED * (size + len(envelope.sig)) <= most:
            return
        size += ESCAPED * len(envelope.sig)
        if size <= most and not (envelope.whole and is_plain(envelope.payload)):
            size += max(0, len(envelope.canonical) - len(envelope.payload))
        if size > most:
            raise PeerFault(
                Code.TOO_LARGE, f"{envelope.type}: {size} bytes; at most {most} can go on from here"
            )

    def check_server(
        self, link: Link, envelope: Envelope, payload: Payload, route: Route, now: Now
    ) -> bool:
        """The sig and bind of a server's frame, under the key of its `from`."""
        fast = envelope.sig.startswith(FAST_PREFIX)
        if fast and not is_hop(envelope.type):
            raise PeerFault(
                Code.INVALID_SIG, f"{envelope.type} travels on: a session key cannot sign it"
            )
        if route.unsigned:
            check_bind(envelope, payload, required=False)
            return True
        own = envelope.from_ == link.peer
        if not own and not route.forwarded:
            raise PeerFault(Code.NOT_ALLOWED, f"from is not {link.peer}, the server of this link")
        key = link.key if own else self._trust.key(envelope.from_)
        if key is None:
            return False
        ours = (self._settings.server_id,) if fast else (self._settings.server_id, EVERYONE)
        if own and link.bound and envelope.to not in ours:
            raise PeerFault(
                Code.INVALID_SIG, f"{envelope.type}: to is another server: a frame of another link"
            )
        bound = link.bound if own else BIND in self._trust.features(envelope.from_)
        check_bind(envelope, payload, required=bound)
        if own and hop_signed(key, link.session, envelope, now.wall):
            return True
        if not own and verify_transport(key, envelope):
            return True
        raise PeerFault(
            Code.INVALID_SIG, f"{envelope.type}: sig does not verify under the key of its from"
        )


def out_of_place(link: Link, envelope: Envelope) -> PeerFault:
    """The refusal of a frame type that this peer may not send, or not now."""
    if link.stage in (Stage.USER, Stage.SERVER):
        who = "user" if link.stage is Stage.USER else "server"
        return PeerFault(Code.NOT_ALLOWED, f"{envelope.type} is not for a {who} to send here")
    if link.stage is Stage.FRESH:
        return PeerFault(
            Code.NOT_ALLOWED,
            f"{envelope.type} cannot come first; say USER_HELLO or SERVER_HELLO_JOIN",
            close=1008,
        )
    return PeerFault(Code.NOT_ALLOWED, f"{envelope.type} is not due yet", close=1008)
