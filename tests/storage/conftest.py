"""A folder nobody has used, and eyes on what SQLAlchemy does."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

import socp
from socp.storage.address import PostgresAddress
from tests.postgres import Postgres

Listen = Callable[[str, Callable[..., None]], None]


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
