"""Log lines for people, `LEVEL:logger:message` or JSON, on standard error by a thread of their own.

The event loop never waits for whoever reads standard error, and nothing that a peer said reaches a
terminal unescaped (I8) or holds a key or a ciphertext in full (P5).
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from typing import Final, TextIO

from socp.node.budget import LOG_BYTES
from socp.wire.text import printable

TRACE: Final = 5
LINE_CHARS_MAX: Final = 4_000
FLUSH_S: Final = 0.5

_LONG: Final = re.compile(r'"([^"\\]{40,})"')
_KEPT_CHARS: Final = 12
_CODE: Final = re.compile(r'"invitation"\s*:\s*"[^"]*"')


def shortened(data: bytes) -> str:
    """A frame as one readable line: keys, signatures and ciphertexts by their first characters."""
    text = _CODE.sub('"invitation":"..."', data.decode(errors="backslashreplace"))
    return _LONG.sub(lambda m: f'"{m[1][:_KEPT_CHARS]}...({len(m[1])})"', text)[:LINE_CHARS_MAX]


class PlainFormat(logging.Formatter):
    """LEVEL:logger:message. Line breaks are left in our own tracebacks alone."""

    def format(self, record: logging.LogRecord) -> str:
        message = printable(record.getMessage()[:LINE_CHARS_MAX])
        line = f"{record.levelname}:{record.name}:{message}"
        if record.exc_info:
            line += "\n" + printable(self.formatException(record.exc_info), multiline=True)
        return line


class JsonFormat(logging.Formatter):
    """One object a line: time (UTC), level, logger, message, and traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        members = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": printable(record.getMessage()[:LINE_CHARS_MAX]),
        }
        if record.exc_info:
            members["traceback"] = self.formatException(record.exc_info)
        return json.dumps(members)


class LogWriter(logging.Handler):
    """Hands lines to a thread that writes them. What nobody reads is dropped and counted."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: deque[str] = deque()
        self._came = 0  # bytes of lines, ever; ...
        self._went = 0  # ... and of those that wait no more: each thread counts its own
        self._dropped = 0
        self._wake = threading.Semaphore(0)
        self._written = threading.Condition()
        threading.Thread(target=self._run, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        if self._came - self._went >= LOG_BYTES:
            self._dropped += 1
            return
        line = self.format(record)
        self._came += sys.getsizeof(line)
        self._lines.append(line)
        self._wake.release()

    def flush(self) -> None:
        """Wait until all is written, half a second at most."""
        with self._written:
            self._written.wait_for(lambda: not self._lines, FLUSH_S)

    def _run(self) -> None:
        while True:
            self._wake.acquire()
            line = self._lines[0]
            size = sys.getsizeof(line)
            if self._dropped:
                line += f"\n{self.format(_loss(self._dropped))}"
                self._dropped = 0
            with contextlib.suppress(OSError, ValueError):  # nobody listens any more; we go on
                self._stream.write(line + "\n")
                self._stream.flush()
            self._lines.popleft()
            self._went += size
            with self._written:
                self._written.notify_all()


def _loss(count: int) -> logging.LogRecord:
    return logging.makeLogRecord(
        {
            "name": "server.server",
            "levelno": logging.WARNING,
            "levelname": "WARNING",
            "msg": f"{count} log lines dropped, nobody read them",
        }
    )


def start(level: str, style: str) -> LogWriter:
    """Send all logging to standard error: `level` of `flags.LEVELS`, `style` plain or json."""
    logging.addLevelName(TRACE, "TRACE")
    writer = LogWriter(sys.stderr)
    writer.setFormatter(JsonFormat() if style == "json" else PlainFormat())
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    root.addHandler(writer)
    root.setLevel(TRACE if level == "trace" else level.upper())
    # Libraries speak when something is wrong; what they say in passing is not for the operator.
    for library in ("aiohttp", "asyncio", "alembic", "sqlalchemy"):
        logging.getLogger(library).setLevel(logging.WARNING)
    return writer
