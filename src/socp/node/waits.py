"""When mail goes: how many mailboxes at a time to one server, and pauses after a refusal."""

from __future__ import annotations

from itertools import islice

from socp.node.events import LinkId

AT_A_TIME = 8
PAUSE_FIRST_MS = 5_000
PAUSE_MAX_MS = 600_000


class Turns:
    """Mailboxes that go to one server take turns: each page is a read and a megabyte."""

    def __init__(self) -> None:
        self._active: dict[LinkId, set[str]] = {}
        self._waiting: dict[LinkId, dict[str, None]] = {}  # in the order of asking

    def take(self, link: LinkId, user_id: str) -> bool:
        """True where this mailbox may go now; else it is called by `next`."""
        active = self._active.setdefault(link, set())
        if user_id in active or len(active) < AT_A_TIME:
            active.add(user_id)
            return True
        self._waiting.setdefault(link, {})[user_id] = None
        return False

    def done(self, link: LinkId, user_id: str) -> None:
        self._active.get(link, set()).discard(user_id)

    def next(self, link: LinkId) -> list[str]:
        """Who may go now."""
        room = AT_A_TIME - len(self._active.get(link, ()))
        waiting = self._waiting.get(link, {})
        called = list(islice(waiting, max(room, 0)))
        for user_id in called:
            del waiting[user_id]
        return called

    def lost(self, link: LinkId) -> None:
        self._active.pop(link, None)
        self._waiting.pop(link, None)


class Pauses:
    """Twice as long after each refusal in a row. Times are monotonic ms."""

    def __init__(self) -> None:
        self._until: dict[str, int] = {}
        self._wait: dict[str, int] = {}

    def begin(self, user_id: str, mono: int) -> None:
        wait = min(2 * self._wait.get(user_id, PAUSE_FIRST_MS // 2), PAUSE_MAX_MS)
        self._wait[user_id], self._until[user_id] = wait, mono + wait

    def end(self, user_id: str) -> None:
        """Something changed: try at once."""
        self._until.pop(user_id, None)
        self._wait.pop(user_id, None)

    def holds(self, user_id: str) -> bool:
        return user_id in self._until

    def over(self, mono: int) -> list[str]:
        """Whose pause is over. The next one will be longer."""
        found = [user_id for user_id, until in self._until.items() if until <= mono]
        for user_id in found:
            del self._until[user_id]
        return found
