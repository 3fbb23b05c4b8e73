"""What drives real time has a second chance, which is told; nothing else has one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unsteady import HEADING, REAL_TIME

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
# Each passes the second time, but the last one.
FAILS_ONCE = """
from pathlib import Path
def test_it():
    ran = Path(__file__).with_suffix(".ran")
    first = not ran.exists()
    ran.touch()
    assert not first, "at first"
"""
FAILS = "def test_it():\n    assert not 'at all'\n"
ORDER = "def test_it():\n    print('the other one')\n"


def run(folder: Path, *tests: tuple[str, str]) -> tuple[int, str]:
    """Play a run of these: where each is, and what it says. The exit code, and what is printed."""
    for name, text in tests:
        file = folder / "tests" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    words = ["-p", "tests.unsteady", "--again", "--rootdir", str(folder), "-c", os.devnull]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-s", *words, "tests"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    return done.returncode, done.stdout


def test_who_drives_real_time_is_run_again_after_all_else_and_named(tmp_path: Path) -> None:
    code, said = run(tmp_path, ("tui/test_a.py", FAILS_ONCE), ("wire/test_b.py", ORDER))
    assert code == 0
    assert said.count(HEADING) == 2
    assert said.index("test_a.py::test_it AGAIN") < said.index("the other one")
    assert said.index("the other one") < said.rindex("test_a.py::test_it PASSED")
    assert "AssertionError: at first" in said
    assert "2 passed, 1 to run again" in said


def test_who_fails_twice_has_failed_and_a_pure_one_has_one_chance(tmp_path: Path) -> None:
    code, said = run(tmp_path, ("mesh/test_a.py", FAILS), ("wire/test_b.py", FAILS_ONCE))
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "2 failed, 1 to run again" in said
    assert "test_b.py::test_it AGAIN" not in said
    assert HEADING not in said


def test_the_folders_are_there_and_none_of_them_is_pure() -> None:
    assert all((TESTS / name).is_dir() for name in REAL_TIME)
    pure = {"wire", "crypto", "channel", "files", "node", "member", "sim", "house", "fuzz"}
    assert not REAL_TIME & pure
