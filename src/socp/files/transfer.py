"""What both ends of a transfer have in common: its steps and its bounds (section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from socp.wire import limits

SENDING_MAX: Final = 8
"""Transfers to one reader at a time. Those to others do not wait for them."""
SENDING_ALL_MAX: Final = 2 * SENDING_MAX
SENDING_BYTES_MAX: Final = limits.FILE_BYTES
RECEIVING_MAX: Final = 32
"""Transfers towards us at a time; whoever owns the machines refuses more."""
RECEIVING_PER_AUTHOR_MAX: Final = SENDING_MAX
"""Nobody tells a sender what a receiver refuses: it takes all that one sender of ours may send."""
RECEIVING_BYTES_MAX: Final = 2 * SENDING_BYTES_MAX
STORING_MAX: Final = 1_000
"""Files that are whole, and wait for the disk only: these keep no new one out before so many."""
WINDOW_BYTES: Final = 4 * limits.MIB
"""Of what a server keeps for somebody away, so much is on its way unacknowledged (section 8)."""
WINDOW_LIVE_BYTES: Final = 5 * limits.FILE_CHUNK_BYTES
"""Of what goes to a reader who says where it stands, all files to them together. It waits in the
queues before their messages: the 4 MiB of section 8, in base64, would be over a link's bound."""
REPORT_BYTES: Final = 3 * limits.FILE_CHUNK_BYTES
"""The reader says where it stands each time so much came of the files of one author."""
REPORTING_AUTHORS_MAX: Final = 2
"""So many authors send at a time to a reader who says where it stands: their windows together
fit what its server queues for it."""
BYTES_PER_S_LIVE: Final = 5 * limits.MIB // 2
"""All files to such readers together: below what a server takes from a link without a pause
(`limits.USER_BYTES_PER_S`, in base64), so that messages never wait behind them there."""
SILENCE_MS: Final = 60_000
"""A transfer without a chunk for so long is broken."""


@dataclass(frozen=True, slots=True)
class Want:
    """Sender: read `size` bytes at `offset` and give them to `Sender.chunk`."""

    index: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Sent:
    """Sender: all of it is handed over. `acked` False: the server never said so (v1.3)."""

    acked: bool


@dataclass(frozen=True, slots=True)
class Write:
    """Receiver: these bytes belong at `offset`."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Complete:
    """Receiver: every byte was written. What is stored still has to be checked, then named."""

    name: str  # safe basename
    size: int  # bytes
    sha256: str  # hex


@dataclass(frozen=True, slots=True)
class Stuck:
    """Sender: it goes no further just now, and may be begun again later."""

    reason: str


@dataclass(frozen=True, slots=True)
class Broken:
    """Either end: it is over, nothing of it counts as received. `reason` is for the person."""

    reason: str


def pieces(size: int, piece: int) -> int:
    """How many chunks of `piece` bytes a file of `size` bytes has; none where it is empty."""
    return -(-size // piece)
