"""Their messages are here, were read: we say so to their authors, and hear it of ours (section 11,
`receipt`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from socp.member.allowance import Allowance
from socp.member.contacts import Contacts
from socp.member.emitter import Emitter
from socp.member.events import ChooseReceipts, Leave, Now
from socp.member.outbox import Outbox
from socp.member.records import LineState
from socp.member.resting import NEVER_MS
from socp.wire.content import REFS_MAX, Receipt

GATHERED_MS: Final = 1_000
"""What is read within so long is one receipt."""
AUTHORS_MAX: Final = 1_000
HEARD_MAX: Final = 10_000
"""Messages that one reader may speak of in HEARD_MS: each is looked up on the disk."""
HEARD_MS: Final = 600_000

State = Literal["delivered", "read"]
_STATES: Final[dict[State, LineState]] = {
    "delivered": LineState.DELIVERED,
    "read": LineState.READ,
}


@dataclass(slots=True)
class _Gathered:
    due_ms: int  # monotonic
    refs: dict[str, None] = field(default_factory=dict)  # the oldest first


class Receipts:
    """Only in private, and only to who has `content/1`."""

    def __init__(
        self,
        emitter: Emitter,
        contacts: Contacts,
        outbox: Outbox,
        *,
        delivered: bool,
        read: bool,
    ) -> None:
        """`delivered` and `read`: whether we say so at all."""
        self._emit = emitter
        self._contacts = contacts
        self._outbox = outbox
        self._tells: dict[State, bool] = {"delivered": delivered, "read": read}
        self._gathered: dict[tuple[str, State], _Gathered] = {}
        self._hears = Allowance(HEARD_MAX, HEARD_MS)

    @property
    def idle(self) -> bool:
        """Nothing is still to be said."""
        return not self._gathered

    def choose(self, event: ChooseReceipts, now: Now) -> None:
        """The person wants it otherwise; what was gathered of it is not said any more."""
        self._tells = {"delivered": event.delivered, "read": event.read}
        for key in tuple(self._gathered):
            if not self._tells[key[1]]:
                del self._gathered[key]

    def delivered(self, author: str, msg_ref: str, now: Now) -> None:
        """A message is here. Where servers have mailboxes they say so themselves."""
        if not self._emit.terms.mailbox:
            self._gather(author, "delivered", msg_ref, now)

    def read(self, author: str, msg_ref: str, now: Now) -> None:
        """The person has seen a message."""
        self._gather(author, "read", msg_ref, now)

    def heard(self, reader: str, said: Receipt, now: Now) -> None:
        """Somebody says it of messages of ours; of those to others their word is nothing."""
        if not self._hears.takes(reader, len(said.of), now.mono):
            return
        for msg_ref in said.of:
            self._outbox.reached(reader, msg_ref, _STATES[said.state])

    @property
    def due_ms(self) -> int:
        """When to look at it next: what was gathered first is due first."""
        for gathered in self._gathered.values():
            return gathered.due_ms
        return NEVER_MS

    def due(self, now: Now) -> None:
        """Say what was gathered long enough."""
        for key, gathered in tuple(self._gathered.items()):
            if now.mono >= gathered.due_ms:
                self._say(key, now)

    def leave(self, event: Leave, now: Now) -> None:
        """Say all of it: the person has seen it, and nobody would say so later."""
        for key in tuple(self._gathered):
            self._say(key, now)

    def _gather(self, author: str, state: State, msg_ref: str, now: Now) -> None:
        if not self._tells[state] or not self._contacts.has_content(author):
            return
        gathered = self._gathered.get((author, state))
        if gathered is None:
            if len(self._gathered) >= AUTHORS_MAX:
                return
            gathered = self._gathered[author, state] = _Gathered(now.mono + GATHERED_MS)
        gathered.refs[msg_ref] = None
        if len(gathered.refs) > REFS_MAX:
            del gathered.refs[next(iter(gathered.refs))]

    def _say(self, key: tuple[str, State], now: Now) -> None:
        """One that waits still is said with what came since."""
        (author, state), gathered = key, self._gathered.pop(key)
        waiting = self._outbox.waiting(author, state)
        earlier = waiting.of if isinstance(waiting, Receipt) else ()
        refs = tuple(dict.fromkeys((*earlier, *gathered.refs)))[-REFS_MAX:]
        self._outbox.post(author, Receipt(of=refs, state=state), now, quiet=True, key=state)
