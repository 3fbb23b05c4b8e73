"""Nonces for users who prove themselves over HTTP, each good for one request (section 10)."""

from __future__ import annotations

from collections import OrderedDict

from socp.crypto import signing
from socp.crypto.keys import PublicKey
from socp.node.calls import CallRefused, Challenged, Proof, Why
from socp.node.events import Now

CHALLENGE_MS = 60_000
CHALLENGES_MAX = 10_000  # the oldest makes room: asking again costs its owner one request


class Challenges:
    """Nothing is signed that one side chose alone (threat M11): ours is in here."""

    def __init__(self, server_id: str) -> None:
        self._server_id = server_id
        self._open: OrderedDict[bytes, tuple[str, int]] = OrderedDict()

    def begin(self, user_id: str, nonce: bytes, now: Now) -> Challenged:
        while self._open and next(iter(self._open.values()))[1] <= now.mono:
            self._open.popitem(last=False)
        if len(self._open) >= CHALLENGES_MAX:
            self._open.popitem(last=False)
        self._open[nonce] = (user_id, now.mono + CHALLENGE_MS)
        return Challenged(self._server_id, nonce, CHALLENGE_MS)

    def redeem(self, user_id: str, proof: Proof, now: Now) -> None:
        """Raises CallRefused(NOT_PROVEN). One nonce is for one try, good or bad: costs no RSA."""
        owner, until = self._open.pop(proof.server_nonce, ("", 0))
        if owner != user_id or until <= now.mono:
            raise _unproven("its nonce is not ours, not for this user, used or over a minute old")

    def check(self, user_id: str, key: PublicKey | None, proof: Proof) -> None:
        """Raises CallRefused(NOT_PROVEN)."""
        said = signing.login(user_id, self._server_id, proof.client_nonce, proof.server_nonce)
        if key is None or not signing.verify(key, proof.sig, said):
            raise _unproven("the signature does not hold for this request and this user's key")


def _unproven(what: str) -> CallRefused:
    return CallRefused(Why.NOT_PROVEN, f"not proven: {what}; ask for a new challenge and sign that")
