"""Which format a database has, and how it gets ours: made, upgraded after a backup, or refused.

The format is the number in Alembic's revision, `node_0001`, read with plain SQL: Alembic costs
200 ms to import, which only an upgrade pays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, MetaData

from socp.storage.dialect import Dialect
from socp.storage.errors import StorageError

VERSION_TABLE = "alembic_version"
# As Alembic makes it, which later reads and writes it.
MAKE_VERSION_TABLE = (
    f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL, "
    f"CONSTRAINT {VERSION_TABLE}_pkc PRIMARY KEY (version_num))"
)


@dataclass(frozen=True, slots=True)
class Schema:
    """One kind of database as this version of socp knows it."""

    kind: str
    holds: str  # for people: what is in such a database
    metadata: MetaData
    format: int  # counts up from 1
    migrations: Path  # a folder of Alembic scripts, one per format
    files: tuple[str, ...] = ()  # of the data folder, without which the database is worth nothing
    scrubs: bool = False  # nothing that is deleted, or that an upgrade took out, stays in the file
    checked_later: frozenset[str] = frozenset()  # tables too large to look through at each start
    context: Mapping[str, object] = field(default_factory=dict)  # what the scripts may need

    @property
    def revision(self) -> str:
        return self.revision_of(self.format)

    def revision_of(self, number: int) -> str:
        return f"{self.kind}_{number:04d}"


def bring_up(dialect: Dialect, schema: Schema, folder: Path | None) -> Path | None:
    """Give the database our format; an upgrade leaves a backup in `folder`, and returns it.

    StorageError for a database that is damaged, foreign, newer than we are, or another server's.
    """
    if schema.scrubs:
        dialect.forget()
    dialect.take(schema.checked_later)
    with dialect.begin() as connection:
        number = format_of(dialect, connection, schema)
        if number == 0:
            make(connection, schema, schema.format)
    kept = _upgrade(dialect, schema, folder, number) if 0 < number < schema.format else None
    dialect.claim()
    return kept


def format_of(dialect: Dialect, connection: Connection, schema: Schema) -> int:
    """The number of its format, 0 where it is empty; StorageError where we cannot use it."""
    tables = dialect.table_names(connection)
    number = _format(connection, tables, schema, dialect) if tables else 0
    if number > schema.format:
        raise StorageError(
            f"{dialect.place} was written by a newer version of socp (format {number}, this one "
            f"knows {schema.format}): upgrade socp, or restore a backup"
        )
    return number


def make(connection: Connection, schema: Schema, number: int) -> None:
    """The tables of format `number` in an empty database.

    Ours all at once; a test proves that the migrations lead to the very same.
    """
    if number != schema.format:
        from socp.storage import migrations

        migrations.upgrade(connection, schema.migrations, schema.revision_of(number))
        return
    if connection.dialect.name != "sqlite":
        _narrow_indexes(schema.metadata, connection.dialect.name)
    schema.metadata.create_all(connection)
    connection.exec_driver_sql(MAKE_VERSION_TABLE)
    connection.exec_driver_sql(f"INSERT INTO {VERSION_TABLE} VALUES ('{schema.revision}')")  # noqa: S608 - both are ours


def _narrow_indexes(metadata: MetaData, dialect: str) -> None:
    """Indexes leave out the same rows in each database. Were that said where they stand, each start
    would load the dialect of PostgreSQL to check the word: 20 ms."""
    for table in metadata.tables.values():
        for index in table.indexes:
            index.dialect_options[dialect]["where"] = index.dialect_options["sqlite"]["where"]


def _format(
    connection: Connection, tables: frozenset[str], schema: Schema, dialect: Dialect
) -> int:
    """The number of the format; StorageError where the database is not of this kind."""
    if VERSION_TABLE not in tables:
        raise StorageError(f"{dialect.place} is no database of socp; {dialect.another}")
    rows = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalars().all()  # noqa: S608 - ours
    revision = re.fullmatch(r"([a-z]+)_(\d{4})", str(rows[0])) if len(rows) == 1 else None
    if revision is None:
        raise StorageError(f"{dialect.place} does not say its format; restore a backup")
    if revision[1] != schema.kind:
        raise StorageError(
            f"{dialect.place} is a {revision[1]}, not {schema.holds}; {dialect.another}"
        )
    return int(revision[2])


def _upgrade(dialect: Dialect, schema: Schema, folder: Path | None, number: int) -> Path | None:
    from socp.storage import backup, migrations

    kept = backup.beside(dialect, schema, folder, f"format-{number}") if folder else None
    with dialect.schema_change() as connection:
        migrations.upgrade(connection, schema.migrations, schema.revision, schema.context)
    if schema.scrubs:
        dialect.scrub()
    return kept
