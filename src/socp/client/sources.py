"""Files being sent: measured and hashed once, then read piece by piece. Everything here blocks."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from socp.client.errors import FileUnsendable
from socp.wire import limits
from socp.wire.text import printable

# O_NONBLOCK: a pipe that nobody writes to must not hang us.
_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class Reader:
    """What reads pieces of an open file, as it was when it was measured."""

    descriptor: int
    name: str
    size: int  # bytes
    modified_ns: int

    def read(self, offset: int, size: int) -> bytes:
        """The piece, or FileUnsendable where the file is not the one that was measured any more."""
        try:
            data = os.pread(self.descriptor, size, offset)
            found = os.fstat(self.descriptor)
        except OSError as fault:
            raise FileUnsendable(f"{self._shown} cannot be read: {fault.strerror}") from None
        if len(data) != size or (found.st_size, found.st_mtime_ns) != (self.size, self.modified_ns):
            raise FileUnsendable(
                f"{self._shown} changed while it was being sent; send it again when it is complete"
            )
        return data

    def close(self) -> None:
        """Once, when nothing reads any more."""
        os.close(self.descriptor)

    @property
    def _shown(self) -> str:
        return printable(self.name)


@dataclass(frozen=True, slots=True)
class Source(Reader):
    """A file that was measured. `chunk_hashes` as OfferFile wants them."""

    path: Path  # absolute
    sha256: str  # hex
    chunk_hashes: bytes


def reopen(path: Path, size: int, modified_ns: int) -> Reader:
    """A file that was measured in an earlier run; FileUnsendable where it is another by now."""
    reader = Reader(_opened(path), path.name, size, modified_ns)
    try:
        reader.read(0, 0)
    except BaseException:
        reader.close()
        raise
    return reader


def look(path: Path) -> None:
    """FileUnsendable where it is clear at once, before anybody is dialled or waited for."""
    descriptor = _opened(path)
    try:
        _sendable(os.fstat(descriptor), printable(str(path)))
    finally:
        os.close(descriptor)


def measure(path: Path) -> Source:
    """Open and hash the file; FileUnsendable says in one line why it cannot be sent."""
    shown = printable(str(path))
    descriptor = _opened(path)
    try:
        return _measured(descriptor, path, shown)
    except OSError as fault:
        os.close(descriptor)
        raise FileUnsendable(f"{shown} cannot be read: {fault.strerror}") from None
    except BaseException:
        os.close(descriptor)
        raise


def _opened(path: Path) -> int:
    shown = printable(str(path))
    try:
        return os.open(path, _READ)
    except OSError as fault:
        raise FileUnsendable(f"{shown} cannot be read: {fault.strerror}") from None
    except ValueError:  # a null byte in the path
        raise FileUnsendable(f"{shown} is no path") from None


def _sendable(found: os.stat_result, shown: str) -> None:
    """FileUnsendable."""
    if stat.S_ISDIR(found.st_mode):
        raise FileUnsendable(f"{shown} is a folder; pack it into one file first")
    if not stat.S_ISREG(found.st_mode):
        raise FileUnsendable(f"{shown} is not a file")
    if found.st_size > limits.FILE_BYTES:
        raise FileUnsendable(
            f"{shown} is too large: it has {found.st_size:,} bytes "
            f"and {limits.FILE_BYTES:,} can be sent; send it in parts"
        )


def _measured(descriptor: int, path: Path, shown: str) -> Source:
    before = os.fstat(descriptor)
    _sendable(before, shown)
    whole, pieces, size = hashlib.sha256(), bytearray(), 0
    while size <= before.st_size and (piece := os.pread(descriptor, limits.FILE_CHUNK_BYTES, size)):
        whole.update(piece)
        pieces += hashlib.sha256(piece).digest()
        size += len(piece)
    after = os.fstat(descriptor)
    if size != before.st_size or after.st_mtime_ns != before.st_mtime_ns:
        raise FileUnsendable(f"{shown} is being written to; send it when it is complete")
    return Source(
        descriptor=descriptor,
        name=path.name,
        size=size,
        modified_ns=before.st_mtime_ns,
        path=path.absolute(),
        sha256=whole.hexdigest(),
        chunk_hashes=bytes(pieces),
    )
