"""What storage needs of a database, whichever it is; `sqlite` and `postgresql` are the two.

And the statements that are written once for both, compiled once for each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sqlalchemy import JSON, ColumnElement, Connection, Engine, Table
from sqlalchemy.engine import Dialect as Speech
from sqlalchemy.exc import SQLAlchemyError

from socp.storage.errors import StorageError

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

    Insert: TypeAlias = sqlite.Insert | postgresql.Insert

READ = "socp_read"  # an execution option: this transaction need not write

T = TypeVar("T")


class Dialect(ABC):
    """One database, connected or not yet, and all that is particular to its kind."""

    place: str  # for people; never with a password
    another: str  # what to choose where this one will not do
    engine: Engine
    raised: tuple[type[Exception], ...] = (SQLAlchemyError, UnicodeEncodeError, OverflowError)
    """What the driver and SQLAlchemy raise; the last two for values that there is no room for."""

    def drive(self, work: Callable[[], T]) -> T:
        """Call `work` where the driver can do its own; everything with a connection goes here."""
        return work()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection, fit for use."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction, committed at the end."""
        with self.connect() as connection, connection.begin():
            yield connection

    @abstractmethod
    def take(self, checked_later: Collection[str]) -> None:
        """At the start: StorageError where it is damaged or another server works with it. Damage to
        the tables `checked_later` may be found when they are read."""

    @abstractmethod
    def forget(self) -> None:
        """Before the start, where it is a file: what is deleted is overwritten from now on."""

    @abstractmethod
    def claim(self) -> None:
        """At the end of the start, once the tables are there: it is ours until somebody comes."""

    @abstractmethod
    def check(self) -> None:
        """Before each transaction: StorageError where nothing may be committed."""

    @abstractmethod
    def explain(self, fault: Exception) -> StorageError:
        """What an error of the driver or SQLAlchemy means, in one line, without any value."""

    @abstractmethod
    def recover(self, told: StorageError) -> None:
        """After a transaction that failed for this reason: whatever the next one needs."""

    @abstractmethod
    def damage(self, connection: Connection) -> str | None:
        """The first fault that a check of the whole database finds; None when all is well."""

    @abstractmethod
    def table_names(self, connection: Connection) -> frozenset[str]:
        """The tables there are, the database's own left out."""

    @abstractmethod
    def schema_change(self) -> AbstractContextManager[Connection]:
        """One transaction in which tables may be rebuilt; references hold when it commits."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Connection]:
        """One transaction that reads, and sees nothing of what is committed meanwhile."""

    @abstractmethod
    def scrub(self) -> None:
        """Have nothing left, where it is a file, of what was deleted. It takes a while."""

    @property
    def file(self) -> Path | None:
        """Where it is one, on this machine."""
        return None

    def close(self) -> None:
        self.drive(self.engine.dispose)


Row = Mapping[str, Any]  # column name -> value
Condition: TypeAlias = "Callable[[Insert], ColumnElement[bool]]"
Statement: TypeAlias = "Callable[[str], Insert]"  # by the name of the dialect


class Prepared:
    """A statement compiled for one database.

    SQLAlchemy's own executemany prepares every value of every row in Python, which costs as much
    as SQLite's whole work; only JSON needs it.
    """

    def __init__(self, statement: Insert, columns: Collection[str], speech: Speech) -> None:
        compiled = statement.compile(dialect=speech, column_keys=list(columns))
        self.sql = str(compiled)
        self.values = itemgetter(*compiled.positiontup or ())
        # As SQLAlchemy writes JSON, since SQLAlchemy reads it.
        encode = JSON().dialect_impl(speech).bind_processor(speech)
        assert encode
        self.encode_json: Callable[[object], str] = encode


class Put:
    """Inserts rows by one statement compiled once, for rows that all have the same columns."""

    def __init__(self, table: Table, statement: Statement, columns: Collection[str]) -> None:
        self._statement = statement
        self._columns = columns
        self._json = [name for name in columns if isinstance(table.columns[name].type, JSON)]
        self._prepared: dict[str, Prepared] = {}

    def run(self, connection: Connection, rows: Collection[Row]) -> None:
        """Insert the rows in their order, by one executemany."""
        prepared = self._for(connection)
        ready = (self._encoded(row, prepared) for row in rows) if self._json else rows
        values = [prepared.values(row) for row in ready]
        connection.exec_driver_sql(prepared.sql, values)

    def run_values(self, connection: Connection, rows: list[tuple[Any, ...]]) -> None:
        """The same for rows that are values in the order of the columns, without JSON."""
        connection.exec_driver_sql(self._for(connection).sql, rows)

    def _for(self, connection: Connection) -> Prepared:
        name = connection.dialect.name
        prepared = self._prepared.get(name)
        if prepared is None:
            statement = self._statement(name)
            prepared = Prepared(statement, self._columns, connection.dialect)
            self._prepared[name] = prepared
        return prepared

    def _encoded(self, row: Row, prepared: Prepared) -> Row:
        return {**row, **{name: prepared.encode_json(row[name]) for name in self._json}}


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

    def statement(name: str) -> Insert:
        into = _insert(table, name)
        return into.on_conflict_do_update(
            index_elements=table.primary_key,
            set_={
                column: into.excluded[column]
                for column in (columns if update is None else update)
                if column not in keys
            },
            where=where(into) if where else None,
        )

    return Put(table, statement, columns)


def insert_missing(table: Table) -> Put:
    """Insert a row unless its primary key is taken."""
    columns = [column.name for column in table.columns]
    return Put(table, lambda name: _insert(table, name).on_conflict_do_nothing(), columns)


def _insert(table: Table, name: str) -> Insert:
    """Only the database that is used is imported: each costs the start some milliseconds."""
    if name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)
