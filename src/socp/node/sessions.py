"""Session keys (`fast-sig/1`, section 11): ours, and those of the other ends of our links.

A link agrees to them where both ends announced them and `bind/1` and the dialler proved itself.
Then each end signs what goes no further with its session key, and takes such signatures from the
other end once that has stated its own. What we do not state, because the shell gave us none, we
do not announce either.
"""

from __future__ import annotations

from socp.crypto import fast_sig
from socp.crypto.fast_sig import OwnSession
from socp.crypto.keys import Suite
from socp.crypto.signing import verify_transport
from socp.node.effects import RenewSession
from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.links import Link, Links, Stage
from socp.wire.envelope import Envelope
from socp.wire.errors import Code, PeerFault
from socp.wire.features import FAST_SIG, SERVER_FEATURES
from socp.wire.payloads import (
    Ack,
    AuthProof,
    FastAck,
    FastWelcome,
    ServerWelcome,
    Session,
    SessionKey,
    parse_as,
)

LOOK_MS = 60_000  # between two looks at the clock
ATTACHED = (Stage.USER, Stage.SERVER)


class Sessions:
    """`own` is None where we do without, and while none is good."""

    def __init__(self, suite: Suite, emitter: Emitter, links: Links) -> None:
        self._suite = suite
        self._emit = emitter
        self._links = links
        self.own: OwnSession | None = None
        self._wanted = False  # we have had one
        self._look_ms = 0  # monotonic

    @property
    def features(self) -> tuple[str, ...]:
        """What this server announces."""
        return SERVER_FEATURES if self.own is None else (*SERVER_FEATURES, FAST_SIG)

    # --- ours -----------------------------------------------------------------------------------

    def renewed(self, own: OwnSession, now: Now) -> None:
        """The first one, or one that follows: told on every link that agreed."""
        self.own, self._wanted = own, True
        for link in tuple(self._links.all.values()):
            if link.agreed and link.stage in ATTACHED:
                self._tell(link, now)

    def _tell(self, link: Link, now: Now) -> None:
        """Signed with the one that the other end knows, which serves until this is acknowledged:
        our clock may be off, or theirs."""
        if self.own is not None and link.fast is not self.own:
            link.told = self.own
            self._emit.say(link, SessionKey(session=self.own.stated), now)

    def acked(self, link: Link) -> None:
        """ACK of our SESSION_KEY: the other end knows what we told last."""
        if link.told is not None:
            link.fast, link.told = link.told, None

    def due(self, now: Now) -> None:
        """Ask for a new one in time; one whose time is over signs nothing more, and one that our
        clock has not come to again is stated to nobody."""
        if not self._wanted or (self._own_counts(now) and now.mono < self._look_ms):
            return
        self._look_ms = now.mono + LOOK_MS
        if not self._own_counts(now):
            self.own = None
        for link in self._links.all.values():
            if link.fast is not None and not link.fast.is_good(now.wall):
                link.fast = None
        if self.own is None or not self.own.is_fresh(now.wall):
            self._emit.add(RenewSession())

    def _own_counts(self, now: Now) -> bool:
        """True also where we have none: then another is on its way."""
        own = self.own
        return own is None or (own.is_good(now.wall) and own.has_begun(now.wall))

    # --- as a link begins -----------------------------------------------------------------------

    def offer(self, link: Link) -> Session | None:
        """What goes beside our features to the other end, where it knows what that is."""
        return self.own.stated if self.own is not None and link.can_agree else None

    def agree(self, link: Link) -> None:
        """What `offer` gave is on its way: from here on we sign with it."""
        if self.own is not None and link.can_agree:
            link.agreed, link.fast = True, self.own

    def settled(self, link: Link, now: Now) -> None:
        """The link is attached: what we renewed since our offer is told now."""
        if link.agreed:
            self._tell(link, now)

    def proved(self, link: Link, envelope: Envelope, proof: AuthProof, now: Now) -> None:
        """AUTH_PROOF holds: with the session key of who dialled, if it states one. Raises
        PeerFault and closes.

        Only `sig` says that this key belongs to this proof: else an older one could be put in its
        place on the way.
        """
        if not self._wanted or not link.can_agree or proof.session is None:
            return
        if link.key is None or not verify_transport(link.key, envelope):
            raise PeerFault(
                Code.INVALID_SIG, "AUTH_PROOF: sig does not verify over session", close=1008
            )
        self._believe(link, proof.session, now)
        link.agreed = True

    def answered(
        self, link: Link, envelope: Envelope, answer: Ack | ServerWelcome, now: Now
    ) -> None:
        """ACK or WELCOME on our dial, which its sender's own key signed: only this says whether
        the other end agrees. AUTH_CHALLENGE, by which we made our offer, is signed by nobody, and
        its sender may have got a session key, or lost it, since.
        """
        stated = self._stated(link, envelope, answer)
        told = link.agreed and link.can_agree and FAST_SIG in answer.features
        link.agreed = stated is not None or told
        if not link.agreed:
            link.fast = None
        if stated is not None:
            self._believe(link, stated, now)

    def _stated(
        self, link: Link, envelope: Envelope, answer: Ack | ServerWelcome
    ) -> Session | None:
        """The session key in an answer, where it may have one: else that is an unknown member."""
        theirs = FAST_SIG in (*link.features, *answer.features)
        if not (link.announced and theirs and link.bound and link.has_link_auth):
            return None
        if isinstance(answer, ServerWelcome):
            return parse_as(FastWelcome, envelope.members).session
        return parse_as(FastAck, envelope.members).session

    def _believe(self, link: Link, stated: Session, now: Now) -> None:
        assert link.key is not None
        try:
            link.session = fast_sig.believed(self._suite, link.key, link.peer, stated, now.wall)
        except PeerFault as fault:
            fault.close = 1008
            raise

    # --- as it goes on --------------------------------------------------------------------------

    def heard(self, link: Link, said: SessionKey, now: Now) -> None:
        """SESSION_KEY: what the other end signs with from here on. Raises PeerFault."""
        if not link.agreed:
            raise PeerFault(Code.NOT_ALLOWED, f"SESSION_KEY: this link did not agree to {FAST_SIG}")
        assert link.key is not None
        later = fast_sig.believed(self._suite, link.key, link.peer, said.session, now.wall)
        link.session = later if link.session is None else link.session.followed_by(later)
        self._emit.say(link, Ack(msg_ref=SessionKey.TYPE), now)
