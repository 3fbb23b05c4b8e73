"""An outbox without a loop and a socket: what it hands to its transport, turn by turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from socp.server.outbox import Outbox
from socp.server.turn import Turn


class Wire:
    """A transport that takes nothing while `stuck`, and keeps the objects it was given."""

    def __init__(self, *, stuck: bool = True) -> None:
        self.writes: list[list[bytes]] = []
        self.closing = False
        self.breaks = False
        self._stuck = stuck

    @property
    def written(self) -> list[bytes]:
        """All of them, in order."""
        return [data for write in self.writes for data in write]

    def writelines(self, data: list[bytes]) -> None:
        if self.breaks:
            raise OSError("broken")
        self.writes.append(data)

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.written)) if self._stuck else 0

    def is_closing(self) -> bool:
        return self.closing


class Owner:
    """Notes why its link was cut."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.lagged = 0  # how often it was said that something has not left

    def cut(self, reason: str) -> None:
        self.reasons.append(reason)

    def keep_watch(self) -> None:
        self.lagged += 1


@dataclass
class Loop:
    """Turns of a loop, ended by hand."""

    asked: list[Callable[[], None]] = field(default_factory=list)
    timers: list[Callable[[], None]] = field(default_factory=list)
    turn: Turn = field(init=False)

    def __post_init__(self) -> None:
        self.turn = Turn(self.asked.append, lambda _s, due: self.timers.append(due))

    def outbox(self, wire: Wire, owner: Owner | None = None, *, masked: bool = False) -> Outbox:
        return Outbox(wire, owner or Owner(), self.turn, masked=masked)

    def turns(self) -> None:
        """What is being done is over, and what was asked for meanwhile is done."""
        asked, self.asked[:] = tuple(self.asked), ()
        for each in asked:
            each()

    def time_passes(self) -> None:
        """What was to be done later is done."""
        due, self.timers[:] = tuple(self.timers), ()
        for each in due:
            each()
