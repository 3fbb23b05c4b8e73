"""From an open socket to an attached client: hello, challenge, proof, clock (sections 2, 6 and
11)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from socp.crypto import signing
from socp.crypto.fast_sig import PeerSession
from socp.crypto.fields import NONCE_BYTES
from socp.crypto.keys import PublicKey, Suite
from socp.member.clock import Clock
from socp.member.effects import Disconnect, Online
from socp.member.emitter import Emitter, Terms
from socp.member.events import Connected, Now
from socp.member.own_key import REPLACED, REVOKED, OwnKey
from socp.member.profile import Profile
from socp.member.resting import NEVER_MS, SOON_MS
from socp.member.servers import ServerRefused, Servers
from socp.member.sessions import Sessions
from socp.wire import base64url, limits
from socp.wire.bind import check_bind
from socp.wire.envelope import Envelope
from socp.wire.errors import Code, PeerFault
from socp.wire.features import BIND, FAST_SIG, LINK_AUTH, MAILBOX, ROTATE, USER_FEATURES
from socp.wire.ids import EVERYONE
from socp.wire.payloads import (
    Ack,
    Attach,
    AuthChallenge,
    AuthProof,
    Error,
    SessionKey,
    UserHello,
    UserMeta,
)
from socp.wire.text import printable

SILENT_MS: Final = 3_000
"""COMPAT(section 13): some servers answer a hello with nothing at all; so long is waited for
more."""
ANSWER_MS: Final = (limits.PROOF_S + limits.PING_S) * 1000
DETAIL_COLUMNS: Final = 200

REFUSALS: Final[dict[str, tuple[str, bool]]] = {
    Code.NAME_IN_USE: ("this profile is attached on another link; close that client first", True),
    Code.BAD_KEY: (
        "the server knows this user id with another key; use the profile that made it,"
        " or a new one (--as NAME)",
        False,
    ),
    Code.NOT_ALLOWED: ("the server does not let this client in", False),
    Code.INVALID_SIG: ("the server says that our proof does not hold", False),
    Code.RATE_LIMITED: ("the server has too much to do; it is tried again in a while", True),
}
"""What an ERROR on our hello means to the person, and whether trying again can help."""


class Stage(Enum):
    """Where the link stands."""

    OFF = auto()
    GREETED = auto()  # USER_HELLO is out
    PROVED = auto()  # AUTH_PROOF is out
    ATTACHED = auto()
    REPLACED = auto()  # the server knows a later key of ours: only our last word is taken
    ENDING = auto()  # Disconnect is out


@dataclass(frozen=True, slots=True)
class Attached:
    """The server at the other end. `key` None: it never said one."""

    server_id: str
    key: PublicKey | None
    features: tuple[str, ...]
    proven: bool
    since_ts: int  # Unix ms, the server's clock
    session: PeerSession | None = None  # its session key, where it stated one to us

    @property
    def mailbox(self) -> bool:
        """Whether it keeps mail for us and for those we write to (section 11)."""
        return self.proven and MAILBOX in self.features


class Session:
    """One link at a time. `server` is None until the server took our hello."""

    def __init__(
        self, profile: Profile, suite: Suite, emitter: Emitter, servers: Servers, own: OwnKey
    ) -> None:
        self._profile = profile
        self._suite = suite
        self._emit = emitter
        self._servers = servers
        self._own = own
        self._sessions = Sessions(suite, emitter, on=profile.fast_sig)
        self._features = (*USER_FEATURES, FAST_SIG) if profile.fast_sig else USER_FEATURES
        self.clock = Clock(emitter)
        self.server: Attached | None = None
        self._stage = Stage.OFF
        self._since_ms = 0
        self._heard = False  # a frame that tells the time came on this link
        self._opened = Connected(b"")
        self._challenge: AuthChallenge | None = None
        self._server_key: PublicKey | None = None

    # --- the walk -------------------------------------------------------------------------------

    def connected(self, event: Connected, now: Now) -> None:
        """The socket is open: say hello."""
        if self._own.revoked:
            return self._end(REVOKED, retry=False)
        last = self._servers.last_at(self._profile.server_url)
        self._opened, self._heard, self._challenge = event, False, None
        self.clock.connected()
        self._move(Stage.GREETED, now)
        self._emit.terms = Terms(last.server_id if last is not None else "")
        key = self._emit.key.public.text
        hello = UserHello(
            client=self._profile.client,
            pubkey=key,
            enc_pubkey=key,
            features=self._features,
            meta=UserMeta(display_name=self._profile.display_name),
            auth_nonce=base64url.encode(event.nonce),
            invitation=self._profile.invitation,
            rotations=self._own.chain,
        )
        return self._emit.send(hello, now, to=self._emit.terms.server_id or EVERYONE)

    def lost(self) -> None:
        """The socket is gone."""
        self._own.lost()
        self._sessions.lost()
        self.server = None
        self._stage = Stage.OFF
        self._emit.terms = Terms()

    def challenged(self, challenge: AuthChallenge, now: Now) -> None:
        """AUTH_CHALLENGE: answer it where the key is the one we know for this server."""
        if self._stage is not Stage.GREETED:
            return None
        nonce = base64url.decode(challenge.nonce)
        if len(nonce) != NONCE_BYTES or LINK_AUTH not in challenge.features:
            return self._end("the server's AUTH_CHALLENGE makes no sense", retry=True)
        self._server_key = self._suite.parse_public(challenge.pubkey)
        try:
            self._servers.check_key(challenge.server_id, self._server_key)
        except ServerRefused as refused:
            return self._refuse(refused)
        self._challenge = challenge
        self._emit.terms = Terms(challenge.server_id, BIND in challenge.features)
        self._emit.send(self._proof(challenge, nonce, now), now)
        self._move(Stage.PROVED, now)

    def _proof(self, challenge: AuthChallenge, nonce: bytes, now: Now) -> AuthProof:
        own_id, key = self._profile.user_id, self._emit.key
        preimage = signing.link_auth(own_id, challenge.server_id, nonce, self._opened.exporter)
        proof = signing.sign(key, preimage)
        if not self.clock.sure:
            return AuthProof(proof=proof)
        attach = signing.attach(own_id, challenge.server_id, now.wall, self._features)
        return AuthProof(
            proof=proof,
            attach=Attach(ts=now.wall, sig=signing.sign(key, attach)),
            session=self._sessions.offered(challenge.features, now),
        )

    def welcomed(self, envelope: Envelope, ack: Ack, now: Now) -> None:
        """The ACK of our hello: the server proves itself in turn, or never was asked to."""
        if self._stage is Stage.REPLACED:
            if self._server_says_so(envelope, ack):
                self._own.acked(ack.msg_ref)
            return None
        if self._stage is Stage.PROVED:
            return self._proven(envelope, ack, now)
        if self._stage is Stage.GREETED:
            self._unproven(ack.server_id or envelope.from_, ack, envelope.ts, now)

    def _proven(self, envelope: Envelope, ack: Ack, now: Now) -> None:
        challenge, key = self._challenge, self._server_key
        assert challenge is not None and key is not None
        if not self._proof_holds(envelope, ack, challenge, key):
            return self._refuse(
                ServerRefused(
                    f"the server {printable(challenge.server_id, width=40)} could not prove its"
                    " key: somebody may stand between you and it; try another network, or wss://"
                )
            )
        try:
            self._servers.check_features(challenge.server_id, ack.features)
        except ServerRefused as refused:
            return self._refuse(refused)
        if not self.clock.sure:
            return self._sure_of_the_clock(envelope.ts, now)
        try:
            own, session = self._sessions.taken(envelope, ack, challenge.server_id, key, now)
        except PeerFault as fault:
            return self._end(
                f"the server's session key cannot be used ({fault.detail})", retry=True
            )
        self._attach(
            Attached(challenge.server_id, key, ack.features, True, envelope.ts, session), now
        )
        self._emit.terms = replace(self._emit.terms, fast=own)

    def _proof_holds(
        self, envelope: Envelope, ack: Ack, challenge: AuthChallenge, key: PublicKey
    ) -> bool:
        preimage = signing.link_auth(
            challenge.server_id,
            self._profile.user_id,
            self._opened.nonce,
            self._opened.exporter,
        )
        if not signing.verify(key, ack.proof, preimage):
            return False
        if not signing.verify_transport(key, envelope):
            return False
        try:
            check_bind(envelope, ack, required=BIND in ack.features)
        except PeerFault:
            return False
        return envelope.from_ == challenge.server_id

    def _unproven(self, server_id: str, ack: Ack, ts: int, now: Now) -> None:
        """COMPAT(section 13): a server without `link-auth/1`. One that once had it is refused
        (M9)."""
        try:
            self._servers.check_unproven(server_id, self._profile.server_url)
        except ServerRefused as refused:
            return self._refuse(refused)
        key = self._suite.parse_public(ack.pubkey) if ack.pubkey else None
        features = ack.features if key is not None else ()
        self._attach(Attached(server_id, key, features, proven=False, since_ts=ts), now)

    def talked_at_once(self, envelope: Envelope, now: Now) -> None:
        """COMPAT(section 13): no ACK, but presence or the like: the server took our hello.

        Not where the last server at this address proved itself: that one begins with a challenge.
        """
        if self._stage is Stage.GREETED and not self._must_prove():
            self._unproven(envelope.from_, Ack(), envelope.ts, now)

    def _must_prove(self) -> bool:
        last = self._servers.last_at(self._profile.server_url)
        return last is not None and bool(last.features)

    def _attach(self, server: Attached, now: Now) -> None:
        self._move(Stage.ATTACHED, now)
        self.server = server
        self._emit.terms = Terms(server.server_id, BIND in server.features, server.mailbox)
        first_seen = self._servers.attached(
            server.server_id,
            server.key,
            server.features if server.proven else (),
            self._profile.server_url,
            now.wall,
        )
        fingerprint = "" if server.key is None else server.key.fingerprint
        self._own.attached(takes=server.proven and ROTATE in server.features)
        self._emit.tell(Online(server.server_id, fingerprint, server.proven, first_seen))

    @property
    def due_ms(self) -> int:
        """When to look at it next."""
        return SOON_MS if self._stage in (Stage.GREETED, Stage.PROVED) else NEVER_MS

    def renewed(self, said: SessionKey, now: Now) -> None:
        """SESSION_KEY: what our server signs with from here on. Raises PeerFault."""
        server = self.server
        assert server is not None
        if server.key is None or not self._sessions.agreed:
            return
        whose = (server.key, server.server_id)
        session = self._sessions.followed(server.session, said, whose, now)
        self.server = replace(server, session=session)

    def acked(self) -> None:
        """Our server took our SESSION_KEY."""
        fast = self._sessions.acked()
        if fast is not None:
            self._emit.terms = replace(self._emit.terms, fast=fast)

    def due(self, now: Now) -> None:
        """Our session key is half over: another one. Nobody answers: go on without, or give up."""
        if self._stage is Stage.ATTACHED:
            self._sessions.due(now)
            fast = self._emit.terms.fast
            if fast is not None and (self._sessions.doubted or not fast.is_good(now.wall)):
                self._emit.terms = replace(self._emit.terms, fast=None)
        waited = now.mono - self._since_ms
        if self._stage is Stage.GREETED and waited > SILENT_MS and not self._must_prove():
            self._unproven("", Ack(), now.wall, now)
        elif self._stage in (Stage.GREETED, Stage.PROVED) and waited > ANSWER_MS:
            self._end("the server did not answer our hello; it is tried again", retry=True)

    # --- what goes wrong ------------------------------------------------------------------------

    def refused(self, envelope: Envelope, error: Error, now: Now) -> None:
        """An ERROR before we were attached."""
        if self._stage is Stage.REPLACED and self._server_says_so(envelope, error):
            said = printable(error.detail, width=DETAIL_COLUMNS)
            return self._own.failed(error.msg_ref, f"{printable(error.code, width=40)}: {said}")
        if self._stage not in (Stage.GREETED, Stage.PROVED):
            return None
        offset = self.clock.off_by(error, now)
        if offset is not None:
            self.clock.correct_once(offset)
            return self._end("the clock was off; it is tried again with the server's", retry=True)
        if error.code == Code.BAD_KEY and self._own.refused():
            return self._end("the server knows our new key already; on with that", retry=True)
        if error.code == Code.BAD_KEY and self._takes_last_word(envelope, error):
            return self._replaced(now)
        said = printable(error.detail, width=DETAIL_COLUMNS)
        sentence, retry = REFUSALS.get(error.code, ("the server refused our hello", True))
        self._end(f"{sentence} ({printable(error.code, width=40)}: {said})", retry=retry)

    def _takes_last_word(self, envelope: Envelope, error: Error) -> bool:
        """Whether the server whose key we know says that our key was replaced. Nobody else may:
        who believes it may end the id."""
        challenge = self._challenge
        if self._stage is not Stage.PROVED or challenge is None:
            return False
        return ROTATE in challenge.features and self._server_says_so(envelope, error)

    def _server_says_so(self, envelope: Envelope, payload: Ack | Error) -> bool:
        challenge, key = self._challenge, self._server_key
        assert challenge is not None and key is not None
        try:
            check_bind(envelope, payload, required=BIND in challenge.features)
        except PeerFault:
            return False
        return envelope.from_ == challenge.server_id and signing.verify_transport(key, envelope)

    def _replaced(self, now: Now) -> None:
        """The link stays for a while, so that the person can end the id."""
        self._move(Stage.REPLACED, now)
        self._emit.warn_once("key replaced", REPLACED)
        self._own.replaced(now)

    def heard(self, envelope: Envelope, now: Now) -> None:
        """The server's first answer tells its time: a clock that is far off follows it."""
        if self._heard or self._stage not in (Stage.GREETED, Stage.PROVED):
            return
        self._heard = True
        self.clock.hear(envelope.ts, now)

    def clock_refused(self, offset_ms: int) -> None:
        """An ERROR on an attached link says by how much our clock is off."""
        self.clock.correct(offset_ms)
        self.clock.sure = self._emit.terms.bound

    def _sure_of_the_clock(self, ts: int, now: Now) -> None:
        """The server has signed its time: start over, and say with it where we are.

        What says so before anybody proved anything may be somebody on the way, who would like our
        signature under an `attach` of another day (threat I3).
        """
        self.clock.hear(ts, now)
        self.clock.sure = True
        self._end("the clock was off; on with the server's time", retry=True)

    def _refuse(self, refused: ServerRefused) -> None:
        self._emit.warn(str(refused))
        self._end(str(refused), retry=False)

    def _end(self, reason: str, *, retry: bool) -> None:
        self._stage = Stage.ENDING
        self._emit.add(Disconnect(reason, retry))

    def _move(self, stage: Stage, now: Now) -> None:
        self._stage, self._since_ms = stage, now.mono
