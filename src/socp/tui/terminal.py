"""The terminal that the full screen is drawn on, which may go away at any moment.

Textual writes from a thread that ends at the first fault; its queue fills, and the loop waits for
room that never comes. So a window that was closed would leave a client behind that holds the
profile.
"""

from __future__ import annotations

import io
import select
from collections.abc import Callable
from typing import TextIO, cast

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver


class Terminal(LinuxDriver):
    """What is written to a terminal that is gone is let go of."""

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
        self._file = cast("io.TextIOWrapper", Screen(terminal))

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

    def write(self, text: str) -> int:
        """All of it is taken, whether or not it can be shown."""
        self._attempt(lambda: self._file.write(text))
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
