"""What a server of the simulation says, as bytes: signed with its key, proofs filled in."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from socp.crypto.keys import PrivateKey
from socp.crypto.signing import sign
from socp.node.effects import Outgoing
from socp.sim.frames import Shared
from socp.wire import strict
from socp.wire.canonical import canonical
from socp.wire.envelope import encode
from socp.wire.ids import EVERYONE

Bend = Callable[[Outgoing], Outgoing | None]
"""A server gone bad: what it says instead, before it is signed; None to say nothing."""


class Signer:
    """What is for everybody is signed once for as long as the brain keeps it, as `server/` has it:
    whoever hears it, now or later, hears the same bytes."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key
        self._kept: WeakKeyDictionary[Outgoing, Shared] = WeakKeyDictionary()
        self.bend: Bend | None = None

    def data(self, said: Outgoing | bytes) -> bytes | None:
        """The bytes of a frame; None where nothing is to be said."""
        if isinstance(said, bytes):
            return said
        if self.bend is not None:
            bent = self.bend(said)
            return None if bent is None else self._whole(bent)
        if said.to != EVERYONE:
            return self._signed(said)
        kept = self._kept.get(said)
        if kept is None:
            kept = self._kept[said] = Shared(self._signed(said))
        return kept

    def _signed(self, said: Outgoing) -> bytes:
        if said.proofs or said.verbatim:
            return self._whole(said)
        return _framed(said, said.payload, self._sig(said, said.payload))  # which is canonical

    def _whole(self, said: Outgoing) -> bytes:
        members = strict.loads(said.payload)
        assert isinstance(members, dict)
        for name, preimage in said.proofs:
            members[name] = sign(self._key, preimage)
        text = canonical(members)
        return _framed(said, said.payload if said.verbatim else text, self._sig(said, text))

    def _sig(self, said: Outgoing, text: bytes) -> str:
        if not said.signed:
            return ""
        return sign(self._key, text) if said.fast is None else said.fast.sign(text)


def _framed(said: Outgoing, payload: bytes, sig: str) -> bytes:
    return encode(said.type, said.from_, said.to, said.ts, payload, sig)
