"""Tests that run side by side come out as one run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.beside import ENDED
from tests.unsteady import HEADING

ROOT = Path(__file__).parents[2]
PASSES = "import os\ndef test_it(tmp_path):\n    print('in', os.getpid())\n"
TWO = """
import os
import pytest

@pytest.fixture(scope="module")
def made():
    yield os.getpid()
    print("put away")

@pytest.mark.parametrize("n", (1, 2))
def test_it(n, made):
    print("said", n, "in", os.getpid())
    assert made == os.getpid()
    assert n == 1, "two is not one"
"""
DIES = """
import os
def test_before(): pass
def test_it(): os._exit(7)
def test_after(): pass
"""
ALONE = """
import os
from pathlib import Path
import pytest
def test_beside():
    Path(__file__).with_suffix(".beside").write_text(str(os.getpid()))
@pytest.mark.alone
def test_it():
    files = list(Path(__file__).parent.glob("*.beside"))
    assert len(files) == 2
    for file in files:
        assert int(file.read_text()) != os.getpid()
        with pytest.raises(ProcessLookupError):
            os.kill(int(file.read_text()), 0)
"""
SHARED = """
import os
import pytest

@pytest.fixture(scope="session")
def dear(request):
    yield
    (request.config.rootpath / f"{os.getpid()}.put-away").touch()
"""
TAKES = "def test_it(dear): pass\ndef test_too(dear): pass\n"
FAILS_ONCE = """
from pathlib import Path
def test_it():
    ran = Path(__file__).with_suffix(".ran")
    first = not ran.exists()
    ran.touch()
    assert not first, "at first"
"""


def run(folder: Path, files: dict[str, str], *flags: str) -> tuple[int, str]:
    """Play a run of these in two processes. The exit code, and what is printed."""
    for name, text in files.items():
        file = folder / "tests" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    words = ["-p", "no:asyncio", "-p", "tests.beside", "--beside", "2", "--rootdir", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "-c", os.devnull, *flags, "tests"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert not done.stderr
    return done.returncode, done.stdout


def test_the_tests_of_a_file_stay_together_and_a_failure_is_told_in_full(tmp_path: Path) -> None:
    code, said = run(tmp_path, {"test_a.py": TWO, "test_b.py": PASSES, "test_c.py": TWO})
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "collected 5 items" in said
    assert "tests/test_a.py .F" in said
    assert "tests/test_c.py .F" in said
    assert said.count("AssertionError: two is not one") == 2 + 2  # in full, and in the summary
    assert said.count("said 2 in") == 2
    assert said.count("put away") == 2
    assert "2 failed, 3 passed" in said


def test_all_is_well_where_all_pass(tmp_path: Path) -> None:
    files = {f"test_{n}.py": PASSES for n in range(9)}
    code, said = run(tmp_path, files, "-rP")
    assert code == 0
    assert "9 passed" in said
    pids = [line for line in said.splitlines() if line.startswith("in ")]
    assert len(pids) == 9
    assert len(set(pids)) == 2


def test_what_is_to_be_alone_runs_when_the_others_have_ended(tmp_path: Path) -> None:
    files = {"test_a.py": ALONE, "test_b.py": ALONE, "test_c.py": PASSES}
    code, said = run(tmp_path, files)
    assert code == 0, said
    assert "5 passed" in said


def test_what_the_tests_of_a_process_share_is_put_away_at_its_end(tmp_path: Path) -> None:
    files = {"conftest.py": SHARED, "test_a.py": TAKES, "test_b.py": TAKES, "test_c.py": TAKES}
    code, said = run(tmp_path, files)
    assert code == 0
    assert "6 passed" in said
    assert len(list(tmp_path.glob("*.put-away"))) == 2


def test_a_process_that_ends_fails_its_test_and_the_others_are_run(tmp_path: Path) -> None:
    code, said = run(tmp_path, {"test_a.py": DIES, "test_b.py": PASSES, "test_c.py": DIES})
    assert code == pytest.ExitCode.TESTS_FAILED
    assert said.count(f"{ENDED} 7") >= 2
    assert "2 failed, 5 passed" in said


def test_it_stops_where_it_was_asked_to(tmp_path: Path) -> None:
    files = {"test_a.py": TWO, **{f"test_b{n}.py": PASSES for n in range(9)}, "test_c.py": TWO}
    code, said = run(tmp_path, files, "-x")
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "stopping after 1 failures" in said
    assert "1 failed" in said


def test_what_could_not_be_put_away_is_a_fault_of_the_run(tmp_path: Path) -> None:
    broken = SHARED.replace("yield", "yield\n    raise OSError('it stays')")
    files = {"conftest.py": broken, "test_a.py": TAKES, "test_b.py": TAKES}
    with pytest.raises(AssertionError, match="it stays"):  # on its standard error
        run(tmp_path, files)


def test_who_failed_beside_others_is_run_again_alone(tmp_path: Path) -> None:
    files = {"tui/test_a.py": FAILS_ONCE, "wire/test_b.py": FAILS_ONCE, "wire/test_c.py": PASSES}
    code, said = run(tmp_path, files, "-v", "-p", "tests.unsteady", "--again")
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "tests/tui/test_a.py::test_it AGAIN" in said
    assert "tests/tui/test_a.py::test_it PASSED" in said
    assert said.count(HEADING) == 2
    assert said.count("AssertionError: at first") >= 2
    assert "1 failed, 2 passed, 1 to run again" in said
