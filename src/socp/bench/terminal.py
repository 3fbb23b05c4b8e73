"""A terminal for a benchmark: what is pressed, what was drawn since, and how much of it."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from socp.bench import processes

ROWS, COLUMNS = 40, 120
PATIENCE_S: Final = 60
_KEPT_BYTES: Final = 4_000_000


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, child: int, terminal: int) -> None:
        self._child = child
        self._terminal = terminal
        self._drawn = b""
        self._changed = threading.Condition()
        self.bytes_drawn = 0
        threading.Thread(target=self._read, daemon=True).start()

    def press(self, keys: str) -> None:
        """As a terminal sends them."""
        with self._changed:
            self._drawn = b""
        os.write(self._terminal, keys.encode())

    def shows(self, text: str, since_s: float) -> float:
        """How long after `since_s` (time.perf_counter) it was drawn, s."""
        with self._changed:
            seen = self._changed.wait_for(lambda: text.encode() in self._drawn, PATIENCE_S)
        if not seen:
            raise TimeoutError(f"{text!r} was never drawn")
        return time.perf_counter() - since_s

    def drew(self, text: str) -> bool:
        """Whether it was drawn since a key was pressed last."""
        with self._changed:
            return text.encode() in self._drawn

    def still(self, pause_s: float) -> None:
        """Return when nothing was drawn for so long. TimeoutError where it never ends."""
        until = time.perf_counter() + PATIENCE_S
        while time.perf_counter() < until:
            before = self.bytes_drawn
            time.sleep(pause_s)
            if self.bytes_drawn == before:
                return
        raise TimeoutError("it draws and draws, and nothing happens")

    def resize(self, rows: int, columns: int) -> None:
        """As somebody pulls the window's corner."""
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(self._child, signal.SIGWINCH)

    @property
    def resident_mib(self) -> float:
        """The program's memory."""
        return processes.resident_bytes(self._child) / 2**20

    @property
    def loop_ms(self) -> float:
        """What the program's first thread, which has the event loop, had of the processor so
        far: unlike what a clock says it hardly depends on who else is at work."""
        return processes.stat_s(f"/proc/{self._child}/task/{self._child}/stat") * 1e3

    @property
    def processor_ms(self) -> float:
        """What all of its threads had."""
        return processes.stat_s(f"/proc/{self._child}/stat") * 1e3

    def _read(self) -> None:
        with suppress(OSError):  # the program is gone
            while piece := os.read(self._terminal, 65_536):
                with self._changed:
                    self._drawn = (self._drawn + piece)[-_KEPT_BYTES:]
                    self.bytes_drawn += len(piece)
                    self._changed.notify_all()


@contextmanager
def terminal(*words: str) -> Iterator[Terminal]:
    """Python with these arguments at a terminal; told to end when it is left."""
    command = [sys.executable, *words]
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    child, ours = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.execvpe(command[0], command, environment)  # noqa: S606 - ourselves
    try:
        yield Terminal(child, ours)
    finally:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        os.close(ours)
