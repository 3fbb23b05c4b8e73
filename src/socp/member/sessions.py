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
from socp.wire import limits
from socp.wire.envelope import Envelope
from socp.wire.features import BIND, FAST_SIG
from socp.wire.payloads import Ack, FastAck, Session, SessionKey, parse_as

RENEW_MS: Final = limits.SESSION_MS // 2


class Sessions:
    """`on`: whether this client has `fast-sig/1` at all."""

    def __init__(self, suite: Suite, emitter: Emitter, *, on: bool) -> None:
        self.on = on
        self._suite = suite
        self._emit = emitter
        self._own: OwnSession | None = None

    def lost(self) -> None:
        """The link is gone, and our key with it."""
        self._own = None

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
        PeerFault where it states a session key that is not its own."""
        if self._own is None or FAST_SIG not in ack.features or BIND not in ack.features:
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
        return later if present is None else present.followed_by(later)

    def renewed(self, now: Now) -> OwnSession | None:
        """The next one, where ours is half over: told to the server, signed by the one before."""
        own = self._own
        if own is None or own.stated.until_ts - now.wall >= RENEW_MS:
            return None
        self._own = self._made(now)
        self._emit.send(SessionKey(session=self._own.stated), now)
        return self._own

    def _made(self, now: Now) -> OwnSession:
        return fast_sig.made(self._suite, self._emit.key, self._emit.user_id, now.wall)
