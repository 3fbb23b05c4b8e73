"""A folder nobody has used, and eyes on what SQLAlchemy does."""

from __future__ import annotations

import os
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

import socp
from socp.storage.address import PostgresAddress
from socp.storage.node_store import NodeStore
from tests.postgres import Postgres, ask

Listen = Callable[[str, Callable[..., None]], None]


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


@pytest.fixture(params=DATABASES)
def site(request: pytest.FixtureRequest, folder: Path) -> Site:
    """A new database, of each kind."""
    if request.param == "sqlite":
        return Site(folder, None)
    cluster: Postgres = request.getfixturevalue("cluster")
    return Site(folder, cluster.make())


@pytest.fixture(scope="session")
def one_database(cluster: Postgres) -> PostgresAddress:
    """A PostgreSQL database that tests share, and clear themselves."""
    return cluster.make()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Hear an event of every engine, until the test ends."""
    heard: list[tuple[str, Callable[..., None]]] = []

    def listen(name: str, hear: Callable[..., None]) -> None:
        event.listen(Engine, name, hear)
        heard.append((name, hear))

    yield listen
    for name, hear in heard:
        event.remove(Engine, name, hear)


@pytest.fixture
def python_path() -> dict[str, str]:
    """The environment in which another Python finds the same socp."""
    return {**os.environ, "PYTHONPATH": str(Path(socp.__file__).parents[1])}


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """As if the disk were full: nothing in this process may write beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
