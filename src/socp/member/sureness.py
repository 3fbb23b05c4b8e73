"""How sure the person may be of an author."""

from __future__ import annotations

from typing import Final

from socp.member.effects import Trust
from socp.member.records import Contact, TrustState

_SUREST_FIRST: Final[tuple[str, ...]] = (
    Trust.VERIFIED,
    Trust.PINNED,
    Trust.FORMER_KEY,
    Trust.NOT_BOUND,
    Trust.NOT_ENCRYPTED,
    Trust.FIRST_SEEN,
    Trust.UNSIGNED,
    Trust.CHANGED,
)


def less_sure(one: str, other: str) -> str:
    """The more doubtful of two marks; "" is none."""
    marks = [mark for mark in _SUREST_FIRST if mark in (one, other)]
    return marks[-1] if marks else one


def sureness(contact: Contact, *, bound: bool, former: bool = False, signed: bool = True) -> Trust:
    """`bound`: the author stands inside what is sealed (`hybrid/1`), so nobody can pass it on as
    theirs; `signed`: their signature holds, by the key before their present one where `former`."""
    if contact.state is TrustState.CHANGED:
        return Trust.CHANGED
    if not signed:
        return Trust.UNSIGNED
    if not contact.from_directory and not contact.verified:
        return Trust.FIRST_SEEN
    if not bound:
        return Trust.NOT_BOUND
    if former:
        return Trust.FORMER_KEY
    return Trust.VERIFIED if contact.verified else Trust.PINNED
