"""That something came, told to the terminal: a bell, or one of two escape sequences that terminals
show as a notification. Never a process, and of a heap that comes together one for each talk."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from socp.tui.unseen import Came, talk_of

QUIET_S: Final = 5.0
"""After one notification of a conversation."""
TALKS_MAX: Final = 1_000
_TITLE: Final = "socp"


class Notifying:
    """`way`: one of choices_file.NOTIFY."""

    def __init__(
        self,
        way: str,
        write: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._way = way
        self._write = write
        self._clock = clock
        self._told: dict[str, float] = {}
        self.looking: Callable[[str], bool] = lambda _talk: False  # whether somebody sees it
        self.called: Callable[[str], str] = lambda _talk: ""

    def arrived(self, notice: Came) -> None:
        """Tell of it, unless somebody looks at it, or was told just now."""
        talk, now = talk_of(notice), self._clock()
        if self._way == "off" or self.looking(talk):
            return
        recent = now - self._told.get(talk, -QUIET_S) < QUIET_S
        if len(self._told) >= TALKS_MAX:
            self._told.clear()
        self._told[talk] = now
        if not recent:
            self._write(self._sequence(f"{self.called(talk)}: a message"))

    def _sequence(self, text: str) -> str:
        """Names are printable: none ends the sequence. What was said stays here."""
        words = text.replace(";", ",")
        match self._way:
            case "osc9":
                return f"\x1b]9;{words}\x1b\\"
            case "osc777":
                return f"\x1b]777;notify;{_TITLE};{words}\x1b\\"
            case _:
                return "\a"
