"""Frames by hand, for whoever plays a part that no honest program plays."""

from __future__ import annotations

from collections.abc import Mapping

from socp.crypto.keys import PrivateKey
from socp.crypto.signing import sign_transport
from socp.wire.canonical import canonical
from socp.wire.envelope import encode
from socp.wire.ids import EVERYONE


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
