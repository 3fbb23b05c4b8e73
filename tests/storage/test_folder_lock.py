"""One process per folder."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from socp.storage import FolderBusy, FolderLock, StorageError
from tests.storage.conftest import file_size_limit

HOLD = """
import sys
from pathlib import Path
from socp.storage import FolderLock
lock = FolderLock.take(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(folder: Path, python_path: dict[str, str]) -> subprocess.Popen[bytes]:
    """Another process that has the lock of `folder`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=python_path,
    )
    assert process.stdout
    assert process.stdout.readline() == b"held\n"
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def test_a_second_opener_is_refused_with_the_pid_of_the_first(
    folder: Path, holder: subprocess.Popen[bytes]
) -> None:
    with pytest.raises(FolderBusy) as refusal:
        FolderLock.take(folder)
    end(holder)
    assert str(refusal.value) == (
        f"{folder} is in use by process {holder.pid}; stop it or choose another --data-dir"
    )


@pytest.mark.threat("S8")
def test_a_killed_holder_leaves_no_lock_behind(
    folder: Path, holder: subprocess.Popen[bytes]
) -> None:
    end(holder)
    with FolderLock.take(folder):
        assert (folder / "socp.lock").read_text() == f"{os.getpid()}\n"


def test_a_released_lock_can_be_taken_again(folder: Path) -> None:
    FolderLock.take(folder).release()
    FolderLock.take(folder).release()


def test_the_same_process_cannot_take_it_twice(folder: Path) -> None:
    with FolderLock.take(folder), pytest.raises(FolderBusy, match=f"process {os.getpid()};"):
        FolderLock.take(folder)


def test_a_refused_opener_changes_nothing(folder: Path) -> None:
    with FolderLock.take(folder):
        before = (folder / "socp.lock").read_bytes()
        with pytest.raises(FolderBusy):
            FolderLock.take(folder, option="--profile")
        assert (folder / "socp.lock").read_bytes() == before


def test_releasing_twice_does_not_close_what_others_opened_since(folder: Path) -> None:
    lock = FolderLock.take(folder)
    lock.release()
    with FolderLock.take(folder):
        lock.release()
        with pytest.raises(FolderBusy):
            FolderLock.take(folder)


@pytest.mark.threat("P3")
def test_a_new_folder_is_for_its_owner_only(folder: Path) -> None:
    with FolderLock.take(folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "socp.lock").stat().st_mode) == 0o600


@pytest.mark.threat("P3")
@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770, 0o720])
def test_a_folder_that_others_may_write_in_is_refused_before_anything_is_written(
    folder: Path, mode: int
) -> None:
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(StorageError, match=f"others may write in {folder}; run chmod go-w"):
        FolderLock.take(folder)
    assert not list(folder.iterdir())


@pytest.mark.threat("P3")
def test_a_lock_that_is_a_link_is_refused_and_what_it_points_to_stays(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    precious = folder / "precious"
    precious.write_text("precious")
    lock = folder / "socp.lock"
    for target in (precious, folder / "absent"):
        lock.symlink_to(target)
        with pytest.raises(StorageError, match=r"socp\.lock is not a file; find out who put it"):
            FolderLock.take(folder)
        lock.unlink()
    assert precious.read_text() == "precious"
    assert list(folder.iterdir()) == [precious]


@pytest.mark.threat("P3")
def test_a_lock_that_is_a_pipe_or_a_folder_is_refused_at_once(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    lock = folder / "socp.lock"
    os.mkfifo(lock)
    with pytest.raises(StorageError, match="is not a file"):
        FolderLock.take(folder)
    lock.unlink()
    lock.mkdir()
    with pytest.raises(StorageError, match="is not a file"):
        FolderLock.take(folder)


def test_a_folder_that_cannot_be_made_is_one_line_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file/data cannot be used: Not a directory; make it"):
        FolderLock.take(tmp_path / "file" / "data")


@pytest.mark.threat("S8")
def test_a_lock_that_cannot_be_written_is_one_line_and_lets_go(folder: Path) -> None:
    with file_size_limit(0), pytest.raises(StorageError, match="cannot be used: File too large;"):
        FolderLock.take(folder)
    FolderLock.take(folder).release()
