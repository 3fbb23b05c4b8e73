"""How this server is set up: what the brain needs of the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from socp.node.budget import Budget
from socp.wire import limits
from socp.wire.addresses import BootstrapEntry, HostPort


class Federation(StrEnum):
    KNOWN = "known"
    OPEN = "open"


class Joining(StrEnum):
    """Who may become a user of this server (`--registration`)."""

    OPEN = "open"  # whoever says hello first is pinned
    INVITE = "invite"  # with a code of the operator's
    CLOSED = "closed"  # nobody new


@dataclass(frozen=True, slots=True)
class Settings:
    """`address` is what other servers are told to dial; `bootstrap` is without ourselves."""

    server_id: str
    address: HostPort
    bootstrap: tuple[BootstrapEntry, ...] = ()
    bootstrap_given: bool = False  # --bootstrap was said: no pinning on first use on loopback
    federation: Federation = Federation.KNOWN
    registration: Joining = Joining.OPEN
    lists_users: bool = False  # over HTTP
    admin_hint: str = "socp admin"  # how the operator calls the admin command for this data folder
    user_frames_burst: int = limits.USER_FRAMES_BURST
    user_frames_per_s: int = limits.USER_FRAMES_PER_S
    few: int = limits.CROWD_FEW  # clients who hear of everybody, while they hear it at once
    hellos_per_s: int = limits.HELLOS_PER_S
    mailbox_messages: int = limits.MAILBOX_MESSAGES
    mailbox_bytes: int = limits.MAILBOX_BYTES
    mailbox_days: int = limits.MAILBOX_DAYS
    mailboxes_bytes: int = limits.MAILBOXES_BYTES
    budget: Budget = field(default_factory=Budget)  # of memory
