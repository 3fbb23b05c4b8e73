"""The terminal that the full screen is drawn on, which may go away at any moment.

Textual writes from a thread that ends at the first fault; its queue fills, and the loop waits for
room that never comes. So a window that was closed would leave a client behind that holds the
profile, and one that nobody reads from (a stopped multiplexer, a line that hangs) a client that
keeps no message any more.
"""

from __future__ import annotations

import io
import select
from collections.abc import Callable
from typing import Final, TextIO, cast

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

WAITING_MAX: Final = 16
"""Pieces that wait to be written: fewer than Textual's queue holds, so nobody waits for room, and
those that put the terminal right at the end still fit."""


class Terminal(LinuxDriver):
    """What is written to a terminal that is gone is let go of; so is what one cannot keep up with,
    until it can, and then all is drawn anew (`caught_up`)."""

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        """See LinuxDriver."""
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        terminal = self._file
        assert terminal is not None, "no standard error"
        self._screen = Screen(terminal)
        self._file = cast("io.TextIOWrapper", self._screen)
        self._handed = 0  # pieces; compared with what the screen took
        self._behind = False  # something was let go of
        self._ending = False

    def write(self, data: str) -> None:
        """Show it, if the terminal keeps up."""
        if self._handed - self._screen.taken >= WAITING_MAX and not self._ending:
            self._behind = True
            return
        self._handed += 1
        super().write(data)

    def stop_application_mode(self) -> None:
        """The terminal is put right, however long it takes."""
        self._ending = True
        super().stop_application_mode()

    def start_application_mode(self) -> None:
        """The same after a stop, as Ctrl-Z makes one."""
        self._ending = False
        self._handed = self._screen.taken  # a thread of its own, with a queue of its own
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def caught_up(self) -> bool:
        """Whether something was let go of, and can be shown now; True once."""
        waiting = self._handed - self._screen.taken
        caught_up = self._behind and waiting < WAITING_MAX // 2
        if caught_up:
            self._behind = False
        return caught_up

    @property
    def gone(self) -> bool:
        """Whether nobody will ever look at it again: its window was closed, its line was cut."""
        poll = select.poll()
        poll.register(self.fileno, 0)
        return any(happened & select.POLLHUP for _, happened in poll.poll(0))


class Screen(io.TextIOBase):
    """Writes to `file` for as long as it can be written to."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lost = False
        self.taken = 0  # pieces

    def write(self, text: str) -> int:
        """All of it is taken, whether or not it can be shown."""
        self._attempt(lambda: self._file.write(text))
        self.taken += 1
        return len(text)

    def flush(self) -> None:
        """What was written is shown."""
        self._attempt(self._file.flush)

    def fileno(self) -> int:
        """The terminal's."""
        return self._file.fileno()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._file.isatty()

    def _attempt(self, act: Callable[[], object]) -> None:
        if self._lost:
            return
        try:
            act()
        except OSError:
            self._lost = True
