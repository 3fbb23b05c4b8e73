"""Frames of ours on their way out: the signature of one, where it costs milliseconds, is made when
its bytes are first asked for, so that a shell can have it made in a thread."""

from __future__ import annotations

from functools import cached_property
from typing import Final, Self

import msgspec

from socp.crypto.fast_sig import OwnSession
from socp.crypto.keys import PrivateKey
from socp.crypto.signing import sign
from socp.wire import limits
from socp.wire.envelope import Envelope, encode
from socp.wire.payloads import Payload, members_bytes

QUICK_BYTES: Final = 16 * limits.KIB
"""So much is signed by a session key in less time than it takes to ask a thread to."""
_OVERHEAD_BYTES: Final = 1_024  # of an envelope around its payload: addresses, names and `sig`


class Ready(msgspec.Struct, frozen=True):
    """One that was signed before."""

    data: bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)


class Unsigned:
    """What is said, and the key that it will be signed with: the present one, whatever follows."""

    def __init__(
        self, key: PrivateKey | OwnSession, payload: Payload, *, from_: str, to: str, ts: int
    ) -> None:
        self._key = key
        self._names = (type(payload).TYPE, from_, to, ts)
        self._members = members_bytes(payload)  # canonical: what is sent is what is signed

    @classmethod
    def again(cls, key: PrivateKey | OwnSession, frame: Envelope) -> Self:
        """A frame of ours that was signed for another link."""
        again = cls.__new__(cls)
        again._key = key
        again._names = (frame.type, frame.from_, frame.to, frame.ts)
        again._members = frame.payload
        return again

    @property
    def size(self) -> int:
        """Bytes, about: known before it is signed."""
        return len(self._members) + _OVERHEAD_BYTES

    @property
    def is_quick(self) -> bool:
        """Whether its signature takes no time worth a thread."""
        return isinstance(self._key, OwnSession) and len(self._members) <= QUICK_BYTES

    @cached_property
    def data(self) -> bytes:
        """The frame. Costs a signature the first time; in any thread, one at a time."""
        key, members = self._key, self._members
        sig = key.sign(members) if isinstance(key, OwnSession) else sign(key, members)
        return encode(*self._names, members, sig)


OwnFrame = Ready | Unsigned
