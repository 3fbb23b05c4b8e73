"""Accounts that the disk may not have: what is undone of them where a commit failed (S8)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from socp.node.emitter import Emitter
from socp.node.records import Account, InvitationGone

NEW_KEPT = 10_000  # more than can be on their way to the disk at once


@dataclass(slots=True)
class Newcomer:
    """A user who came in lately: `before` is what was known of them, if anything."""

    before: Account | None
    spent: InvitationGone | None = None  # what let them in, and goes wherever they go
    writes: int = 0  # that did not fail, so far


class Unsaved:
    """Whoever is new is forgotten only where every write of theirs failed."""

    def __init__(self, emitter: Emitter) -> None:
        self._emit = emitter
        self._again: set[str] = set()
        self._new: OrderedDict[str, Newcomer] = OrderedDict()

    def is_due(self, user_id: str) -> bool:
        """Whether the disk refused the account when it was last written."""
        return user_id in self._again

    def came(self, user_id: str, before: Account | None) -> None:
        self._new[user_id] = Newcomer(before)
        if len(self._new) > NEW_KEPT:
            self._new.popitem(last=False)

    def spent(self, user_id: str, gone: InvitationGone) -> None:
        """With this invitation they came in: from now on it is written with each of theirs."""
        newcomer = self._new.get(user_id)
        if newcomer is not None:
            newcomer.spent = gone
        self._emit.persist(gone)

    def write(self, account: Account) -> None:
        self._again.discard(account.user_id)
        self._emit.persist(account)
        newcomer = self._new.get(account.user_id)
        if newcomer is not None:
            newcomer.writes += 1
            if newcomer.spent is not None:
                self._emit.persist(newcomer.spent)

    def failed(self, user_id: str) -> Newcomer | None:
        """A write failed: who must be forgotten, else it is written with the next hello."""
        newcomer = self._new.get(user_id)
        if newcomer is not None:
            newcomer.writes -= 1
            if newcomer.writes <= 0:
                self._again.discard(user_id)
                return self._new.pop(user_id)
        self._again.add(user_id)
        return None
