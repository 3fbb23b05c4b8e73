"""A small file of our own: 0600, whole or not there at all, never through a link.

Everything here blocks.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE_BYTES_MAX: Final = 16 * 1024
_OTHERS: Final = 0o077
_OTHERS_WRITE: Final = 0o022
_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe must not hang us
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class KeyFileError(Exception):
    """A key file that we will not use or could not write: one line that says what to do."""


@dataclass(frozen=True)
class Place:
    """A key file's path and its folder, held open so that nothing is swapped meanwhile."""

    path: Path
    folder: int

    @property
    def name(self) -> str:
        return self.path.name

    def failed(self, verb: str, error: OSError) -> KeyFileError:
        return KeyFileError(f"{self.path} cannot be {verb}: {error.strerror}{_hint(error)}")


@contextlib.contextmanager
def locked_folder(path: Path) -> Iterator[Place]:
    place = _open_folder(path)
    try:
        if stat.S_IMODE(os.fstat(place.folder).st_mode) & _OTHERS_WRITE:
            raise KeyFileError(
                f"others may write in {path.parent} and replace the key; "
                f"run chmod go-w {path.parent}, or keep the key in a folder of its own"
            )
        try:
            fcntl.flock(place.folder, fcntl.LOCK_EX)
        except OSError as error:
            raise place.failed("locked", error) from None
        yield place
    finally:
        os.close(place.folder)


def _open_folder(path: Path) -> Place:
    folder = path.parent
    try:
        missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for made in missing:
            _sync_folder(made.parent)
        return Place(path, os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except OSError as error:
        raise KeyFileError(
            f"the key's folder {folder} cannot be used: {error.strerror}{_hint(error)}"
        ) from None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(place: Place) -> bytes | None:
    try:
        descriptor = os.open(place.name, _READ, dir_fd=place.folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        if _is_link(place):
            raise KeyFileError(
                f"{place.path} is a symbolic link; name the key file itself, or move it here"
            ) from None
        raise place.failed("read", error) from None
    try:
        _check_kept_private(place, os.fstat(descriptor))
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise place.failed("read", error) from None
    finally:
        os.close(descriptor)


def _is_link(place: Place) -> bool:
    try:
        found = os.stat(place.name, dir_fd=place.folder, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISLNK(found.st_mode)


def _check_kept_private(place: Place, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise KeyFileError(f"{place.path} is not a file; name a file for the key")
    if found.st_uid != os.geteuid():
        raise KeyFileError(
            f"{place.path} belongs to another user; run as that user, or chown {os.geteuid()} it"
        )
    if stat.S_IMODE(found.st_mode) & _OTHERS:
        raise KeyFileError(
            f"{place.path} can be read or written by other users; run chmod 600 {place.path}"
        )


def write(place: Place, content: bytes) -> None:
    # Under the folder's lock one name will do; what a killed process left there is cleared away.
    unfinished = f".{place.name}.unfinished"
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(unfinished, dir_fd=place.folder)
        _write_synced(unfinished, content, place.folder)
        os.rename(unfinished, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
        os.fsync(place.folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(unfinished, dir_fd=place.folder)
        raise place.failed("written", error) from None


def _write_synced(name: str, content: bytes, folder: int) -> None:
    descriptor = os.open(name, _CREATE, 0o600, dir_fd=folder)
    with open(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)  # whatever the umask took away
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _hint(error: OSError) -> str:
    match error:
        case PermissionError():
            return "; run as the user it belongs to, or change its owner with chown"
        case NotADirectoryError() | FileExistsError():
            return "; a file stands where a folder is needed, choose another path"
        case _:
            return "; check the disk (full, read-only?) or choose another path"
