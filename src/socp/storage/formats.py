"""Which format a database has, and how it gets ours: made, upgraded after a backup, or refused.

The format is the number in Alembic's revision, `node_0001`, read with plain SQL: Alembic costs
200 ms to import, which only an upgrade pays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData

from socp.storage import backup, dialect
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

    @property
    def revision(self) -> str:
        return f"{self.kind}_{self.format:04d}"


def bring_up(engine: Engine, schema: Schema, file: Path | None) -> Path | None:
    """Give the database behind `engine` our format; `file` is None in memory.

    Returns the backup, where an upgrade made one. StorageError for a database that is damaged,
    foreign, or newer than we are.
    """
    place = str(file or "memory")
    with engine.begin() as connection:
        if file and (found := dialect.damage(connection)):
            raise StorageError(
                f"{place} is damaged ({found}); restore a backup, or move it away to start afresh"
            )
        tables = dialect.table_names(connection)
        if not tables:
            _make(connection, schema)
            return None
        number = _format(connection, tables, schema, place)
    if number > schema.format:
        raise StorageError(
            f"{place} was written by a newer version of socp (format {number}, this one knows "
            f"{schema.format}): upgrade socp, or restore a backup"
        )
    return _upgrade(engine, schema, file, number) if number < schema.format else None


def _make(connection: Connection, schema: Schema) -> None:
    """All at once; a test proves that the migrations lead to the very same."""
    schema.metadata.create_all(connection)
    connection.exec_driver_sql(MAKE_VERSION_TABLE)
    connection.exec_driver_sql(f"INSERT INTO {VERSION_TABLE} VALUES ('{schema.revision}')")  # noqa: S608 - both are ours


def _format(connection: Connection, tables: frozenset[str], schema: Schema, place: str) -> int:
    """The number of the format; StorageError where the database is not of this kind."""
    if VERSION_TABLE not in tables:
        raise StorageError(f"{place} is no database of socp; choose another folder")
    rows = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalars().all()  # noqa: S608 - ours
    revision = re.fullmatch(r"([a-z]+)_(\d{4})", str(rows[0])) if len(rows) == 1 else None
    if revision is None:
        raise StorageError(f"{place} does not say its format; restore a backup")
    if revision[1] != schema.kind:
        raise StorageError(f"{place} is a {revision[1]}, not {schema.holds}; choose another folder")
    return int(revision[2])


def _upgrade(engine: Engine, schema: Schema, file: Path | None, number: int) -> Path | None:
    kept = backup.beside(engine, file, f"format-{number}") if file else None
    from socp.storage import migrations

    with dialect.schema_change(engine) as connection:
        migrations.upgrade(connection, schema.migrations, schema.revision)
    return kept
