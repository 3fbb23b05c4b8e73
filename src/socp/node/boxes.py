"""How much mail waits for whom: numbers alone, the bodies are in the store (section 12; threat
S5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from socp.node.queries import ExpiredBox
from socp.node.records import BoxRow, Mail
from socp.wire.errors import Code, PeerFault

OTHERS = ""
"""Authors who are counted as one where too many are counted already: in each mailbox they share the
half that one of them would have, until nothing of them is left there."""


@dataclass(frozen=True, slots=True)
class BoxLimits:
    """The bounds of section 12. One sender may fill half of a mailbox, so that others still can
    write."""

    messages: int
    size: int  # bytes
    total_size: int  # bytes, of all mailboxes here
    authors: int  # counted each for themselves, of all mailboxes


@dataclass(slots=True)
class Share:
    """What one sender has in one mailbox."""

    count: int = 0
    size: int = 0  # bytes


@dataclass(slots=True)
class Box:
    """One user's WAITING mail, as counted."""

    user_id: str
    count: int = 0
    size: int = 0  # bytes
    last_seq: int = 0
    senders: dict[str, Share] = field(default_factory=dict)


class Boxes:
    """A box exists while something lies in it."""

    def __init__(self, bounds: BoxLimits, rows: Iterable[BoxRow]) -> None:
        self._bounds = bounds
        self._boxes: dict[str, Box] = {}
        self._size = 0
        self._authors = 0
        for row in rows:
            self._put(row.user_id, row.sender, row.count, row.size, row.last_seq)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._boxes))

    def __len__(self) -> int:
        return len(self._boxes)

    @property
    def bounds(self) -> BoxLimits:
        return self._bounds

    @property
    def waiting(self) -> int:
        """How many pieces of mail wait in all boxes."""
        return sum(box.count for box in self._boxes.values())

    def count(self, user_id: str) -> int:
        box = self._boxes.get(user_id)
        return 0 if box is None else box.count

    def last_seq(self, user_id: str) -> int:
        """The newest mail in the box, 0 where it is empty."""
        box = self._boxes.get(user_id)
        return 0 if box is None else box.last_seq

    def room(self, user_id: str, sender: str) -> tuple[int, int]:
        """Pieces and bytes that this sender may still put in."""
        box = self._boxes.get(user_id) or Box(user_id)
        share = box.senders.get(self._named(box, sender)) or Share()
        bounds = self._bounds
        pieces = min(bounds.messages - box.count, bounds.messages // 2 - share.count)
        size = min(bounds.size - box.size, bounds.size // 2 - share.size)
        return max(pieces, 0), max(min(size, bounds.total_size - self._size), 0)

    def check(self, mail: Mail) -> None:
        """Raises PeerFault(MAILBOX_FULL) where there is no room for it."""
        pieces, size = self.room(mail.user_id, mail.sender)
        if pieces < 1 or size < mail.size:
            raise full(mail.user_id, mail.msg_ref)

    def put(self, mail: Mail) -> None:
        self._put(mail.user_id, mail.sender, 1, mail.size, mail.seq)

    def take(self, user_id: str, sender: str, count: int, size: int) -> None:
        """So much of it is in other hands, dropped or expired."""
        box = self._boxes.get(user_id)
        if box is None:
            return
        name = sender if sender in box.senders else OTHERS
        share = box.senders.get(name) or Share()
        count, size = min(count, share.count), min(size, share.size)
        box.count, box.size = box.count - count, box.size - size
        share.count, share.size = share.count - count, share.size - size
        self._size -= size
        if not share.count:
            self._size -= share.size
            box.size -= share.size
            self._authors -= box.senders.pop(name, None) is not None
        if not box.count:
            self.empty(user_id)

    def empty(self, user_id: str) -> None:
        """Nothing waits for this user any more, whatever was counted."""
        box = self._boxes.pop(user_id, None)
        if box is not None:
            self._size -= box.size
            self._authors -= len(box.senders)

    def expired(self, rows: Iterable[ExpiredBox]) -> None:
        for row in rows:
            self.take(row.user_id, row.sender, row.count, row.size)

    def _put(self, user_id: str, sender: str, count: int, size: int, last_seq: int) -> None:
        box = self._boxes.setdefault(user_id, Box(user_id))
        name = self._named(box, sender)
        share = box.senders.get(name)
        if share is None:
            share = box.senders[name] = Share()
            self._authors += 1
        box.count, box.size = box.count + count, box.size + size
        share.count, share.size = share.count + count, share.size + size
        box.last_seq = max(box.last_seq, last_seq)
        self._size += size

    def _named(self, box: Box, sender: str) -> str:
        """As whose this author's mail counts: never as its own and as that of OTHERS at once."""
        if sender in box.senders:
            return sender
        too_many = OTHERS in box.senders or self._authors >= self._bounds.authors
        return OTHERS if too_many else sender


def full(user_id: str, ref: str) -> PeerFault:
    return PeerFault(
        Code.MAILBOX_FULL,
        f"the mailbox of {user_id} is full; keep the message and send it again later",
        msg_ref=ref,
    )
