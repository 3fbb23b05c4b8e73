"""What something was measured on, in one line: figures of two machines do not compare."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from importlib.metadata import version
from pathlib import Path
from typing import Final

_MODEL: Final = re.compile(r"model name\s*:\s*(.+)")
_LIBRARIES: Final = ("aiohttp", "uvloop", "cryptography", "msgspec", "SQLAlchemy")


def machine() -> str:
    """Processor and Python."""
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores,"
        f" Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def whole_machine() -> str:
    """The same with what else decides how fast a server is, and who else is at work."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return f"{_model()}{machine()}, {libraries}, load {os.getloadavg()[0]:.1f}"


def _model() -> str:
    try:
        found = _MODEL.search(Path("/proc/cpuinfo").read_text())
    except OSError:
        return ""
    return f"{found[1].strip()}, " if found else ""


def verdict(met: bool) -> str:
    """Of a goal."""
    return "met" if met else "MISSED"
