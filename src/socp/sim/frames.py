"""Frames by hand, for whoever plays a part that no honest program plays."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from socp.crypto.keys import PrivateKey
from socp.crypto.signing import sign_transport
from socp.wire.canonical import canonical
from socp.wire.envelope import Envelope, decode, encode
from socp.wire.ids import EVERYONE


class Shared(bytes):
    """A frame that goes to many."""

    @cached_property
    def envelope(self) -> Envelope:
        """Decoded once for all of them, which changes nothing: nobody changes an envelope. Raises
        PeerFault, each time. Who passes it on, now or later, passes on this very object."""
        envelope = decode(self)
        if envelope.again == self:
            envelope.__dict__["again"] = self
        return envelope


def arrived(data: bytes) -> Envelope:
    """What `decode` says of these bytes. Raises PeerFault."""
    return data.envelope if isinstance(data, Shared) else decode(data)


def frame(
    kind: str,
    members: Mapping[str, object],
    *,
    from_: str,
    ts: int,
    to: str = EVERYONE,
    key: PrivateKey | None = None,
    bind: bool = False,
) -> bytes:
    """One encoded frame, `ts` Unix ms; unsigned without `key`, with `bind/1` where `bind`."""
    said = dict(members)
    if bind:
        said["bind"] = {"type": kind, "from": from_, "to": to, "ts": ts}
    sig = "" if key is None else sign_transport(key, said)
    return encode(kind, from_, to, ts, canonical(said), sig)


def with_members(envelope: Envelope, members: Mapping[str, object]) -> Envelope:
    """Another one with these members in the place of its own."""
    own = {name: getattr(envelope, name) for name in envelope.__struct_fields__}
    return Envelope(**{**own, **members})
