"""Messages handed to another server, remembered for as long as an ERROR about them may come
(section 5, delivery)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from socp.node.events import LinkId
from socp.wire.payloads import ServerDeliver

PENDING_MS = 30_000
ROW_BYTES = 850  # what is kept of each, but for the message


@dataclass(frozen=True, slots=True)
class Pending:
    """Whom an ERROR about it concerns, who may say it, and how to send it again."""

    link: LinkId
    user_id: str
    server_id: str  # handed to
    until_ms: int
    deliver: ServerDeliver | None = None
    ts: int = 0

    @property
    def size(self) -> int:
        """What it takes, in bytes."""
        said = self.deliver
        if said is None:
            return ROW_BYTES
        return ROW_BYTES + len(said.ciphertext) + len(said.sender_pub) + len(said.content_sig)


class PendingTable:
    """By msg_ref, oldest first. Where bytes run out the message is not kept, only its author, and
    the oldest make room for that."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._rows: OrderedDict[str, Pending] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, ref: str, pending: Pending) -> None:
        self._drop(ref)
        if self._bytes + pending.size > self._bytes_max:
            pending = replace(pending, deliver=None)
        self._rows[ref] = pending
        self._bytes += pending.size
        while self._bytes > self._bytes_max:
            self._drop(next(iter(self._rows)))

    def take(self, ref: str, server_id: str) -> Pending | None:
        """The row of `ref` if `server_id` is who it was handed to. It is gone then."""
        pending = self._rows.get(ref)
        if pending is None or pending.server_id != server_id:
            return None
        self._drop(ref)
        return pending

    def expire(self, mono: int) -> None:
        while self._rows:
            ref, pending = next(iter(self._rows.items()))
            if pending.until_ms > mono:
                return
            self._drop(ref)

    def _drop(self, ref: str) -> None:
        pending = self._rows.pop(ref, None)
        if pending is not None:
            self._bytes -= pending.size
