"""Files being received: a private temporary file, named only when it is complete and right.

One that may be gone on with later has a name of its own, and lies there until then, for 30 days.

Everything here blocks, and a sink may be used by one thread after another (threat M5).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import stat
import threading
import time
from pathlib import Path
from typing import Final

from socp.client.errors import FileUnstorable, FileWrong
from socp.files.names import next_free, safe_name
from socp.wire import limits

PARTS: Final = ".socp-parts"
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_CREATE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ_BYTES: Final = limits.MIB
_SPARE_BYTES: Final = 16 * limits.MIB  # a disk filled to the brim harms everything else on it
_ABANDONED_S: Final = 60
_LASTS_S: Final = 30 * 24 * 3600
_LASTS: Final = ".part"  # ends the names of those that may be gone on with
_PART: Final = re.compile(r"[0-9a-f]{32}\Z")
_GO_ON: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_HASH_BYTES: Final = 32
_BLOCK_BYTES: Final = 512  # of st_blocks
_NAMES_TRIED: Final = 10_000
# Some file systems (FAT, a few network ones) have no second names for a file.
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK})


class Downloads:
    """The folder where files land; made when the first one comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open_sink(self, size: int, part: str = "") -> Sink:
        """A temporary file for `size` bytes, or FileUnstorable; with `part` (32 hex digits) the one
        of an earlier attempt, if it is there."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = os.open(self.folder, _FOLDER)
        except OSError as fault:
            raise _unstorable(self.folder, fault) from None
        try:
            return self._sink(folder, size, part)
        except OSError as fault:
            os.close(folder)
            raise _unstorable(self.folder, fault) from None
        except BaseException:
            os.close(folder)
            raise

    def _sink(self, folder: int, size: int, part: str) -> Sink:
        parts = _open_parts(folder)
        try:
            name = f"{_checked(part)}{_LASTS}" if part else secrets.token_hex(16)
            disk = os.fstatvfs(folder)
            free = disk.f_bavail * disk.f_frsize + _taken_by(parts, name)
            if free < size + _SPARE_BYTES:
                room = max(free - _SPARE_BYTES, 0) // limits.MIB
                raise FileUnstorable(f"{self.folder} has room for {room} MiB only; make room")
            return Sink(self.folder, folder, parts, name, lasts=bool(part))
        except BaseException:
            os.close(parts)
            raise

    def drop_part(self, part: str) -> None:
        """Nobody goes on with this one. Harmless where it is not there."""
        with contextlib.suppress(OSError):
            os.unlink(self.folder / PARTS / f"{_checked(part)}{_LASTS}")

    def sweep(self) -> None:
        """Remove what killed processes left half received, and what nobody went on with for 30
        days. Files that somebody writes now stay."""
        with contextlib.suppress(OSError):
            folder = os.open(self.folder, _FOLDER)
            try:
                parts = os.open(PARTS, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
                try:
                    for name in os.listdir(parts):
                        _sweep_one(parts, name)
                finally:
                    os.close(parts)
            finally:
                os.close(folder)


class Sink:
    """One temporary file. After `finish` or `drop` it is closed, and only `drop` may be called."""

    def __init__(
        self, folder: Path, folder_fd: int, parts_fd: int, name: str, *, lasts: bool
    ) -> None:
        self._folder = folder
        self._folder_fd = folder_fd
        self._parts_fd = parts_fd
        self._name = name
        self._lock = threading.Lock()
        self._lasts = lasts
        self._file: int | None = (_gone_on if lasts else _made)(folder, name, parts_fd)

    def look_through(self, piece: int, hashes: bytes) -> int:
        """How many of its first pieces of so many bytes have their SHA-256 in `hashes`, or
        FileUnstorable."""
        with self._lock:
            file = self._open_file()
            try:
                for index in range(len(hashes) // _HASH_BYTES):
                    right = hashes[index * _HASH_BYTES : (index + 1) * _HASH_BYTES]
                    found = os.pread(file, piece, index * piece)
                    if hashlib.sha256(found).digest() != right:
                        return index
            except OSError as fault:
                raise _unstorable(self._folder, fault) from None
            return len(hashes) // _HASH_BYTES

    def write(self, offset: int, data: bytes) -> None:
        """Put the bytes at their place, or FileUnstorable."""
        with self._lock:
            file = self._open_file()
            try:
                view = memoryview(data)
                while view:
                    written = os.pwrite(file, view, offset)
                    view, offset = view[written:], offset + written
            except OSError as fault:
                raise _unstorable(self._folder, fault) from None

    def finish(self, name: str, size: int, sha256: str) -> Path:
        """Check what is on the disk, give it a name not taken; its path. Else FileUnstorable."""
        with self._lock:
            file = self._open_file()
            try:
                _check(file, size, sha256)
                os.fsync(file)
                path = self._folder / self._named(name)
                os.fsync(self._folder_fd)
            except OSError as fault:
                self._close(remove=not self._lasts)
                raise _unstorable(self._folder, fault) from None
            except FileWrong:
                self._close(remove=True)
                raise
            except BaseException:
                self._close(remove=not self._lasts)
                raise
            self._close(remove=True)
            return path

    def leave(self) -> None:
        """Close the temporary file, and leave it if it may be gone on with. Harmless when repeated,
        or after `finish`."""
        with self._lock:
            self._close(remove=not self._lasts)

    def drop(self) -> None:
        """Remove the temporary file. Harmless when repeated, or after `finish`."""
        with self._lock:
            self._close(remove=True)

    def _named(self, name: str) -> str:
        safe = safe_name(name)  # the brain did so before; here is where it would do harm
        for number in range(1, _NAMES_TRIED):
            candidate = safe if number == 1 else next_free(safe, number)
            if self._claimed(candidate):
                return candidate
        raise FileUnstorable(f"{self._folder} is full of files of that name; move some away")

    def _claimed(self, name: str) -> bool:
        """Give the file this name unless something has it, be it a dangling link."""
        try:
            os.link(
                self._name,
                name,
                src_dir_fd=self._parts_fd,
                dst_dir_fd=self._folder_fd,
                follow_symlinks=False,
            )
        except FileExistsError:
            return False
        except OSError as fault:
            if fault.errno not in _NO_LINKS:
                raise
            return self._claimed_without_links(name)
        return True

    def _claimed_without_links(self, name: str) -> bool:
        try:
            os.close(os.open(name, _CREATE, 0o600, dir_fd=self._folder_fd))
        except FileExistsError:
            return False
        os.rename(self._name, name, src_dir_fd=self._parts_fd, dst_dir_fd=self._folder_fd)
        return True

    def _open_file(self) -> int:
        if self._file is None:
            raise FileUnstorable("the transfer is over")
        return self._file

    def _close(self, *, remove: bool) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        if remove:
            with contextlib.suppress(OSError):
                os.unlink(self._name, dir_fd=self._parts_fd)
        for descriptor in (file, self._parts_fd, self._folder_fd):
            os.close(descriptor)


def _open_parts(folder: int) -> int:
    with contextlib.suppress(FileExistsError):
        os.mkdir(PARTS, 0o700, dir_fd=folder)
    return os.open(PARTS, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)


def _made(_folder: Path, name: str, parts: int) -> int:
    """A new temporary file, locked: that says to `sweep` that it is in use."""
    descriptor = os.open(name, _CREATE, 0o600, dir_fd=parts)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _gone_on(folder: Path, name: str, parts: int) -> int:
    """The temporary file of an earlier attempt, or a new one; locked.

    One with a second name was whole when a program was killed that had just named it: this name
    goes. So does whatever else lies there, untouched.
    """
    with contextlib.suppress(FileNotFoundError):
        if not _is_mine(os.stat(name, dir_fd=parts, follow_symlinks=False)):
            os.unlink(name, dir_fd=parts)
    descriptor = os.open(name, _GO_ON, 0o600, dir_fd=parts)
    try:
        if not _is_mine(os.fstat(descriptor)):
            raise FileUnstorable(f"{folder}: {name} in {PARTS} is not ours; remove it")
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise FileUnstorable(
            f"{folder}: another program receives this file; end it, or choose another --downloads"
        ) from None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _is_mine(found: os.stat_result) -> bool:
    """Whether to write to it harms nothing else."""
    alone = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
    return alone and found.st_uid == os.geteuid()


def _checked(part: str) -> str:
    """The name of a part, which its sender has no say in; here is where it would do harm."""
    if not _PART.match(part):
        raise FileUnstorable("a temporary file of no such name")
    return part


def _taken_by(parts: int, name: str) -> int:
    """Bytes of the disk that are its own already."""
    try:
        return os.stat(name, dir_fd=parts, follow_symlinks=False).st_blocks * _BLOCK_BYTES
    except OSError:
        return 0


def _check(file: int, size: int, sha256: str) -> None:
    if os.fstat(file).st_size != size:
        raise FileWrong("it is not complete; ask for it again")
    found, at = hashlib.sha256(), 0
    while data := os.pread(file, _READ_BYTES, at):
        found.update(data)
        at += len(data)
    if found.hexdigest() != sha256:
        raise FileWrong("its SHA-256 is not the one its sender gave; ask for it again")


def _sweep_one(parts: int, name: str) -> None:
    with contextlib.suppress(OSError):
        file = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parts)
        try:
            # A file is made an instant before it is locked: a young one may have an owner yet.
            lasts_s = _LASTS_S if name.endswith(_LASTS) else _ABANDONED_S
            if time.time() - os.fstat(file).st_mtime > lasts_s:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(name, dir_fd=parts)
        finally:
            os.close(file)


def _unstorable(folder: Path, fault: OSError) -> FileUnstorable:
    match fault.errno:
        case errno.ENOSPC | errno.EDQUOT:
            remedy = "make room"
        case errno.EFBIG:
            remedy = "its file system takes no file that large; choose another --downloads"
        case _:
            remedy = "make it writable or choose another --downloads"
    return FileUnstorable(f"{folder}: {fault.strerror}; {remedy}")
