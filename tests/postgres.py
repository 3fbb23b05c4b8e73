"""A PostgreSQL of our own, for as long as the tests run: nobody else's, and nobody's privileges."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg

from socp.storage.address import PostgresAddress

USER = "socp"
PASSWORD = "se cret/%"
QUOTED = "se%20cret%2F%25"
READY_S = 60
# What the tests write needs to survive nothing but the server's own death.
FAST = ("fsync=off", "full_page_writes=off", "max_wal_size=64MB", "shared_buffers=16MB")


def programs() -> Path | None:
    """The folder of initdb and postgres; Debian keeps them out of the path."""
    if (found := shutil.which("postgres")) and (Path(found).parent / "initdb").exists():
        return Path(found).resolve().parent
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3])
    )
    return versions[-1].parent if versions else None


def ask(dsn: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """The rows of one statement, whether or not an event loop runs here."""

    async def fetch() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(dsn, timeout=READY_S)
        try:
            return [tuple(row) for row in await connection.fetch(sql, *values)]
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as beside:
        return beside.submit(lambda: asyncio.run(fetch())).result()


class Postgres:
    """One cluster in a temporary folder, on a free port of loopback."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder = folder
        self._programs = programs
        self._data = str(folder / "data")
        self._numbers = count(1)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        secret = folder / "password"
        secret.write_text(PASSWORD)
        if os.geteuid() == 0:  # which PostgreSQL refuses to run as
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            os.chown(secret, nobody.pw_uid, nobody.pw_gid)
            self._who: dict[str, Any] = {
                "user": nobody.pw_uid,
                "group": nobody.pw_gid,
                "extra_groups": (),
            }
        else:
            self._who = {}
        self._run(
            "initdb",
            *("--username", USER, "--pwfile", str(secret), "--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--locale", "C", "--no-sync", "--pgdata", self._data),
        )

    def _run(self, program: str, *arguments: str) -> None:
        said = self._folder / "said"  # a pipe would stay open as long as the cluster runs
        with said.open("wb") as output:
            done = subprocess.run(
                [str(self._programs / program), *arguments],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
                **self._who,
            )
        assert done.returncode == 0, said.read_text()

    def dsn(self, database: str = "postgres", password: str = QUOTED) -> str:
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and return when it answers."""
        settings = (*FAST, "listen_addresses=127.0.0.1", f"unix_socket_directories={self._folder}")
        options = " ".join([f"-p {self.port}", *(f"-c {setting}" for setting in settings)])
        log = str(self._folder / "log")
        self._run(
            "pg_ctl", "start", "-w", "-t", str(READY_S), "-D", self._data, "-l", log, "-o", options
        )

    def stop(self, how: str = "fast") -> None:
        """Stop it: fast ends sessions, immediate is as if its machine had failed."""
        self._control("stop", "-m", how)

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-w", "-t", str(READY_S), "-D", self._data, *arguments)

    def make(self, *options: str) -> PostgresAddress:
        """A new database."""
        name = f"socp_{next(self._numbers)}"
        ask(self.dsn(), f"CREATE DATABASE {name} {' '.join(options)}")
        return PostgresAddress.parse(self.dsn(name))

    @contextmanager
    def database(self, *options: str) -> Iterator[PostgresAddress]:
        """A new database, and none of it left after."""
        address = self.make(*options)
        try:
            yield address
        finally:
            name = address.place.rpartition("/")[2]
            ask(self.dsn(), f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def private() -> Iterator[Postgres]:
    """A cluster, running; gone without a trace at the end."""
    found = programs()
    assert found, "postgresql is not installed"
    folder = Path(tempfile.mkdtemp(prefix="socp-pg-"))
    try:
        cluster = Postgres(folder, found)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop("immediate")
    finally:
        shutil.rmtree(folder)
