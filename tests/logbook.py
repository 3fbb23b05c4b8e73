"""Every log line of the whole run, kept until its end,
so that one test can look for secrets in all of them (P5).

It is a folder, for the processes of a run share it (`tests/beside.py`)."""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

PARTS = ("server", "client")  # what all our loggers begin with; a test says so
TEXT_CHARS_MIN = 6  # shorter ones stand in any log by chance

_folder = tempfile.TemporaryDirectory(prefix="socp-logbook-")
_said: set[str] = set()
_written = 0


def keep(lines: Iterable[str], *, kind: str = "log") -> None:
    """What one process wrote: its "log", or the "screen" of a client,
    which may show what people say."""
    global _written
    _written += 1
    Path(_folder.name, f"{os.getpid()}-{_written}.{kind}").write_text("\n".join(lines))


def said(text: str) -> None:
    """A person wrote this: no server's or client's log may hold it."""
    if len(text) >= TEXT_CHARS_MIN and text not in _said:
        _said.add(text)
        with Path(_folder.name, f"{os.getpid()}.said").open("a") as file:
            print(json.dumps(text), file=file)


def commanded(line: str) -> None:
    """A line typed into the chat: what of it is a message."""
    message = re.match(r'/(?:tell\s+(?:"[^"]*"|\S+)|all)\s+(.*)', line)
    if message is not None:
        said(message[1])


def texts() -> frozenset[str]:
    """All that people wrote so far."""
    files = Path(_folder.name).glob("*.said")
    return frozenset(json.loads(line) for file in files for line in file.read_text().splitlines())


def written(kind: str = "log") -> list[str]:
    """All that was written so far, one text a process."""
    return [path.read_text() for path in sorted(Path(_folder.name).glob(f"*.{kind}"))]


def listen() -> None:
    """Keep what is logged inside the test process too: of our own parts every level there is."""
    logging.getLogger().addHandler(logging.FileHandler(Path(_folder.name, "tests.log")))
    for part in PARTS:
        logging.getLogger(part).setLevel(1)
