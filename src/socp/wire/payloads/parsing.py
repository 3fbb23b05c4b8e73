"""From an envelope to its typed payload, and from a payload to the text we put on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from socp.wire import compat, strict
from socp.wire.canonical import canonical
from socp.wire.complaints import complaint
from socp.wire.envelope import UNANSWERED, Envelope
from socp.wire.errors import Code, PeerFault
from socp.wire.part import Payload
from socp.wire.payloads import answers, channel, files, hello, messages, presence, rotation, session
from socp.wire.text import printable

P = TypeVar("P", bound=Payload)

_MODULES: Final = (hello, answers, presence, messages, channel, files, rotation, session)

KINDS: Final[tuple[type[Payload], ...]] = tuple(
    kind
    for module in _MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Payload) and kind.TYPE
)
TYPES: Final[dict[str, type[Payload]]] = {
    name: kind for kind in KINDS for name in (kind.TYPE, *kind.ALIASES)
}
assert len(TYPES) == sum(1 + len(kind.ALIASES) for kind in KINDS), "a type's name is used twice"


def parse(envelope: Envelope) -> Payload:
    """The typed payload of a decoded frame; other spellings are understood (section 13).

    PeerFault(UNKNOWN_TYPE) names the type; PeerFault(BAD_FRAME) names frame type and member. It is
    kept with the envelope: where one comes to many, as in `sim/`, it is parsed once.
    """
    typed: Payload | None = envelope.__dict__.get("typed")
    if typed is None:
        typed = envelope.__dict__["typed"] = _parsed(envelope)
    return typed


def _parsed(envelope: Envelope) -> Payload:
    kind = TYPES.get(envelope.type)
    if kind is None:
        raise PeerFault(Code.UNKNOWN_TYPE, f"no frame is called {printable(envelope.type)}")
    return _typed(kind, envelope.members, envelope.type)


def parse_as(kind: type[P], members: Mapping[str, object] | bytes) -> P:
    """`members`, or the JSON text of them, as a payload of `kind`. Faults as with `parse`."""
    if isinstance(members, bytes):
        value = strict.loads(members, what=kind.TYPE)
        if not isinstance(value, dict):
            raise PeerFault(Code.BAD_FRAME, f"{kind.TYPE}: payload: expected an object")
        members = value
    return _typed(kind, dict(members), kind.TYPE)


def members_bytes(payload: Payload) -> bytes:
    """The JSON text of our own payload, canonical, so that what is signed is what is sent."""
    return canonical(payload)


def _typed(kind: type[P], members: dict[str, object], type_name: str) -> P:
    if compat.may_be_foreign(kind):
        members = compat.in_our_spelling(kind, type_name, members)
    try:
        return msgspec.convert(members, kind)
    except msgspec.ValidationError as error:
        detail = f"{type_name}: {complaint(error)}"
        answerable = kind.TYPE not in UNANSWERED
        raise PeerFault(Code.BAD_FRAME, detail, answerable=answerable) from None
