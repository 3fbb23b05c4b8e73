"""Frames of ours on their way out: the signature of one, which costs milliseconds, is made when its
bytes are first asked for, so that a shell can have it made in a thread."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from socp.crypto.keys import PrivateKey
from socp.crypto.signing import sign
from socp.wire.envelope import encode
from socp.wire.payloads import Payload, members_bytes

_OVERHEAD_BYTES: Final = 1_024  # of an envelope around its payload: addresses, names and `sig`


@dataclass(frozen=True, slots=True)
class Ready:
    """One that was signed before."""

    data: bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)


class Unsigned:
    """What is said, and the key that it will be signed with: the present one, whatever follows."""

    def __init__(self, key: PrivateKey, payload: Payload, *, from_: str, to: str, ts: int) -> None:
        self._key = key
        self._names = (type(payload).TYPE, from_, to, ts)
        self._members = members_bytes(payload)  # canonical: what is sent is what is signed

    @property
    def size(self) -> int:
        """Bytes, about: known before it is signed."""
        return len(self._members) + _OVERHEAD_BYTES

    @cached_property
    def data(self) -> bytes:
        """The frame. Costs a signature the first time; in any thread, one at a time."""
        return encode(*self._names, self._members, sign(self._key, self._members))


OwnFrame = Ready | Unsigned
