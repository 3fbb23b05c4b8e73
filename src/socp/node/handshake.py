"""The `link-auth/1` steps that users and servers share (section 11):
challenge, proof, our own proof."""

from __future__ import annotations

from socp.crypto import signing
from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.links import Link
from socp.node.sessions import Sessions
from socp.node.settings import Settings
from socp.wire import base64url
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import AuthChallenge, AuthProof, FastAck

NONCE_BYTES = 32

Proofs = tuple[tuple[str, bytes], ...]


def nonce_of(text: str, name: str = "auth_nonce") -> bytes:
    """The raw bytes of a nonce. Raises PeerFault(BAD_FRAME)."""
    nonce = base64url.decode(text)
    if len(nonce) != NONCE_BYTES:
        raise PeerFault(
            Code.BAD_FRAME, f"{name} must be {NONCE_BYTES} bytes in base64url", close=1008
        )
    return nonce


class Handshake:
    """Signs nothing itself: what we prove goes out as bytes for the shell to sign."""

    def __init__(
        self, settings: Settings, own_key_text: str, emitter: Emitter, sessions: Sessions
    ) -> None:
        self._own_id = settings.server_id
        self.sessions = sessions
        self.own_key_text = own_key_text
        self._emit = emitter

    def challenge(self, link: Link, now: Now) -> None:
        """AUTH_CHALLENGE: unsigned and unbound, so that work before proof is cheap."""
        payload = AuthChallenge(
            nonce=base64url.encode(link.opened.nonce),
            server_id=self._own_id,
            pubkey=self.own_key_text,
            features=self.sessions.features,
        )
        self._emit.say(link, payload, now, signed=False)

    def check(self, link: Link, said_id: str, proof: AuthProof) -> None:
        """The dialler's proof, its id as it said it. Raises PeerFault(INVALID_SIG) and closes."""
        preimage = signing.link_auth(said_id, self._own_id, link.opened.nonce, link.opened.exporter)
        if link.key is None or not signing.verify(link.key, proof.proof, preimage):
            raise PeerFault(Code.INVALID_SIG, "AUTH_PROOF does not hold for your key", close=1008)
        link.proven = True

    def own_proof(self, link: Link, said_id: str) -> Proofs:
        """Ours over their `auth_nonce`, where they proved theirs."""
        if not link.proven:
            return ()
        preimage = signing.link_auth(self._own_id, said_id, link.nonce, link.opened.exporter)
        return (("proof", preimage),)

    def ack(self, link: Link, of: str) -> FastAck:
        """The answer to a hello of type `of`."""
        return FastAck(
            msg_ref=of,
            server_id=self._own_id,
            pubkey=self.own_key_text,
            features=self.sessions.features,
            session=self.sessions.offer(link),
        )
