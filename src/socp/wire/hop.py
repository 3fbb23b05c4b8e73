"""Which frames go over one link and no further: those a session key may sign (`fast-sig/1`,
section 11). All others travel on unchanged, or are too rare to matter."""

from __future__ import annotations

from typing import Final

from socp.wire import payloads
from socp.wire.payloads import Payload

FAST_PREFIX: Final = "ed:"
"""Begins a `sig` that a session key made."""

HOP_KINDS: Final[frozenset[type[Payload]]] = frozenset(
    {
        payloads.UserDeliver,
        payloads.ServerDeliver,
        payloads.MsgDirect,
        payloads.MsgPublicChannel,
        payloads.FileStart,
        payloads.FileChunk,
        payloads.FileEnd,
        payloads.Ack,
        payloads.Error,
        payloads.UserList,
        payloads.PubkeyResponse,
        payloads.Heartbeat,
        payloads.SessionKey,
    }
)


def is_hop(type_name: str) -> bool:
    """Whether a frame of this type (any spelling of it) goes no further than its link."""
    return payloads.TYPES.get(type_name) in HOP_KINDS
