"""A look into a database beside whoever works with it: is it whole, whose is it, what is in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Table, func, select

from socp.storage.dialect import Dialect
from socp.storage.errors import StorageError
from socp.storage.formats import Schema, format_of


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server's database says of itself."""

    place: str
    format: int
    server_id: str
    fingerprint: str | None  # of its key; None where it was never noted
    counts: dict[str, int]  # rows by table


class Reader:
    """Reads a database once and closes it; StorageError is all that leaves it."""

    def __init__(self, dialect: Dialect, schema: Schema) -> None:
        self._dialect = dialect
        self._schema = schema

    def examine(self) -> Facts:
        """StorageError where it is damaged, foreign, newer than we are, or nobody's."""
        try:
            return self._dialect.drive(self._examine)
        except self._dialect.raised as fault:
            told = self._dialect.explain(fault)
        finally:
            self._dialect.close()
        raise told

    def _examine(self) -> Facts:
        place = self._dialect.place
        with self._dialect.snapshot() as connection:
            if found := self._dialect.damage(connection):
                raise StorageError(f"{place} is damaged ({found}); restore a backup")
            number = format_of(self._dialect, connection, self._schema)
            if number == 0:
                raise StorageError(f"{place} is empty; nothing was ever kept there")
            # The first format knew no fingerprint.
            columns = "server_id, fingerprint" if number > 1 else "server_id, NULL"
            row = connection.exec_driver_sql(f"SELECT {columns} FROM identity").one_or_none()  # noqa: S608 - ours
            if row is None:
                raise StorageError(f"{place} belongs to no server yet; start one on it first")
            there = self._dialect.table_names(connection)
            tables = [t for t in self._schema.metadata.sorted_tables if t.name in there]
            return Facts(place, number, row[0], row[1], counted(connection, tables))


def counted(connection: Connection, tables: Iterable[Table]) -> dict[str, int]:
    """How many rows each table has."""
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in tables
    }
