"""All that is particular to SQLite: connecting, upserts, checks, copies, and what its faults mean.

PostgreSQL later needs a sibling of this module and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import JSON, ColumnElement, Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects.sqlite import Insert, dialect, insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool, StaticPool

from socp.storage.errors import BadRecord, StorageError

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

DIALECT = dialect()
# As SQLAlchemy writes JSON, since SQLAlchemy reads it.
encode_json = JSON().dialect_impl(DIALECT).bind_processor(DIALECT)
assert encode_json
ENCODE_JSON: Callable[[object], str] = encode_json
# What says that the record is at fault, and not the disk.
UNFIT = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)
# What the driver and SQLAlchemy raise; the last two for values that SQLite has no room for.
RAISED = (SQLAlchemyError, sqlite3.Error, UnicodeEncodeError, OverflowError)


def connect_file(path: Path) -> Engine:
    """An engine with one connection to a file that exists: a lost one must not come back empty."""
    address = f"file:{quote(str(path.absolute()))}?mode=rw"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, check_same_thread=False)

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,  # they are keys and texts, and errors end up in logs
    )
    return _prepared(engine)


def connect_memory() -> Engine:
    """An engine on a database that is gone when the engine is disposed of."""
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(":memory:", check_same_thread=False),
        poolclass=StaticPool,
        hide_parameters=True,
    )
    return _prepared(engine)


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
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


Row = Mapping[str, Any]  # column name -> value
Condition = Callable[[Insert], ColumnElement[bool]]


class Put:
    """Inserts rows by one statement compiled once, for rows that all have the same columns.

    SQLAlchemy's own executemany prepares every value of every row in Python, which costs as much
    as SQLite's whole work; only JSON needs it.
    """

    def __init__(self, statement: Insert, columns: Collection[str]) -> None:
        compiled = statement.compile(dialect=DIALECT, column_keys=list(columns))
        self._sql = str(compiled)
        self._values = itemgetter(*compiled.positiontup or ())
        table = statement.table
        self._json = [name for name in columns if isinstance(table.columns[name].type, JSON)]

    def run(self, connection: Connection, rows: Collection[Row]) -> None:
        """Insert the rows in their order, by one executemany."""
        ready = (self._encoded(row) for row in rows) if self._json else rows
        connection.exec_driver_sql(self._sql, [self._values(row) for row in ready])

    def _encoded(self, row: Row) -> Row:
        return {**row, **{name: ENCODE_JSON(row[name]) for name in self._json}}


def upsert(
    table: Table,
    *,
    keep: Collection[str] = (),
    update: Collection[str] | None = None,
    where: Condition | None = None,
) -> Put:
    """Insert a row; where its key is taken set the columns `update` (None: all) if `where` holds.

    The columns `keep` are not ours: rows come without them, and they stay as they are.
    """
    keys = {column.name for column in table.primary_key}
    columns = [column.name for column in table.columns if column.name not in keep]
    statement = insert(table)
    statement = statement.on_conflict_do_update(
        index_elements=table.primary_key,
        set_={
            name: statement.excluded[name]
            for name in (columns if update is None else update)
            if name not in keys
        },
        where=where(statement) if where else None,
    )
    return Put(statement, columns)


def insert_missing(table: Table) -> Put:
    """Insert a row unless its primary key is taken."""
    columns = [column.name for column in table.columns]
    return Put(insert(table).on_conflict_do_nothing(), columns)


def explain(fault: Exception, place: str) -> StorageError:
    """What an error of SQLite or SQLAlchemy means, as one line about `place`, without any value."""
    cause = fault.orig if isinstance(fault, DBAPIError) else fault
    if not isinstance(cause, sqlite3.Error):
        return BadRecord(
            f"{place}: a value that cannot be stored ({type(cause).__name__}); report this"
        )
    if isinstance(cause, UNFIT):
        return BadRecord(f"{place}: a record that cannot be stored ({cause}); report this")
    code: int = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    unknown = f"{cause}; restart, and restore a backup if it comes again"
    return StorageError(f"{place}: {FAULTS.get(code & 0xFF, unknown)}")


def damage(connection: Connection) -> str | None:
    """The first fault that SQLite's quick check finds in the whole file; None when all is well."""
    first = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    return None if first == "ok" else " ".join(first.split())


def table_names(connection: Connection) -> frozenset[str]:
    """The tables there are, SQLite's own left out."""
    rows = connection.exec_driver_sql(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
    )
    return frozenset(rows.scalars())


@contextmanager
def schema_change(engine: Engine) -> Iterator[Connection]:
    """One transaction in which tables may be rebuilt; references are checked before it commits."""
    with engine.connect() as connection:
        _driver(connection).execute("PRAGMA foreign_keys = OFF")  # ignored inside a transaction
        try:
            with connection.begin():
                yield connection
                if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                    raise StorageError("an upgrade that loses references was undone; report this")
        finally:
            connection.invalidate()  # the next connection has the switch on again


def copy(connection: Connection, target: Path) -> None:
    """Write a consistent copy of the database over `target`, an existing file.

    `connection` must not have begun anything: SQLite would wait for its end, for ever.
    """
    with closing(sqlite3.connect(target)) as other:
        _driver(connection).backup(other)


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver
