"""One process per folder, by a lock of the kernel: a killed holder leaves nothing behind (S8)."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from socp.storage.errors import FolderBusy, StorageError

FILE_NAME = "socp.lock"
PID_BYTES_MAX = 20
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class FolderLock:
    """Held from `take` to `release`. The file names the holder's pid, and says nothing else."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, folder: Path, *, option: str = "--data-dir") -> FolderLock:
        """Lock `folder`, made with mode 0700 where it is missing.

        `option` is how people choose another folder. FolderBusy names the process that has the
        lock; StorageError says why there cannot be one.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = _opened(folder, option)
        except OSError as fault:
            raise StorageError(_unusable(folder, fault, option)) from fault
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        except BlockingIOError as fault:
            holder = _holder(descriptor)
            os.close(descriptor)
            line = f"{folder} is in use by {holder}; stop it or choose another {option}"
            raise FolderBusy(line) from fault
        except OSError as fault:
            os.close(descriptor)
            raise StorageError(_unusable(folder, fault, option)) from fault
        return cls(descriptor)

    def release(self) -> None:
        """Let others in. The file stays: to delete it would race with the next to take it."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def _opened(folder: Path, option: str) -> int:
    """The lock file, made where it is missing, and nothing but a file in a folder of our own:
    where others may write, they could make us write elsewhere."""
    within = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if os.fstat(within).st_mode & _OTHERS_WRITE:
            raise StorageError(
                f"others may write in {folder}; run chmod go-w {folder}, or choose another {option}"
            )
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(FILE_NAME, flags, 0o600, dir_fd=within)
        except OSError as fault:
            if fault.errno in (errno.ELOOP, errno.EISDIR):
                raise _no_file(folder) from fault
            raise
    finally:
        os.close(within)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _no_file(folder)
    return descriptor


def _no_file(folder: Path) -> StorageError:
    return StorageError(f"{folder / FILE_NAME} is not a file; find out who put it there, remove it")


def _holder(descriptor: int) -> str:
    pid = os.pread(descriptor, PID_BYTES_MAX, 0).strip().decode("ascii", "replace")
    # Empty for the instant between the holder's lock and its writing.
    return f"process {pid}" if pid.isdecimal() else "another process"


def _unusable(folder: Path, fault: OSError, option: str) -> str:
    remedy = f"make it writable for this user or choose another {option}"
    return f"{folder} cannot be used: {fault.strerror}; {remedy}"
