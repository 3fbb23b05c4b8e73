"""Processes that stand for other machines give way to what is measured."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

NICE: Final = 15


def give_way(pid: int) -> None:
    """Of a process with a session of its own. Linux shares the processor between sessions first
    (sched(7), autogroup), and to be nice counts only among the processes of one."""
    os.setpriority(os.PRIO_PROCESS, pid, NICE)
    with suppress(FileNotFoundError):  # a kernel that does not do so
        Path(f"/proc/{pid}/autogroup").write_text(str(NICE))
