"""`script/test` ends as its check and its tests do."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("check", "tests", "code"), [(0, 0, 0), (1, 0, 1), (0, 1, 1), (0, 5, 5), (1, 2, 1)]
)
def test_it_is_well_where_both_are_and_says_what_the_check_found(
    tmp_path: Path, check: int, tests: int, code: int
) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    for place, does in (
        (tmp_path / "script" / "setup", "exit 0"),
        (tmp_path / "script" / "check", f"echo looked through; exit {check}"),
        (python, f'echo "$@"; exit {tests}'),
    ):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"#!/bin/sh\n{does}\n")
        place.chmod(0o755)
    shutil.copy(ROOT / "script" / "test", tmp_path / "script" / "test")
    words = [str(tmp_path / "script" / "test"), "tests/wire", "-k", "two words"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == code
    assert done.stdout == "-m pytest --again --beside cores tests/wire -k two words\n"
    assert done.stderr == ("looked through\n" if check else "")
