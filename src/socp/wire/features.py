"""Names of the extensions (section 11), and which ones a peer may not drop once it proved them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

LINK_AUTH: Final = "link-auth/1"
BIND: Final = "bind/1"
HYBRID: Final = "hybrid/1"
MAILBOX: Final = "mailbox/1"
ROTATE: Final = "rotate/1"
CONTENT: Final = "content/1"
GOSSIP: Final = "gossip/1"
PRESENCE: Final = "presence/1"
FAST_SIG: Final = "fast-sig/1"

SECURITY: Final = frozenset({LINK_AUTH, BIND})
SERVER_FEATURES: Final = (LINK_AUTH, BIND, MAILBOX, ROTATE, GOSSIP, PRESENCE)
USER_FEATURES: Final = (LINK_AUTH, BIND, HYBRID, MAILBOX, ROTATE, CONTENT, PRESENCE)


def dropped(proved: Iterable[str], announced: Iterable[str]) -> tuple[str, ...]:
    """Security features that were proved once and are missing now, sorted (no downgrade)."""
    return tuple(sorted(SECURITY & set(proved) - set(announced)))
