"""Real servers as processes, for tests: started, waited for, ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import logbook

PROJECT = Path(__file__).resolve().parents[2]
START_S = 60.0
LISTENING = re.compile(r"Listening on wss?://127\.0\.0\.1:(\d+)")


@dataclass
class Running:
    """One server process and what it logged."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    port: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def log(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, pattern: str, *, seconds: float = START_S) -> re.Match[str]:
        """The first log line that matches. AssertionError with the whole log where none comes."""
        found: re.Match[str] | None = None

        def there() -> bool:
            nonlocal found
            found = next((m for line in self.lines if (m := re.search(pattern, line))), None)
            return found is not None or self.process.poll() is not None

        with self._changed:
            self._changed.wait_for(there, seconds)
        assert found is not None, f"no log line matches {pattern!r}:\n{self.log()}"
        return found

    def read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        self.process.wait()
        with self._changed:
            self._changed.notify_all()

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(60)


RUN_SERVER = (sys.executable, str(PROJECT / "server" / "run_server.py"))


@contextmanager
def running(
    folder: Path, *flags: str, port: int = 0, command: Sequence[str] = RUN_SERVER
) -> Iterator[Running]:
    """`python server/run_server.py` with these flags, its data in `folder`;
    killed at the end at the latest."""
    command = [*command, "--port", str(port), "--data-dir", str(folder / "data"), *flags]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"}
    )
    server = Running(process)
    reader = threading.Thread(target=server.read, daemon=True)
    reader.start()
    try:
        server.port = int(server.wait_for(LISTENING.pattern)[1])
        yield server
    finally:
        process.kill()
        process.wait()
        reader.join()
        if process.stderr is not None:
            process.stderr.close()
        logbook.keep(server.lines)
