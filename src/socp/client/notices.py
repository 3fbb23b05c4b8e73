"""What a client tells of itself, beside what its brain tells (`socp.member.effects.Notice`)."""

from __future__ import annotations

from dataclasses import dataclass

from socp.member import effects


@dataclass(frozen=True, slots=True)
class Offline:
    """No link to the server. Told once for each outage, and again where that lasts and has another
    reason by then; `Online` ends it. We go on trying."""

    reason: str


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The link is over and is not tried again: the person must act first."""

    reason: str


Notice = effects.Notice | Offline | GivenUp

KeyNotice = (
    effects.KeyChanged
    | effects.KeyReplaced
    | effects.KeyRevoked
    | effects.TrustMoved
    | effects.OwnKeyMoved
)
"""What is told of keys, others' and our own."""
LinkNotice = effects.Online | Offline | GivenUp
"""What is told of the link to the server."""
