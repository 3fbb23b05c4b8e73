"""Backups: one SQLite file with all rows and the folder's key file, whichever database is in use.

It is consistent however busy the server is, for its owner's eyes only, and whole or not there.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from itertools import chain, count
from pathlib import Path

from sqlalchemy import Connection, MetaData, func, select

from socp.storage import sqlite
from socp.storage.dialect import Dialect
from socp.storage.errors import StorageError
from socp.storage.folders import sync_folder
from socp.storage.formats import VERSION_TABLE, Schema, format_of, make

FILES_TABLE = "backup_files"  # in a backup only: name and content of files beside the database
MAKE_FILES_TABLE = f"CREATE TABLE {FILES_TABLE} (name TEXT PRIMARY KEY, content BLOB NOT NULL)"
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
            write(dialect, schema, files_of(folder, schema), target)
    except faults as fault:
        raise StorageError(
            f"{target} cannot be written ({fault}); free some space or make the folder writable: "
            "nothing is upgraded without a backup"
        ) from fault
    return target


def files_of(folder: Path, schema: Schema) -> dict[str, bytes]:
    """The files of the data folder that belong to the database, by name; those that are there."""
    found = {name: folder / name for name in schema.files}
    return {name: file.read_bytes() for name, file in found.items() if file.is_file()}


def write(dialect: Dialect, schema: Schema, files: Mapping[str, bytes], target: Path) -> None:
    """Write a backup of a database that may be in use, ours or another process's.

    All that was committed before this was called is in it. Raises what the disk, SQLite and the
    driver raise, and StorageError; then nothing is left of it.
    """
    source = dialect.file

    def fill(partial: Path) -> None:
        if source:
            sqlite.copy(source, partial)
        else:
            _copy_elsewhere(dialect, schema, partial)
        _add_files(partial, files)
        with Opened(partial) as made:
            made.verify()

    whole(target, fill)


def _copy_elsewhere(dialect: Dialect, schema: Schema, partial: Path) -> None:
    target = sqlite.Sqlite(partial)

    def copy() -> None:
        with dialect.snapshot() as source, target.engine.begin() as made:
            number = format_of(dialect, source, schema)
            if number == 0:
                raise StorageError(f"{dialect.place} is empty; there is nothing to back up")
            make(made, schema, number)
            copy_rows(source, made, reflected(made))

    try:
        dialect.drive(copy)
    finally:
        target.close()


def _add_files(partial: Path, files: Mapping[str, bytes]) -> None:
    with closing(sqlite3.connect(partial, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")  # one file, and nothing beside it
        connection.execute(MAKE_FILES_TABLE)
        connection.executemany(f"INSERT INTO {FILES_TABLE} VALUES (?, ?)", list(files.items()))  # noqa: S608 - ours


def reflected(connection: Connection) -> MetaData:
    """The tables of records in an SQLite database of ours, of whatever format."""
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: name not in (VERSION_TABLE, FILES_TABLE))
    return metadata


def copy_rows(source: Connection, target: Connection, metadata: MetaData) -> None:
    """All rows of all tables, what is referred to before what refers to it."""
    for table in metadata.sorted_tables:
        rows = source.execute(select(table).execution_options(yield_per=ROWS_AT_ONCE))
        for part in rows.mappings().partitions():
            target.execute(table.insert(), [dict(row) for row in part])


def counted(connection: Connection, metadata: MetaData) -> dict[str, int]:
    """How many rows each table has."""
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in metadata.sorted_tables
    }


def whole(target: Path, write: Callable[[Path], None]) -> None:
    """Have `write` fill a file, for its owner's eyes only, that gets its name once it is safe."""
    partial = target.with_name(f"{target.name}.part")
    partial.unlink(missing_ok=True)  # of one that was killed here
    descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        write(partial)
        os.fsync(descriptor)
        partial.rename(target)
        sync_folder(target.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


class Opened:
    """A backup, or any SQLite file of ours, opened to be read alone."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.connection = sqlite.open_to_read(file)

    def verify(self) -> None:
        """StorageError where the file is damaged."""
        try:
            first = str(self.connection.execute("PRAGMA quick_check(1)").fetchone()[0])
            broken = self.connection.execute("PRAGMA foreign_key_check").fetchone()
        except sqlite3.Error as fault:
            raise StorageError(f"{self.file} is damaged ({fault}); use another backup") from fault
        if first != "ok" or broken is not None:
            what = " ".join(first.split()) if first != "ok" else "rows refer to what is not there"
            raise StorageError(f"{self.file} is damaged ({what}); use another backup")

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def _free_name(folder: Path, why: str) -> Path:
    numbered = (folder / f"socp.db.{why}-{number}.bak" for number in count(2))
    return next(
        name for name in chain([folder / f"socp.db.{why}.bak"], numbered) if not name.exists()
    )
