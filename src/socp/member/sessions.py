"""Session keys on our link (`fast-sig/1`, section 11): what we sign by, and what our server does.

A new one for each link: so no frame of one link is good on another, and none outlives it long.
"""

from __future__ import annotations

from typing import Final

from socp.crypto import fast_sig
from socp.crypto.fast_sig import OwnSession, PeerSession
from socp.crypto.keys import PublicKey, Suite
from socp.member.emitter import Emitter
from socp.member.events import Now
from socp.wire.envelope import Envelope
from socp.wire.features import BIND, FAST_SIG
from socp.wire.payloads import Ack, FastAck, Session, SessionKey, parse_as

RETRY_MS: Final = 60_000  # until another one is told, where none was acknowledged


class Sessions:
    """`on`: whether this client has `fast-sig/1` at all."""

    def __init__(self, suite: Suite, emitter: Emitter, *, on: bool) -> None:
        self.on = on
        self.agreed = False  # on this link
        self._suite = suite
        self._emit = emitter
        self._own: OwnSession | None = None
        self._next: OwnSession | None = None  # told, and not acknowledged
        self._told_ms = 0  # monotonic
        self.doubted = False  # two were told: the present one is forgotten with the later of them

    def lost(self) -> None:
        """The link is gone, and our key with it."""
        self.agreed = self.doubted = False
        self._own = self._next = None

    def offered(self, features: tuple[str, ...], now: Now) -> Session | None:
        """What goes into our AUTH_PROOF to a server with these features. Costs a signature."""
        if not self.on or FAST_SIG not in features or BIND not in features:
            return None
        self._own = self._made(now)
        return self._own.stated

    def taken(
        self, envelope: Envelope, ack: Ack, server_id: str, key: PublicKey, now: Now
    ) -> tuple[OwnSession | None, PeerSession | None]:
        """The server took our hello: what we sign by on this link, and what it does. Raises
        PeerFault where it states a session key that is not its own.

        What it announces here counts, and not what AUTH_CHALLENGE said: that is signed by nobody,
        and it may have got a session key, or lost it, since.
        """
        self.agreed = self.on and FAST_SIG in ack.features and BIND in ack.features
        if not self.agreed:
            self._own = None
            return None, None
        stated = parse_as(FastAck, envelope.members).session
        if stated is None:
            return self._own, None
        return self._own, fast_sig.believed(self._suite, key, server_id, stated, now.wall)

    def followed(
        self, present: PeerSession | None, said: SessionKey, whose: tuple[PublicKey, str], now: Now
    ) -> PeerSession:
        """SESSION_KEY of our server (`whose`: its key and id). Raises PeerFault."""
        later = fast_sig.believed(self._suite, *whose, said.session, now.wall)
        session = later if present is None else present.followed_by(later)
        self._emit.send(Ack(msg_ref=SessionKey.TYPE), now)
        return session

    def due(self, now: Now) -> None:
        """Where ours is half over the server is told another, signed with the one before, which
        serves until this is acknowledged, or until it is told yet another."""
        if self._own is None or self._own.is_fresh(now.wall):
            return
        if self._next is None or now.mono - self._told_ms >= RETRY_MS:
            self.doubted = self._next is not None
            self._next, self._told_ms = self._made(now), now.mono
            self._emit.send(SessionKey(session=self._next.stated), now)

    def acked(self) -> OwnSession | None:
        """The server knows what we told last: from here on we sign with it. None: nothing new."""
        if self._next is None:
            return None
        self._own, self._next, self.doubted = self._next, None, False
        return self._own

    def _made(self, now: Now) -> OwnSession:
        return fast_sig.made(self._suite, self._emit.key, self._emit.user_id, now.wall)
