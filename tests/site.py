"""Where a server keeps its things, for tests that want it in either database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from socp.storage.address import PostgresAddress
from socp.storage.node_store import NodeStore
from tests.postgres import Postgres, ask

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))]


@dataclass(frozen=True)
class Site:
    """Where a server keeps its things: a data folder, and a database in it or elsewhere."""

    folder: Path
    address: PostgresAddress | None

    @property
    def place(self) -> str:
        """The database, as errors name it."""
        return self.address.place if self.address else str(self.folder / "socp.db")

    def open(self) -> NodeStore:
        return NodeStore.open(self.folder, self.address)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Another program's look into the database, or its hand in it."""
        if self.address:
            return ask(self.address.dsn, sql)
        with closing(sqlite3.connect(self.folder / "socp.db")) as connection, connection:
            return connection.execute(sql).fetchall()


@contextmanager
def new_site(request: pytest.FixtureRequest, folder: Path) -> Iterator[Site]:
    """For fixtures with one parameter, of DATABASES."""
    if request.param == "sqlite":
        yield Site(folder, None)
        return
    cluster: Postgres = request.getfixturevalue("cluster")
    with cluster.database() as address:
        yield Site(folder, address)
