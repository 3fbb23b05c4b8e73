"""What ChannelKeys asks of its owner, and what it says about a share (section 7)."""

from __future__ import annotations

from dataclasses import dataclass

from socp.channel.keyring import HeldKey
from socp.wire.payloads import PublicChannelKeyShare


@dataclass(frozen=True, slots=True)
class GenerateKey:
    """Make an RSA-4096 pair away from the event loop; answer with `ChannelKeys.generated`."""

    version: int


@dataclass(frozen=True, slots=True)
class KeyLearned:
    """A key was made or opened: persist it first; posts that did not open may do so now."""

    key: HeldKey


@dataclass(frozen=True, slots=True)
class ShareToSend:
    """Send this as PUBLIC_CHANNEL_KEY_SHARE to `*`: ready, signed, one share in it."""

    member: str
    payload: PublicChannelKeyShare


@dataclass(frozen=True, slots=True)
class CreatorUnknown:
    """A share for us by somebody whose key is not pinned: look it up, then call `shared` again."""

    author_id: str


@dataclass(frozen=True, slots=True)
class ShareRefused:
    """A share for us that is not used; `reason` is for a warning. Nothing goes back (threat M8)."""

    reason: str


Action = GenerateKey | KeyLearned | ShareToSend
Outcome = KeyLearned | CreatorUnknown | ShareRefused | None
