"""The server under test: `socp serve` as anybody starts it, in a folder of its own, its log in a
file; and the references, which are processes too."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from socp.bench import processes
from socp.bench.giving_way import give_way
from socp.bench.sample import Sample
from socp.bench.trouble import CannotMeasure

LOG: Final = "serve.log"
START_S: Final = 60
END_S: Final = 10
_LOOK_S: Final = 0.005
_LISTENING: Final = re.compile(r"Listening on (ws://127\.0\.0\.1:\d+)")


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs; `pid` is 0 where it is not ours, and cannot be looked into."""

    url: str
    pid: int = 0
    folder: Path = Path()

    def processor_s(self) -> float | None:
        """What it had of the processor so far."""
        return processes.processor_s(self.pid) if self.pid else None

    def resident_bytes(self) -> int:
        """The memory it has now."""
        return processes.resident_bytes(self.pid)


class Watch:
    """Measures one run beside the process that does the work."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._processor_s = server.processor_s()
        self._began_s = time.perf_counter()
        self._took_s = 0.0

    def stop(self) -> None:
        """What comes now is still counted of the processor, and no longer of the clock."""
        self._took_s = time.perf_counter() - self._began_s

    def sample(self, count: int) -> Sample:
        """So much was done since."""
        clock_s = self._took_s or time.perf_counter() - self._began_s
        processor_s = self._server.processor_s()
        if processor_s is not None and self._processor_s is not None:
            processor_s -= self._processor_s
        return Sample(count, clock_s, processor_s)


@contextmanager
def serving(
    folder: Path, *options: str, bootstrap: str = "none", gives_way: bool = False
) -> Iterator[Server]:
    """A server with default settings, but for where it keeps its data, a free port, and whom it
    knows: the servers that others may run on this machine are not its peers. It gives way where
    it is not what is measured, but stands for another machine."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["serve", "--port", "0", "--data-dir", str(folder), "--bootstrap", bootstrap, *options]
    log = folder / LOG
    with log.open("wb") as lines:
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "socp.cli.main", *words],
            stderr=lines,
            stdin=subprocess.DEVNULL,
            start_new_session=gives_way,
        )
    try:
        if gives_way:
            give_way(process.pid)
        yield Server(_listening(process, log), process.pid, folder)
    finally:
        _end(process)


def _listening(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where it listens. Raises CannotMeasure."""
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s and process.poll() is None:
        if found := _LISTENING.search(log.read_text(errors="replace")):
            return found[1]
        time.sleep(_LOOK_S)
    raise CannotMeasure(f"the server did not start: {log.read_text(errors='replace')[-300:]}")


def _end(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Reference:
    """A process that does one bare thing when it is asked: a line of JSON in, one out."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid

    def ask(self, *words: object) -> Any:
        """Do it, and say what came of it."""
        assert self._process.stdin is not None
        print(json.dumps(words), file=self._process.stdin, flush=True)
        return self.heard()

    def heard(self) -> Any:
        """The next line it says. Raises CannotMeasure where there is none."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise CannotMeasure("a reference ended before it was asked to")
        return json.loads(line)


@contextmanager
def reference(module: str, *words: str) -> Iterator[Reference]:
    """`python -m socp.bench.MODULE`, running."""
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", f"socp.bench.{module}", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Reference(process)
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def bare_server() -> Iterator[Server]:
    """A bare aiohttp server, at whose paths is what a server of messages is compared with."""
    with reference("bare_server") as process:
        yield Server(f"ws://127.0.0.1:{process.heard()}", process.pid)


def option_exists(name: str) -> bool:
    """Whether `socp serve` has this option."""
    from socp.server import flags

    return any(name in each.opts for each in flags.command.params)


def sample_of(answer: Sequence[float]) -> Sample:
    """What a reference says: how much, in how many s, with how many of the processor."""
    count, clock_s, processor_s = answer
    return Sample(int(count), clock_s, processor_s)
