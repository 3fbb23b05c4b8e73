"""What is found in the folder at the start: nothing, ours, somebody else's, or a ruin."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from socp.storage import FolderLock, StorageError
from socp.storage.database import Database
from socp.storage.node_schema import SCHEMA
from socp.storage.node_store import NodeStore
from socp.storage.profile_store import ProfileStore
from socp.storage.sqlite import Sqlite
from socp.storage.whose import identity_in
from tests.storage.examples import HOME, NODE_RECORDS, a_vault

OPEN = """
import sys
from pathlib import Path
import socp.storage
light = "sqlalchemy" not in sys.modules
from socp.storage.node_store import NodeStore
NodeStore.open(Path(sys.argv[1])).close()
print(light, "alembic" in sys.modules)
"""


@pytest.fixture
def file(folder: Path) -> Path:
    """The database of a server that has run."""
    with NodeStore.open(folder) as store:
        store.write([replace(HOME, user_id=f"{n:036d}") for n in range(2000)])
        store.write(NODE_RECORDS).result()
    return folder / "socp.db"


def refusal(folder: Path) -> str:
    """The line that opening fails with; the lock is free again after it."""
    with pytest.raises(StorageError) as fault:
        NodeStore.open(folder)
    FolderLock.take(folder).release()
    return str(fault.value)


def change(file: Path, sql: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(sql)


@pytest.fixture
def no_umask() -> Iterator[None]:
    former = os.umask(0)
    yield
    os.umask(former)


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


@pytest.mark.threat("P3")
@pytest.mark.usefixtures("no_umask")
def test_what_is_on_disk_is_for_its_owner_only(folder: Path) -> None:
    with NodeStore.open(folder) as store:
        store.write(NODE_RECORDS).result()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert modes(folder) == dict.fromkeys(
            ("socp.db", "socp.db-wal", "socp.db-shm", "socp.lock"), 0o600
        )


@pytest.mark.threat("P3")
def test_a_database_that_others_may_read_is_closed_to_them(file: Path) -> None:
    file.chmod(0o644)
    NodeStore.open(file.parent).close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_folder_that_was_there_keeps_its_mode(folder: Path) -> None:
    folder.mkdir(mode=0o750)
    NodeStore.open(folder).close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


def test_a_second_store_in_one_folder_is_refused(file: Path) -> None:
    with (
        NodeStore.open(file.parent),
        pytest.raises(StorageError, match=f"is in use by process {os.getpid()}; stop it or choose"),
    ):
        NodeStore.open(file.parent)


@pytest.mark.threat("S8")
@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),  # FULL
        ("wal_autocheckpoint", 4000),
        ("foreign_keys", 1),
        ("busy_timeout", 5000),
    ],
)
def test_a_connection_is_set_up_to_lose_nothing(folder: Path, pragma: str, value: object) -> None:
    folder.mkdir()
    database = Database(Sqlite.in_folder(folder), SCHEMA, folder)
    assert database.run(lambda c: c.exec_driver_sql(f"PRAGMA {pragma}").scalar_one()) == value
    database.close()


@pytest.mark.threat("S8")
def test_a_newer_format_is_refused_and_left_as_it_is(file: Path) -> None:
    change(file, "UPDATE alembic_version SET version_num = 'node_0097'")
    before = file.read_bytes()
    assert refusal(file.parent) == (
        f"{file} was written by a newer version of socp (format 97, this one knows "
        f"{SCHEMA.format}): "
        "upgrade socp, or restore a backup"
    )
    assert file.read_bytes() == before


def test_a_profile_is_not_taken_for_a_server(folder: Path) -> None:
    ProfileStore.open(folder, a_vault).close()
    line = f"{folder / 'socp.db'} is a profile, not a server's data; choose another folder"
    assert refusal(folder) == line


def test_somebody_elses_database_is_refused_and_left_as_it_is(folder: Path) -> None:
    folder.mkdir()
    file = folder / "socp.db"
    change(file, "CREATE TABLE recipes (name TEXT)")
    assert refusal(folder) == f"{file} is no database of socp; choose another folder"
    with closing(sqlite3.connect(file)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema").fetchall()
    assert tables == [("recipes",)]


def test_a_database_without_a_format_is_refused(file: Path) -> None:
    change(file, "DELETE FROM alembic_version")
    assert refusal(file.parent) == f"{file} does not say its format; restore a backup"


@pytest.mark.threat("S8")
def test_a_file_that_is_no_database_is_refused(file: Path) -> None:
    file.write_bytes(b"this is a text, of more than a hundred bytes" * 10)
    assert refusal(file.parent) == (
        f"{file}: not a database, or a damaged one; "
        "restore a backup, or move it away to start afresh"
    )


@pytest.mark.threat("S8")
def test_damage_that_cannot_even_be_named_is_damage(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute(
            "UPDATE sqlite_master SET name = CAST(x'b4' AS TEXT), sql = 'x' WHERE name = 'users'"
        )
    assert "the database is damaged; stop, and restore a backup" in refusal(file.parent)
    assert identity_in(file) is None


@pytest.mark.threat("S8")
def test_a_damaged_database_is_refused_with_the_remedy(file: Path) -> None:
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4096] = b"\xa5" * 4096
    file.write_bytes(content)
    line = refusal(file.parent)
    assert "damaged" in line
    assert "restore a backup" in line
    assert "\n" not in line


@pytest.mark.threat("S8")
def test_a_truncated_database_is_refused(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2 // 4096 * 4096)
    assert "damaged" in refusal(file.parent)


@pytest.mark.threat("S8")
def test_a_database_cut_short_at_its_making_is_made(folder: Path) -> None:
    folder.mkdir()
    (folder / "socp.db").touch()
    with NodeStore.open(folder) as store:
        store.write([HOME]).result()
        assert store.load().homes == (HOME,)


@pytest.mark.threat("S8")
def test_a_folder_that_cannot_be_written_is_one_line(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def read_only(path: os.PathLike[str], flags: int, mode: int = 0o777, **place: int) -> int:
        if flags & os.O_RDWR and Path(path).name == "socp.db":
            raise OSError(30, "Read-only file system", str(path))
        return real(path, flags, mode, **place)

    monkeypatch.setattr("socp.storage.sqlite.os.open", read_only)
    with pytest.raises(StorageError) as fault:
        NodeStore.open(file.parent)
    line = f"{file} cannot be used: Read-only file system; make it writable for this user"
    assert str(fault.value) == line


def test_a_file_system_that_cannot_sync_folders_will_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync(_descriptor: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr("socp.storage.folders.os.fsync", sync)
    NodeStore.open(folder).close()


@pytest.mark.threat("S8")
def test_a_folder_that_fails_to_sync_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("socp.storage.folders.os.fsync", sync)
    with pytest.raises(StorageError, match="cannot be used: Input/output error"):
        NodeStore.open(folder)


def test_a_folder_with_a_name_that_urls_quote_works(tmp_path: Path) -> None:
    folder = tmp_path / "what? 100% #1 é"
    NodeStore.open(folder).close()
    assert (folder / "socp.db").stat().st_size
    NodeStore.open(folder).close()


def test_a_start_imports_no_migrations_and_the_lock_no_sql(
    file: Path, tmp_path: Path, python_path: dict[str, str]
) -> None:
    for folder in (file.parent, tmp_path / "new"):
        told = subprocess.run(
            [sys.executable, "-c", OPEN, str(folder)],
            env=python_path,
            capture_output=True,
            check=True,
        )
        assert told.stdout == b"True False\n"
