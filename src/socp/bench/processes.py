"""What a process takes, read from /proc: its processor time and its memory."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

_RESIDENT: Final = re.compile(r"VmRSS:\s+(\d+) kB")
_PEAK: Final = re.compile(r"VmHWM:\s+(\d+) kB")
_FORGET_PEAK: Final = "5"  # proc(5), clear_refs


def processor_s(pid: int) -> float:
    """What all threads of it had so far; exact to the microsecond where the kernel tells."""
    exact = 0
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            exact += int((task / "schedstat").read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):  # a thread that ends, or no such file
        return stat_s(f"/proc/{pid}/stat")
    return exact / 1e9


def first_thread_s(pid: int) -> float:
    """What its first thread had so far, which has the event loop."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9


def stat_s(file: str) -> float:
    """The same from a `stat` file, in ticks of 10 ms, with threads that have ended."""
    user, system = Path(file).read_text().rpartition(") ")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """The memory it has now."""
    return _status_bytes(pid, _RESIDENT)


def peak_bytes(pid: int) -> int:
    """The most that it had since `forget_peak`."""
    return _status_bytes(pid, _PEAK)


def forget_peak(pid: int) -> None:
    """The most that it had is what it has now."""
    with suppress(PermissionError):
        Path(f"/proc/{pid}/clear_refs").write_text(_FORGET_PEAK)


def _status_bytes(pid: int, line: re.Pattern[str]) -> int:
    found = line.search(Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0
