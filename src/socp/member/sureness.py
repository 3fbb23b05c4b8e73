"""How sure the person may be of an author."""

from __future__ import annotations

from socp.member.effects import Trust
from socp.member.records import Contact, TrustState


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
