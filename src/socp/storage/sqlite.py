"""All that is particular to SQLite: connecting, checks, and what its faults mean."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from socp.storage.dialect import READ, Dialect
from socp.storage.errors import BadRecord, StorageError
from socp.storage.folders import sync_folder

FILE_NAME = "socp.db"
BUSY_TIMEOUT_MS = 5_000  # somebody may look into the file with another program
WAL_AUTOCHECKPOINT_PAGES = 4_000  # 16 MiB; done in line, so that the log cannot run away
PRAGMAS = (
    f"busy_timeout = {BUSY_TIMEOUT_MS}",
    "journal_mode = WAL",
    "synchronous = FULL",  # a commit is on the disk when it returns
    f"wal_autocheckpoint = {WAL_AUTOCHECKPOINT_PAGES}",
    "foreign_keys = ON",
    "trusted_schema = OFF",
)

FAULTS = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_IOERR: (
        "the disk does not read or write (disk I/O error); "
        "look for a full disk, a limit on file sizes or failing hardware"
    ),
    sqlite3.SQLITE_READONLY: "cannot be written; make the disk and the file writable for this user",
    sqlite3.SQLITE_BUSY: "another program holds the database locked; close it",
    sqlite3.SQLITE_LOCKED: "another program holds the database locked; close it",
    sqlite3.SQLITE_CORRUPT: "the database is damaged; stop, and restore a backup",
    sqlite3.SQLITE_NOTADB: (
        "not a database, or a damaged one; restore a backup, or move it away to start afresh"
    ),
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; look whether it is still there and may be read",
    sqlite3.SQLITE_PERM: "cannot be used; make the file readable and writable for this user",
    sqlite3.SQLITE_NOMEM: "out of memory; close other programs",
}
# What says that the record is at fault, and not the disk.
UNFIT = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)


class Sqlite(Dialect):
    """A file that exists, or memory that is gone when it is closed. One connection."""

    another = "choose another folder"
    # The driver reads what SQLite says of damage as UTF-8, which what is damaged need not be.
    raised = (*Dialect.raised, sqlite3.Error, UnicodeDecodeError)

    def __init__(self, file: Path | None, engine: Engine | None = None) -> None:
        self.place = str(file or "memory")
        self._file = file
        self._inode = file.stat().st_ino if file else 0
        self.engine = engine or (_connect_file(file) if file else _connect_memory())

    @classmethod
    def in_folder(cls, folder: Path) -> Sqlite:
        """`socp.db` in `folder`, made where it is missing, for our eyes only (threat P3)."""
        return cls(_private_file(folder))

    @classmethod
    def to_read(cls, file: Path) -> Sqlite:
        """A second look at a file that another process may work with; nothing is changed."""
        return cls(file, _connect_to_read(file))

    @property
    def file(self) -> Path | None:
        return self._file

    def take(self, checked_later: Collection[str]) -> None:
        if not self._file:
            return
        with self.engine.begin() as connection:
            tables = self.table_names(connection) - set(checked_later) if checked_later else ()
            if found := _torn(connection, tables):
                raise StorageError(
                    f"{self.place} is damaged ({found}); "
                    "restore a backup, or move it away to start afresh"
                )

    def forget(self) -> None:
        @event.listens_for(self.engine, "connect")
        def overwrite(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA secure_delete = ON")

    def claim(self) -> None:
        """The folder's lock has seen to that."""

    def check(self) -> None:
        """Refuse to commit to where nobody would find it."""
        if not self._file:
            return
        try:
            moved = self._file.stat().st_ino != self._inode
        except OSError:
            moved = True
        if moved:  # SQLite would go on: its log is open, and writes to a deleted file succeed
            line = f"{self.place}: moved or deleted while in use; put it back or restart"
            raise StorageError(line)

    def recover(self, told: StorageError) -> None:
        # A connection made while the disk was read-only stays so: start anew.
        if self._file and not isinstance(told, BadRecord):
            self.engine.dispose()

    def explain(self, fault: Exception) -> StorageError:
        cause = fault.orig if isinstance(fault, DBAPIError) else fault
        if isinstance(cause, UnicodeDecodeError):
            return StorageError(f"{self.place}: {FAULTS[sqlite3.SQLITE_CORRUPT]}")
        if not isinstance(cause, sqlite3.Error):
            what = type(cause).__name__
            return BadRecord(f"{self.place}: a value that cannot be stored ({what}); report this")
        if isinstance(cause, UNFIT):
            return BadRecord(f"{self.place}: a record that cannot be stored ({cause}); report this")
        code: int = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        unknown = f"{cause}; restart, and restore a backup if it comes again"
        return StorageError(f"{self.place}: {FAULTS.get(code & 0xFF, unknown)}")

    def scrub(self) -> None:
        with self.engine.connect() as connection:
            raw = driver(connection)
            raw.execute("VACUUM")  # writes every page anew, and the free ones not at all
            # The log has the old pages; it stays where somebody else reads them just now.
            busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StorageError(f"{self.place}: {FAULTS[sqlite3.SQLITE_BUSY]}")

    def damage(self, connection: Connection) -> str | None:
        lost = "rows refer to what is not there" if broken_reference(connection) else None
        return _torn(connection) or lost

    def table_names(self, connection: Connection) -> frozenset[str]:
        rows = connection.exec_driver_sql(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
        )
        return frozenset(rows.scalars())

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            connection.execution_options(**{READ: True})
            with connection.begin():
                yield connection

    @contextmanager
    def schema_change(self) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            driver(connection).execute("PRAGMA foreign_keys = OFF")  # ignored in a transaction
            try:
                with connection.begin():
                    yield connection
                    if broken_reference(connection):
                        raise StorageError(
                            "an upgrade that loses references was undone; report this"
                        )
            finally:
                connection.invalidate()  # the next connection has the switch on again


def _torn(connection: Connection, tables: Collection[str] = ()) -> str | None:
    """The first fault in these tables, in the whole file where none are named."""
    check = "SELECT quick_check FROM pragma_quick_check(?)"
    for part in sorted(tables) or (1,):
        first = str(connection.exec_driver_sql(check, (part,)).scalars().first())
        if first != "ok":
            return " ".join(first.split())
    return None


def broken_reference(connection: Connection) -> bool:
    """Whether a row refers to one that is not there."""
    return connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None


def open_to_read(file: Path) -> sqlite3.Connection:
    """A second connection, beside whoever works with the file."""
    address = f"file:{quote(str(file.absolute()))}?mode=ro"
    if not os.access(file.parent, os.W_OK) and not file.with_name(f"{file.name}-wal").exists():
        address += "&immutable=1"  # else a file is made beside it, even to read
    connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    return connection


def copy(file: Path, target: Path) -> None:
    """Write a consistent copy of the database over `target`, an existing file."""
    with closing(open_to_read(file)) as source, closing(sqlite3.connect(target)) as made:
        source.backup(made)


def copy_file(file: Path, target: Path) -> None:
    """The same into a file that is not there yet, for its owner's eyes only. StorageError."""
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        copy(file, target)
    except (OSError, sqlite3.Error) as fault:
        why = fault.strerror if isinstance(fault, OSError) else fault
        raise StorageError(
            f"{target} cannot be written ({why}); free some space, or choose another place"
        ) from None


def add_rows(file: Path, make: str, put: str, rows: list[tuple[str, bytes]]) -> None:
    """One more table in a copy, which from then on is one file with nothing beside it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(make)
        connection.executemany(put, rows)


def driver(connection: Connection) -> sqlite3.Connection:
    found = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


def _connect_file(path: Path) -> Engine:
    """An engine with one connection to a file that exists: a lost one must not come back empty."""
    address = f"file:{quote(str(path.absolute()))}?mode=rw"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, check_same_thread=False)

    return _prepared(
        create_engine(
            "sqlite://",
            creator=connect,
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=0,
            hide_parameters=True,  # they are keys and texts, and errors end up in logs
        )
    )


def _connect_memory() -> Engine:
    return _prepared(
        create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(":memory:", check_same_thread=False),
            poolclass=StaticPool,
            hide_parameters=True,
        )
    )


def _connect_to_read(path: Path) -> Engine:
    engine = create_engine(
        "sqlite://",
        creator=lambda: open_to_read(path),
        poolclass=StaticPool,
        hide_parameters=True,
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _prepared(engine: Engine) -> Engine:
    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        # None: sqlite3 begins nothing by itself, so that DDL is part of a transaction too.
        connection.isolation_level = None
        try:
            for pragma in PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()
            raise

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get(READ)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _private_file(folder: Path) -> Path:
    file = folder / FILE_NAME
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
        sync_folder(folder)
    except OSError as fault:
        raise StorageError(
            f"{file} cannot be used: {fault.strerror}; make it writable for this user"
        ) from fault
    return file
