"""A terminal that a test looks at and types into: tmux, with a socket of its own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cli.talkers import COMMAND, ENVIRONMENT

PATIENCE_S = 60.0
LOOK_EVERY_S = 0.05


@dataclass
class Pane:
    """One terminal of 90 columns and 24 rows."""

    socket: Path

    def types(self, *keys: str) -> None:
        """Text as it is, keys by their tmux names ("Enter", "Tab", "C-c")."""
        for key in keys:
            self._tmux("send-keys", "-t", "it", key)

    def pastes(self, text: str) -> None:
        """As a terminal does that tells what was pasted from what was typed."""
        self._tmux("set-buffer", "--", text)
        self._tmux("paste-buffer", "-p", "-t", "it")

    def screen(self, *, colours: bool = False) -> str:
        """What a person sees, scrolled-off rows too."""
        more = ["-e"] if colours else []
        shown = self._tmux("capture-pane", "-p", *more, "-S", "-200", "-t", "it")
        return "\n".join(row.rstrip() for row in shown.splitlines()).strip("\n")

    def shows(self, pattern: str, *, seconds: float = PATIENCE_S) -> re.Match[str]:
        """Look until the screen matches."""
        until = time.monotonic() + seconds
        while True:
            screen = self.screen()
            if found := re.search(pattern, screen, re.MULTILINE):
                return found
            assert time.monotonic() < until, f"nothing matches {pattern!r}:\n{screen}"
            time.sleep(LOOK_EVERY_S)

    def state(self, format_: str) -> str:
        """What tmux knows of it, e.g. "#{cursor_flag}"."""
        return self._tmux("display-message", "-p", "-t", "it", format_).strip()

    def _tmux(self, *arguments: str) -> str:
        return tmux(self.socket, *arguments)


def tmux(socket: Path, *arguments: str) -> str:
    environment = {**ENVIRONMENT, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    environment.pop("TMUX", None)
    done = subprocess.run(
        ["tmux", "-S", str(socket), "-f", os.devnull, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
        timeout=PATIENCE_S,
    )
    return done.stdout


@contextmanager
def terminal(folder: Path, *flags: str, **environment: str) -> Iterator[Pane]:
    """`socp chat` with these flags in a terminal; its exit code is shown when it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = [f"{name}={value}" for name, value in environment.items()]
    command = shlex.join(["env", *settings, *COMMAND, *flags])
    # The shell stays: what the program left on the screen can still be looked at.
    script = f"{command}; echo ended with $?; exec sleep {PATIENCE_S * 4:.0f}"
    socket = folder / "tmux"
    tmux(socket, "new-session", "-d", "-s", "it", "-x", "90", "-y", "24", "sh", "-c", script)
    try:
        yield Pane(socket)
    finally:
        tmux(socket, "kill-server")
