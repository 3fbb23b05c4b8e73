"""What may have come before: asked of the store, and what its author says meanwhile waits behind
it, so that nobody's messages overtake each other (section 11: late sends, releases)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from socp.node.effects import Ask
from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.queries import FindMail, MailFound
from socp.wire.envelope import Envelope
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import Payload

WAITING_MAX = 5_000
STEP_BYTES = 1_600  # of one that waits, but for what it says

Go = Callable[[LinkId, Envelope, Payload, "MailFound | None", Now], None]
"""go(link_id, envelope, payload, found, now): `found` None where nothing had to be asked."""


@dataclass(slots=True)
class Step:
    """One frame that waits. The link may be gone when its turn comes."""

    link: LinkId
    envelope: Envelope
    payload: Payload
    go: Go
    request: int  # 0: nothing was asked
    found: MailFound | None = None

    @property
    def size(self) -> int:
        """What it takes, in bytes: its payload as it came, and as it was parsed."""
        return 2 * len(self.envelope.payload) + STEP_BYTES

    @property
    def ready(self) -> bool:
        return not self.request or self.found is not None


class Recall:
    """Lines of frames, one for each author and reader."""

    def __init__(self, emitter: Emitter, bytes_max: int) -> None:
        self._emit = emitter
        self._bytes_max = bytes_max
        self._lines: dict[tuple[str, str], deque[Step]] = {}
        self._asked: dict[int, tuple[str, str]] = {}
        self._last = 0
        self._count = 0
        self._size = 0

    def waits(self, author: str, reader: str) -> bool:
        """True where something of this author for this reader waits."""
        return (author, reader) in self._lines

    def enter(
        self,
        author: str,
        step: Step,
        query: FindMail,
        *,
        ask: bool,
    ) -> None:
        """Take a frame into its line, with a question to the store where `ask`.

        Raises PeerFault(RATE_LIMITED) where too much waits.
        """
        if self._count >= WAITING_MAX or self._size + step.size > self._bytes_max:
            raise PeerFault(
                Code.RATE_LIMITED,
                "too many late messages at once; send slower",
                msg_ref=query.msg_ref,
            )
        # What was made of its payload may be ten times as much; it is made again in its turn.
        for made in ("members", "canonical", "again"):
            step.envelope.__dict__.pop(made, None)
        self._count, self._size = self._count + 1, self._size + step.size
        line = (author, query.user_id)
        self._lines.setdefault(line, deque()).append(step)
        if ask:
            self._asked[query.request] = line
            self._emit.add(Ask(query))

    def next_request(self) -> int:
        self._last += 1
        return self._last

    def found(self, query: FindMail, found: MailFound | None) -> list[Step]:
        """The store answered (None: it could not): what may go on now, in order.

        Raises nothing; a step whose question failed has no `found` and a `request` still.
        """
        line = self._asked.pop(query.request, None)
        if line is None:
            return []
        steps = self._lines[line]
        for step in steps:
            if step.request == query.request:
                step.found = found
        going = []
        while steps and (steps[0].ready or (found is None and steps[0].request == query.request)):
            step = steps.popleft()
            self._count, self._size = self._count - 1, self._size - step.size
            going.append(step)
        if not steps:
            del self._lines[line]
        return going
