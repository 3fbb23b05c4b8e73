"""`bind/1` (section 11; threats.md M1): the envelope repeated where `sig` covers it."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from socp.wire.envelope import UNANSWERED, Envelope
from socp.wire.errors import Code, PeerFault
from socp.wire.part import Bind, Payload
from socp.wire.text import printable

P = TypeVar("P", bound=Payload)

_SHOWN_COLUMNS: Final = 60


def bound(payload: P, *, type: str, from_: str, to: str, ts: int) -> P:  # noqa: A002
    """A copy of `payload` that says which envelope it belongs to."""
    return msgspec.structs.replace(payload, bind=Bind(type=type, from_=from_, to=to, ts=ts))


def check_bind(envelope: Envelope, payload: Payload, *, required: bool) -> None:
    """PeerFault(INVALID_SIG) where `bind` differs from the envelope, or is `required` and absent.

    Either way `sig` was not made for this frame: its type, sender, addressee or time was changed.
    """
    bind = payload.bind
    if bind is None:
        if required:
            raise _fault(envelope, "bind: missing, though bind/1 was announced on this link")
        return
    for name, signed, sent in (
        ("type", bind.type, envelope.type),
        ("from", bind.from_, envelope.from_),
        ("to", bind.to, envelope.to),
        ("ts", bind.ts, envelope.ts),
    ):
        if signed != sent:
            said = f"signed for {_shown(signed)}, sent as {_shown(sent)}"
            raise _fault(envelope, f"bind.{name}: {said}")


def _fault(envelope: Envelope, said: str) -> PeerFault:
    detail = f"{printable(envelope.type)}: {said}"
    return PeerFault(Code.INVALID_SIG, detail, answerable=envelope.type not in UNANSWERED)


def _shown(value: str | int) -> str:
    return printable(str(value), width=_SHOWN_COLUMNS)
