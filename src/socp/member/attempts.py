"""How often a line was tried, and when it may be tried again (sections 9 and 11)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from socp.member.records import OutboxLine
from socp.wire.errors import Code

T = TypeVar("T")

PAUSE_MAX_MS: Final = 600_000
SLOWER: Final = "your server asks to send slower"
PAUSES: Final[dict[str, tuple[int, str]]] = {
    Code.RATE_LIMITED: (2_000, SLOWER),
    Code.TIMEOUT: (5_000, "your server cannot keep it just now; it is tried again"),
    Code.MAILBOX_FULL: (30_000, "their mailbox is full; it is tried again until there is room"),
}
"""ERRORs of a server with `mailbox/1` after which the same bytes go again: the first pause in ms,
and what the person reads."""


def grown(first_ms: int, times: int) -> int:
    """Twice as long each time, up to PAUSE_MAX_MS."""
    return min(first_ms << min(max(times, 0), 16), PAUSE_MAX_MS)


@dataclass(slots=True)
class Try:
    """The last attempt at a line, as far as this run knows. `parts` are the texts of its open
    frames."""

    parts: tuple[str, ...]
    sent_ms: int  # monotonic
    count: int = 1
    pauses: int = 0
    not_before_ms: int = 0  # monotonic
    queued: list[str] = field(default_factory=list)  # the msg_refs that a server keeps

    def pause(self, first_ms: int, mono: int) -> None:
        """Not again so soon, and twice as long each time."""
        self.not_before_ms = mono + grown(first_ms, self.pauses)
        self.pauses += 1


def answered(line: OutboxLine, tried: Try | None, msg_ref: str) -> OutboxLine:
    """The line, and the attempt at it, without the frame that was answered."""
    place = line.msg_refs.index(msg_ref)
    if tried is not None and len(tried.parts) == len(line.msg_refs):
        tried.parts = _without(tried.parts, place)
    return replace(
        line, frames=_without(line.frames, place), msg_refs=_without(line.msg_refs, place)
    )


def _without(items: tuple[T, ...], place: int) -> tuple[T, ...]:
    return items[:place] + items[place + 1 :]
