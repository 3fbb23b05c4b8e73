"""Questions for who is there, and whose each USER_LIST is: answers come in the order of questions
(sections 6 and 11)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from socp.member.courier import Courier
from socp.member.events import Now
from socp.wire.payloads import ListPage, ListRequest, UserList

OPEN_MAX: Final = 16

Reader = Callable[[UserList, Now], None]


class Lists:
    """One line of questions to the server of this link."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._open: deque[tuple[ListRequest | ListPage, Reader]] = deque(maxlen=OPEN_MAX)

    def restarted(self) -> None:
        """A new link: nothing is on its way."""
        self._open.clear()

    def ask(self, question: ListRequest | ListPage, reader: Reader, now: Now) -> bool:
        """True if `reader` will get the answer; all parts of it, where it is no page."""
        if not self._courier.post(question, now):
            return False
        self._open.append((question, reader))
        return True

    def heard(self, users: UserList, now: Now) -> None:
        """USER_LIST; one that nobody asked for says nothing."""
        if not self._open:
            return
        question, reader = self._open[0]
        if isinstance(question, ListPage) or not users.more:
            self._open.popleft()
        reader(users, now)
