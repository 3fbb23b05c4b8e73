"""Rows gathered by table, so that a batch costs one statement per table and not one per record."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from socp.storage.dialect import Put, Row


class Rows:
    """The rows for one statement, by key: the last for a key is the one that is written."""

    def __init__(self, put: Put) -> None:
        self._put = put
        self._rows: dict[object, Row] = {}

    def set(self, key: object, row: Row) -> None:
        self._rows[key] = row

    def drop(self, key: object) -> None:
        self._rows.pop(key, None)

    def drop_where(self, unwanted: Callable[[Row], bool]) -> None:
        self._rows = {key: row for key, row in self._rows.items() if not unwanted(row)}

    def get(self, key: object) -> Row | None:
        return self._rows.get(key)

    def flush(self, connection: Connection) -> None:
        """Write and forget them."""
        if self._rows:
            self._put.run(connection, self._rows.values())
            self._rows.clear()
