"""What one waits for, and for how long by now: nobody shall wonder whether something happens."""

from __future__ import annotations

from typing import Final

from rich.text import Text
from textual.timer import Timer
from textual.widgets import Static

from socp.talk.idle import clock_s

_TURN_S: Final = 0.25
_SIGNS: Final = "◐◓◑◒"


class Waiting(Static):
    """Not there while nobody waits."""

    DEFAULT_CSS = "Waiting { display: none; height: auto; color: $accent; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as Textual calls it
        super().__init__(id=id)
        self._for = ""
        self._since_s = clock_s()
        self._timer: Timer | None = None  # while somebody waits: to turn draws the whole screen

    def begin(self, what: str) -> None:
        """From now on this is waited for."""
        self._for, self._since_s = what, clock_s()
        self.display = True
        if self._timer is None:
            self._timer = self.set_interval(_TURN_S, self._turn)
        self._turn()

    def end(self) -> None:
        """It is there."""
        self.display = False
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _turn(self) -> None:
        waited_s = clock_s() - self._since_s
        sign = _SIGNS[int(waited_s / _TURN_S) % len(_SIGNS)]
        self.update(Text(f"{sign} {self._for} … {waited_s:.0f} s"))
