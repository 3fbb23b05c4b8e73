"""Shares owed to members who are away: servers keep them, with the posts that they open (section
11, `mailbox/1`)."""

from __future__ import annotations

from typing import Final

from socp.crypto.keys import PublicKey

OWED_MAX: Final = 1_000


class AwayShares:
    """In order; each once. What does not fit is owed again with the next post."""

    def __init__(self) -> None:
        self._owed: dict[tuple[str, str], PublicKey] = {}  # member, fingerprint -> their key

    def owe(self, member: str, fingerprint: str, key: PublicKey) -> None:
        """`key`: theirs, to which the share is sealed."""
        if len(self._owed) < OWED_MAX:
            self._owed.setdefault((member, fingerprint), key)

    def first(self) -> tuple[str, str, PublicKey] | None:
        """Whose turn it is."""
        for (member, fingerprint), key in self._owed.items():
            return member, fingerprint, key
        return None

    def done(self, member: str, fingerprint: str) -> None:
        """It is sent, or not needed."""
        self._owed.pop((member, fingerprint), None)

    def owes(self, fingerprint: str) -> bool:
        """Whether somebody is still to be given this key."""
        return any(owed == fingerprint for _, owed in self._owed)
