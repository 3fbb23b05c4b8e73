"""A consistent copy of a database beside it, whole or not there at all."""

from __future__ import annotations

import errno
import os
from itertools import chain, count
from pathlib import Path

from sqlalchemy import Engine

from socp.storage import dialect
from socp.storage.errors import StorageError


def beside(engine: Engine, file: Path, why: str) -> Path:
    """Copy `file` to `socp.db.<why>.bak`, or `-2.bak` if that is taken, mode 0600."""
    target = _free_name(file, why)
    partial = target.with_name(f"{target.name}.part")
    try:
        _write(engine, partial)
        partial.rename(target)
        sync_folder(file.parent)
    except (OSError, *dialect.RAISED) as fault:
        partial.unlink(missing_ok=True)
        raise StorageError(
            f"{target} cannot be written ({fault}); free some space or make the folder writable: "
            "nothing is upgraded without a backup"
        ) from fault
    return target


def _write(engine: Engine, partial: Path) -> None:
    partial.unlink(missing_ok=True)  # of an upgrade that was killed here
    descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        with engine.connect() as connection:
            dialect.copy(connection, partial)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: to sync a file does not sync its name."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as fault:
        if fault.errno != errno.EINVAL:  # some file systems know no such thing
            raise
    finally:
        os.close(descriptor)


def _free_name(file: Path, why: str) -> Path:
    numbered = (file.with_name(f"{file.name}.{why}-{number}.bak") for number in count(2))
    names = chain([file.with_name(f"{file.name}.{why}.bak")], numbered)
    return next(name for name in names if not name.exists())
