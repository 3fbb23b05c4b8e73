"""Servers come in, and we go to them: JOIN, LINK, ANNOUNCE and their proofs (sections 5 and 11)."""

from __future__ import annotations

from socp.crypto import signing
from socp.crypto.keys import PublicKey
from socp.node.dialling import Dialling
from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.handshake import Handshake, nonce_of
from socp.node.links import Link, Links, Stage
from socp.node.pairing import Pairing
from socp.node.records import PinOrigin
from socp.node.refusals import Refusals
from socp.node.settings import Settings
from socp.node.trust import ServerTrust, checked_id, checked_place, same_place
from socp.wire import base64url, limits
from socp.wire.addresses import HostPort
from socp.wire.bind import check_bind
from socp.wire.envelope import Envelope
from socp.wire.errors import Code, PeerFault
from socp.wire.features import FAST_SIG, LINK_AUTH
from socp.wire.ids import EVERYONE
from socp.wire.payloads import (
    Ack,
    AuthChallenge,
    AuthProof,
    Error,
    ServerAnnounce,
    ServerHello,
    ServerHelloJoin,
    ServerHelloLink,
    ServerWelcome,
)
from socp.wire.text import printable

ASKS_FOR_ID = ("", "auto")
OWN_DIAL_MS = 12_000  # a claim waits so long for our own dial, which the shell ends after 10 s


class Admission:
    """From the first frame between two servers to an admitted one."""

    def __init__(
        self,
        settings: Settings,
        handshake: Handshake,
        emitter: Emitter,
        links: Links,
        trust: ServerTrust,
        dialling: Dialling,
        pairing: Pairing,
        refusals: Refusals,
    ) -> None:
        self._settings = settings
        self._handshake = handshake
        self._emit = emitter
        self._links = links
        self._trust = trust
        self._dialling = dialling
        self._pairing = pairing
        self._refusals = refusals
        self._undecided: dict[LinkId, Link] = {}  # until our own dial finds who is there

    # --- they came to us ------------------------------------------------------------------------

    def hello(self, link: Link, envelope: Envelope, hello: ServerHello, now: Now) -> None:
        """First frame of a server. Its own key must have signed it, whoever it is."""
        if link.opened.browser:
            raise PeerFault(Code.NOT_ALLOWED, "a web page cannot be a server", close=1008)
        server_id = envelope.from_
        if server_id in ASKS_FOR_ID and isinstance(hello, ServerHelloJoin):
            server_id = link.opened.spare_id
        checked_id(server_id)
        if server_id == self._settings.server_id:
            raise PeerFault(Code.NAME_IN_USE, "that id is this server's own", close=1000)
        place = checked_place(hello.host, hello.port)
        key = self._trust.parse(hello.pubkey)
        if not signing.verify_transport(key, envelope):
            raise PeerFault(
                Code.INVALID_SIG, f"{envelope.type}: sig does not verify with pubkey", close=1008
            )
        self._pairing.check(link, server_id, key, hello.features, now)
        link.peer, link.key, link.hello = server_id, key, hello
        link.hello_to, link.address = envelope.from_, place
        if LINK_AUTH not in hello.features:
            link.features = hello.features
            return self._decide(link, now)
        link.nonce = nonce_of(hello.auth_nonce)
        link.move(Stage.CHALLENGED, now.mono)
        self._handshake.challenge(link, now)

    def proved(self, link: Link, envelope: Envelope, proof: AuthProof, now: Now) -> None:
        """AUTH_PROOF of a server: only now admission is decided.

        The proof alone could be one that the server gave to a user who came to it under our id,
        with our nonce as theirs: it signs that for whoever says hello (I4, M11).
        """
        self._handshake.check(link, link.hello_to, proof)
        assert link.hello is not None and link.key is not None
        if not signing.verify_transport(link.key, envelope):
            raise PeerFault(Code.INVALID_SIG, "AUTH_PROOF: sig does not verify", close=1008)
        link.features = link.hello.features
        self._handshake.sessions.proved(link, envelope, proof, now)
        self._decide(link, now)

    def _decide(self, link: Link, now: Now) -> None:
        """Admit, wait for our own dial to the place it claims to be, or turn away."""
        key, address = link.key, link.address
        assert key is not None and address is not None and link.hello is not None
        # Again: another link may have pinned this id, or proved more for it, since the hello.
        self._pairing.check(link, link.peer, key, link.hello.features, now)
        origin = self._trust.admission(link.peer, key, None)
        if origin is not None:
            return self._pairing.settle(link, origin, now)
        banned = key.fingerprint in self._trust.rulings
        if banned or not (self._trust.first_use(address) and link.opened.loopback):
            raise self._trust.turn_away(link.peer, key, address, now)
        if not self._dialling.at_once(address, now):
            raise self._trust.turn_away(link.peer, key, address, now)
        link.move(Stage.WAITING, now.mono)
        self._undecided[link.id] = link

    def our_dial_saw(self, server_id: str, key: PublicKey, now: Now) -> None:
        """Our own dial found this key: links that waited for just that are admitted now."""
        for link in self._waiting():
            if link.peer == server_id and link.key == key:
                try:
                    self._decide(link, now)
                except PeerFault as fault:
                    self._refusals.refuse(link, fault, now, what="hello")

    def _waiting(self) -> tuple[Link, ...]:
        """The links that wait for our own dial to the place they claim to be."""
        for link in tuple(self._undecided.values()):
            gone = link.id not in self._links.all or link.stage is not Stage.WAITING
            if gone or link in self._pairing.newcomers:
                del self._undecided[link.id]
        return tuple(self._undecided.values())

    def due(self, now: Now) -> None:
        """Our own dial found nobody there, or somebody else: the claim is refused as any is."""
        for link in self._waiting():
            if now.mono - link.since_ms > OWN_DIAL_MS and link.key is not None:
                fault = self._trust.turn_away(link.peer, link.key, link.address, now)
                self._refusals.refuse(link, fault, now, what="hello")

    # --- we went to them ------------------------------------------------------------------------

    def dialled(self, link: Link, now: Now) -> None:
        """Our dial went through: JOIN while we stand alone, LINK once we are in the mesh."""
        assert link.dialled is not None
        hello = ServerHelloLink if self._links.servers else ServerHelloJoin
        place = self._settings.address
        payload = hello(
            host=place.host,
            port=place.port,
            pubkey=self._handshake.own_key_text,
            features=self._handshake.sessions.features,
            auth_nonce=base64url.encode(link.opened.nonce),
        )
        link.announced = FAST_SIG in payload.features
        to = str(link.dialled) if hello is ServerHelloJoin else EVERYONE
        link.nonce = link.opened.nonce
        self._emit.send((link.id,), self._emit.frame(payload, to=to, ts=now.wall, bind=True))

    def challenged(self, link: Link, challenge: AuthChallenge, now: Now) -> None:
        """The server we dialled wants proof. We give it only to one we would link with."""
        assert link.dialled is not None
        key = self._trust.parse(challenge.pubkey)
        if challenge.server_id == self._settings.server_id:
            raise PeerFault(Code.NAME_IN_USE, "that address is this server's own", close=1000)
        checked_id(challenge.server_id)
        self._pairing.check(link, challenge.server_id, key, challenge.features, now)
        self._trust.saw(link.dialled, challenge.server_id, key)
        link.peer, link.key, link.features = challenge.server_id, key, challenge.features
        self._require_admission(link, key, now)
        nonce = nonce_of(challenge.nonce, "AUTH_CHALLENGE: nonce")
        preimage = signing.link_auth(
            self._settings.server_id, link.peer, nonce, link.opened.exporter
        )
        link.move(Stage.PROVING, now.mono)
        # The proof goes out unbound: `bind/1` begins with the frame that answers it.
        proof = AuthProof(session=self._handshake.sessions.offer(link))
        frame = self._emit.frame(
            proof, to=link.peer, ts=now.wall, bind=False, proofs=(("proof", preimage),)
        )
        self._emit.send((link.id,), frame)
        self._handshake.sessions.agree(link)
        self.our_dial_saw(link.peer, key, now)

    def answered(
        self, link: Link, envelope: Envelope, answer: Ack | ServerWelcome, now: Now
    ) -> None:
        """ACK or WELCOME on our dial: with `link-auth/1` its proof must hold,
        else its signature."""
        assert link.dialled is not None
        if link.stage is Stage.PROVING:
            self._check_answer_proof(link, envelope, answer)
        else:
            self._take_plain_answer(link, envelope, answer, now)
        key = link.key
        assert key is not None
        if not signing.verify_transport(key, envelope):
            raise PeerFault(Code.INVALID_SIG, f"{envelope.type}: sig does not verify", close=1008)
        self._handshake.sessions.answered(link, envelope, answer, now)
        self._pairing.check(link, link.peer, key, link.features, now)
        origin = self._require_admission(link, key, now)
        link.address = link.dialled
        self._dialling.found(link.dialled, link.peer)
        self._pairing.pin(link, origin, now)
        self.our_dial_saw(link.peer, key, now)
        self._pairing.keep_one(link, None, now)
        if isinstance(answer, ServerWelcome):
            self._learn(answer, now)

    def _check_answer_proof(
        self, link: Link, envelope: Envelope, answer: Ack | ServerWelcome
    ) -> None:
        key = link.key
        assert key is not None
        preimage = signing.link_auth(
            link.peer, self._settings.server_id, link.nonce, link.opened.exporter
        )
        if envelope.from_ != link.peer or not signing.verify(key, answer.proof, preimage):
            raise PeerFault(
                Code.INVALID_SIG,
                f"{envelope.type}: the proof over auth_nonce does not hold",
                close=1008,
            )
        if answer.features:  # AUTH_CHALLENGE, which said them too, is signed by nobody (M9)
            link.features = answer.features
        check_bind(envelope, answer, required=link.bound)
        link.proven = True

    def _take_plain_answer(
        self, link: Link, envelope: Envelope, answer: Ack | ServerWelcome, now: Now
    ) -> None:
        """A v1.3 server answers without challenge: its id and key are what it says they are."""
        assert link.dialled is not None
        server_id = answer.server_id or envelope.from_
        checked_id(server_id)
        pinned = self._trust.key(server_id)
        if answer.pubkey:
            key = self._trust.parse(answer.pubkey)
        elif pinned is not None:
            key = pinned
        else:
            raise PeerFault(
                Code.BAD_KEY, f"{envelope.type} without pubkey from a server not known", close=1008
            )
        if envelope.from_ != server_id:
            raise PeerFault(Code.NOT_ALLOWED, "from and server_id differ", close=1008)
        if LINK_AUTH in answer.features:
            # Who has it challenges us, as we asked: this may be an answer of theirs, replayed (I4).
            raise PeerFault(
                Code.INVALID_SIG,
                f"{envelope.type}: {LINK_AUTH} is announced and no AUTH_CHALLENGE came",
                close=1008,
            )
        self._pairing.check(link, server_id, key, answer.features, now)
        self._trust.saw(link.dialled, server_id, key)
        link.peer, link.key, link.features = server_id, key, answer.features

    def _require_admission(self, link: Link, key: PublicKey, now: Now) -> PinOrigin:
        origin = self._trust.admission(link.peer, key, link.dialled)
        if origin is None:
            raise self._trust.turn_away(link.peer, key, link.dialled, now)
        return origin

    def refused(self, link: Link, error: Error, now: Now) -> None:
        """Who we dialled, or who came and was challenged, answered with an ERROR."""
        said = printable(f"{error.code}: {error.detail}"[: limits.ERROR_DETAIL_CHARS])
        if error.code != Code.NAME_IN_USE:
            self._refusals.tell(link, "us", f"{_described(link)} refused us: {said}", now)
        link.move(Stage.CLOSING, now.mono)
        self._emit.close(link, 1000, "refused")

    def _learn(self, welcome: ServerWelcome, now: Now) -> None:
        """Dial every listed server that we may link with, and announce ourselves to all."""
        for row in welcome.servers:
            try:
                key = self._trust.parse(row.pubkey)
                place = checked_place(row.host, row.port)
            except PeerFault:
                continue  # one bad row does not cost us the others
            known = self._trust.admission(row.server_id, key, None)
            if known is not None or self._trust.first_use(place):
                self._dialling.learn(place, row.server_id, key.fingerprint)
        place = self._settings.address
        announce = ServerAnnounce(
            host=place.host,
            port=place.port,
            pubkey=self._handshake.own_key_text,
            features=self._handshake.sessions.features,
        )
        self._emit.send(
            self._links.server_links(),
            self._emit.frame(announce, to=EVERYONE, ts=now.wall, bind=True),
        )

    # --- established links ----------------------------------------------------------------------

    def announced(self, link: Link, envelope: Envelope, announce: ServerAnnounce, now: Now) -> None:
        """SERVER_ANNOUNCE of a linked server: where it listens now."""
        if link.key is None or self._trust.parse(announce.pubkey) != link.key:
            raise PeerFault(Code.BAD_KEY, "SERVER_ANNOUNCE: pubkey is not the one of this link")
        address = checked_place(announce.host, announce.port)
        known = self._trust.pins.get(link.peer)
        if known is not None and not same_place(HostPort(known.host, known.port), address):
            self._trust.with_address(link.peer, address)
        self._dialling.learn(address, link.peer, link.key.fingerprint)


def _described(link: Link) -> str:
    """For the log: who refused us, with the key that the operator may want to admit."""
    if link.dialled is not None:
        return f"Peer ws://{link.dialled}"
    if isinstance(link.hello, ServerHello) and link.key is not None:
        return f"Peer ws://{link.address} with key {link.key.fingerprint}"
    return f"User {link.peer} at {link.opened.address}"
