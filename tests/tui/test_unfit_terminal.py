"""Where nothing can be drawn, it is said why, and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "socp.cli.main", "tui", "--profile-dir"]


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"TERM": "dumb"}, "`socp chat` talks line by line"),
        ({"PYTHONIOENCODING": "iso8859-1"}, "begin it with LC_ALL=C.UTF-8"),
    ],
)
def test_a_terminal_that_cannot_show_it(
    tmp_path: Path, environment: dict[str, str], why: str
) -> None:
    ours, theirs = os.openpty()
    ended = subprocess.run(
        [*COMMAND, str(tmp_path / "profile")],
        env={**os.environ, "TERM": "xterm", **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        timeout=100,
    )
    os.close(theirs)
    assert why in os.read(ours, 10_000).decode()
    os.close(ours)
    assert ended.returncode == 2


@pytest.mark.parametrize("missing", ["stdin", "stdout", "stderr"])
def test_no_terminal_at_all(tmp_path: Path, missing: str) -> None:
    ours, theirs = os.openpty()
    ended = subprocess.run(
        [*COMMAND, str(tmp_path / "profile")],
        stdin=subprocess.DEVNULL if missing == "stdin" else theirs,
        stdout=subprocess.PIPE if missing == "stdout" else theirs,
        stderr=subprocess.PIPE if missing == "stderr" else theirs,
        timeout=100,
    )
    os.close(theirs)
    said = ended.stderr if missing == "stderr" else os.read(ours, 10_000)
    os.close(ours)
    assert b"the full screen needs a terminal" in said
    assert ended.returncode == 2
