"""Backups: one SQLite file with all rows and the folder's key file, whichever database is in use.

It is consistent however busy the server is, for its owner's eyes only, and whole or not there.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import chain, count
from pathlib import Path

from sqlalchemy import Connection, MetaData, Table, select
from sqlalchemy.exc import DBAPIError

from socp.storage import sqlite
from socp.storage.dialect import Dialect
from socp.storage.errors import StorageError
from socp.storage.folders import sync_folder
from socp.storage.formats import VERSION_TABLE, Schema, format_of, make
from socp.storage.inspection import Reader, counted

FILES_TABLE = "backup_files"  # in a backup only: name and content of files beside the database
MAKE_FILES_TABLE = f"CREATE TABLE {FILES_TABLE} (name TEXT PRIMARY KEY, content BLOB NOT NULL)"
PUT_FILE = f"INSERT INTO {FILES_TABLE} VALUES (?, ?)"  # noqa: S608 - ours
GET_FILES = f"SELECT name, content FROM {FILES_TABLE}"  # noqa: S608 - ours
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
ROWS_AT_ONCE = 100  # a row may be a few hundred KB


def beside(dialect: Dialect, schema: Schema, folder: Path, why: str) -> Path:
    """Copy the database to `socp.db.<why>.bak` in `folder`, or `-2.bak` if that is taken.

    Of a file it is the same file again, which the former version can use where it was. Of another
    database it is a backup as `write` makes it.
    """
    target = _free_name(folder, why)
    source = dialect.file
    faults: tuple[type[Exception], ...] = (OSError, *dialect.raised)
    try:
        if source:
            whole(target, lambda partial: sqlite.copy(source, partial))
        else:
            files = {name: folder / name for name in schema.files}
            kept = {name: file.read_bytes() for name, file in files.items() if file.is_file()}
            whole(target, lambda partial: _fill(dialect, schema, kept, partial))
    except faults as fault:
        raise StorageError(
            f"{target} cannot be written ({fault}); free some space or make the folder writable: "
            "nothing is upgraded without a backup"
        ) from fault
    return target


def write(dialect: Dialect, schema: Schema, files: Mapping[str, bytes], target: Path) -> None:
    """Write a backup of a database that may be in use, ours or another process's.

    All that was committed before this was called is in it. StorageError, and then nothing is left.
    """
    if os.path.lexists(target):
        raise StorageError(f"{target} is there already; choose another name, or a folder")
    faults: tuple[type[Exception], ...] = (OSError, sqlite3.Error, *dialect.raised)
    try:
        whole(
            target,
            lambda partial: dialect.drive(lambda: _fill(dialect, schema, files, partial)),
        )
    except faults as fault:
        told = _explain(fault, dialect, target)
    else:
        return
    raise told


def _explain(fault: Exception, dialect: Dialect, target: Path) -> StorageError:
    """Whether it was the disk that is written to, or the database that is read."""
    cause = fault.orig if isinstance(fault, DBAPIError) else fault
    line = f"{target} cannot be written"
    if isinstance(cause, sqlite3.Error):
        return StorageError(f"{line} ({cause}); free some space, or choose another place")
    if isinstance(cause, OSError) and (cause.filename is not None or cause.errno in DISK):
        return StorageError(f"{line}: {cause.strerror}; choose another place")
    return dialect.explain(fault)


def _fill(dialect: Dialect, schema: Schema, files: Mapping[str, bytes], partial: Path) -> None:
    if dialect.file:
        sqlite.copy(dialect.file, partial)
    else:
        with dialect.snapshot() as source:
            number = format_of(dialect, source, schema)
            if number == 0:
                raise StorageError(f"{dialect.place} is empty; there is nothing to back up")
            _copy_into_file(source, partial, schema, number)
    sqlite.add_rows(partial, MAKE_FILES_TABLE, PUT_FILE, list(files.items()))
    Reader(sqlite.Sqlite.to_read(partial), schema).examine()


def restore(backup: Path, schema: Schema, dialect: Dialect) -> None:
    """Fill an empty database with the rows of a backup: all of them, or none.

    Upgrading, where the backup is older, is left to the next start.
    """
    try:
        dialect.drive(lambda: _restore(backup, schema, dialect))
    except dialect.raised as fault:
        told = dialect.explain(fault)
    else:
        return
    raise told


def restore_file(backup: Path, schema: Schema, target: Path) -> None:
    """The same for a new file, which gets its name when everything is in it."""

    def fill(partial: Path) -> None:
        made = sqlite.Sqlite(partial)
        try:
            restore(backup, schema, made)
        finally:
            made.close()
        Reader(sqlite.Sqlite.to_read(partial), schema).examine()

    try:
        whole(target, fill)
    except OSError as fault:
        line = f"{target} cannot be written: {fault.strerror}"
        raise StorageError(f"{line}; choose another place") from fault


def files_in(backup: Path) -> dict[str, bytes]:
    """The files that a backup carries, by name; none in a copy of a database alone."""
    source = sqlite.Sqlite.to_read(backup)
    try:
        with source.snapshot() as connection:
            if FILES_TABLE not in source.table_names(connection):
                return {}
            rows = connection.exec_driver_sql(GET_FILES).all()
            return {str(name): bytes(content) for name, content in rows}
    except source.raised as fault:
        raise source.explain(fault) from fault
    finally:
        source.close()


def _restore(backup: Path, schema: Schema, dialect: Dialect) -> None:
    source = sqlite.Sqlite.to_read(backup)
    try:
        with source.snapshot() as rows, dialect.begin() as target:
            if dialect.table_names(target):
                raise StorageError(
                    f"{dialect.place} is not empty; restore into an empty one, nothing is replaced"
                )
            number = format_of(source, rows, schema)
            make(target, schema, number)
            tables = _tables(rows, schema, number)
            for table in tables:
                _copy_rows(rows, target, table)
            if counted(rows, tables) != counted(target, tables):
                raise StorageError(f"{dialect.place} took not all rows; nothing was restored")
    finally:
        source.close()


def _copy_into_file(source: Connection, partial: Path, schema: Schema, number: int) -> None:
    target = sqlite.Sqlite(partial)
    try:
        with target.begin() as made:
            make(made, schema, number)
            for table in _tables(made, schema, number):
                _copy_rows(source, made, table)
    finally:
        target.close()


def _tables(connection: Connection, schema: Schema, number: int) -> list[Table]:
    """The tables of a format, what is referred to before what refers to it.

    `connection` is to an SQLite file in that format, where it is not ours.
    """
    if number == schema.format:
        return schema.metadata.sorted_tables
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: name not in (VERSION_TABLE, FILES_TABLE))
    return metadata.sorted_tables


def _copy_rows(source: Connection, target: Connection, table: Table) -> None:
    rows = source.execute(select(table).execution_options(yield_per=ROWS_AT_ONCE))
    for part in rows.mappings().partitions():
        target.execute(table.insert(), [dict(row) for row in part])


def whole(target: Path, fill: Callable[[Path], None]) -> None:
    """Have `fill` write a file, for its owner's eyes only, that gets its name once it is safe."""
    partial = target.with_name(f"{target.name}.part")
    _clear(partial)  # of one that was killed here
    descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fill(partial)
        os.fsync(descriptor)
        partial.rename(target)
        sync_folder(target.parent)
    finally:
        os.close(descriptor)
        _clear(partial)


def _clear(partial: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            partial.with_name(partial.name + suffix).unlink()


def _free_name(folder: Path, why: str) -> Path:
    numbered = (folder / f"socp.db.{why}-{number}.bak" for number in count(2))
    names = chain([folder / f"socp.db.{why}.bak"], numbered)
    return next(name for name in names if not name.exists())
