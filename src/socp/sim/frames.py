"""Frames by hand, for whoever plays a part that no honest program plays."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from socp.crypto.keys import PrivateKey
from socp.crypto.signing import sign_transport
from socp.wire.canonical import canonical
from socp.wire.envelope import Envelope, decode, encode
from socp.wire.ids import EVERYONE

ARRIVED_KEPT: Final = 4_096


@lru_cache(ARRIVED_KEPT)
def arrived(data: bytes) -> Envelope:
    """What `decode` says of these bytes. What went to many is decoded once for all of them, which
    changes nothing: an envelope is not changed by anybody. Raises PeerFault."""
    return decode(data)


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
