"""From an older format to ours: a backup first, then all or nothing."""

from __future__ import annotations

import logging
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from sqlalchemy import Engine, inspect

from socp.storage import StorageError, dialect, formats, migrations
from socp.storage.database import Database
from socp.storage.formats import Schema
from socp.storage.node_schema import SCHEMA as NODE
from socp.storage.node_store import NodeStore
from socp.storage.profile_schema import SCHEMA as PROFILE
from tests.storage.examples import ACCOUNT, HOME, SHARE

NEXT = f"""
import sqlalchemy as sa
from alembic import op

revision = "node_{NODE.format + 1:04d}"
down_revision = "{NODE.revision}"


def upgrade():
    op.add_column("users", sa.Column("note", sa.Text))
    with op.batch_alter_table("groups") as groups:  # rebuilt, though group_members refers to it
        groups.add_column(sa.Column("topic", sa.Text))
        groups.alter_column("meta", nullable=True)
"""
BACKUP = f"socp.db.format-{NODE.format}"


def with_next_format(tmp_path: Path, script: str = NEXT) -> type[NodeStore]:
    """The store of a later socp, whose database has one more format."""
    folder = tmp_path / "later % socp"
    folder.mkdir()
    for former in NODE.migrations.glob("node_*.py"):
        (folder / former.name).write_text(former.read_text())
    (folder / f"node_{NODE.format + 1:04d}.py").write_text(script)
    later = replace(NODE, format=NODE.format + 1, migrations=folder)

    class LaterStore(NodeStore):
        SCHEMA: ClassVar[Schema] = later

    return LaterStore


@pytest.fixture
def old(folder: Path) -> Path:
    """A folder in our format, in use for a while."""
    with NodeStore.open(folder) as store:
        store.write([ACCOUNT, HOME, SHARE]).result()
    return folder


def shape(engine: Engine) -> dict[str, object]:
    """Everything about the tables that a statement could notice."""
    eye = inspect(engine)
    with engine.connect() as connection:
        kinds = {
            row.name: (row.wr, row.strict)
            for row in connection.exec_driver_sql("PRAGMA table_list")
        }
    return {
        name: {
            "columns": [{**column, "type": str(column["type"])} for column in columns],
            "keys": eye.get_pk_constraint(name),
            "references": eye.get_foreign_keys(name),
            "indexes": [
                {**index, "dialect_options": {k: str(v) for k, v in options.items()}}
                for index in eye.get_indexes(name)
                for options in [index.get("dialect_options", {})]
            ],
            "checks": eye.get_check_constraints(name),
            "unique": eye.get_unique_constraints(name),
            "kind": kinds[name],
        }
        for name in eye.get_table_names()
        for columns in [eye.get_columns(name)]
    }


@pytest.mark.parametrize("schema", [NODE, PROFILE], ids=["node", "profile"])
def test_a_new_database_and_a_migrated_one_are_the_same(schema: Schema) -> None:
    made, migrated = dialect.connect_memory(), dialect.connect_memory()
    formats.bring_up(made, schema, None)
    with migrated.begin() as connection:
        migrations.upgrade(connection, schema.migrations, schema.revision)
    assert shape(made) == shape(migrated)
    assert len(shape(made)) > 5
    for engine in (made, migrated):
        with engine.begin() as connection:
            revision = connection.exec_driver_sql("SELECT * FROM alembic_version").scalar_one()
        assert revision == schema.revision
        engine.dispose()


@pytest.mark.parametrize("schema", [NODE, PROFILE], ids=["node", "profile"])
def test_every_format_has_its_script(schema: Schema) -> None:
    scripts = {file.stem for file in schema.migrations.glob(f"{schema.kind}_*.py")}
    assert scripts == {f"{schema.kind}_{n:04d}" for n in range(1, schema.format + 1)}


@pytest.mark.threat("S8")
def test_an_older_database_is_upgraded_and_keeps_its_rows(old: Path, tmp_path: Path) -> None:
    with with_next_format(tmp_path).open(old) as store:
        assert store.load().accounts == (ACCOUNT,)
        assert store.load().shares == (SHARE,)
        store.write([HOME]).result()
    with closing(sqlite3.connect(old / "socp.db")) as connection:
        rows = connection.execute("SELECT user_id, note FROM users").fetchall()
    assert rows == [(ACCOUNT.user_id, None)]


@pytest.mark.threat("S8")
def test_before_an_upgrade_a_copy_is_made_that_the_former_version_can_use(
    old: Path, tmp_path: Path
) -> None:
    with with_next_format(tmp_path).open(old) as store:
        copy = store.backup
    assert copy == old / f"{BACKUP}.bak"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    restored = tmp_path / "restored"
    restored.mkdir()
    copy.rename(restored / "socp.db")
    with NodeStore.open(restored) as former:
        assert former.load().shares == (SHARE,)
        assert former.backup is None


def test_an_upgrade_leaves_nothing_else_in_the_folder(old: Path, tmp_path: Path) -> None:
    with with_next_format(tmp_path).open(old):
        pass
    names = {file.name for file in old.iterdir()}
    assert names == {"socp.db", f"{BACKUP}.bak", "socp.lock"}


def test_references_are_enforced_again_after_an_upgrade(old: Path, tmp_path: Path) -> None:
    database = Database(old, with_next_format(tmp_path).SCHEMA)
    with database.transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
    database.close()


def test_an_earlier_backup_is_never_overwritten(old: Path, tmp_path: Path) -> None:
    (old / f"{BACKUP}.bak").write_text("precious")
    with with_next_format(tmp_path).open(old) as store:
        assert store.backup == old / f"{BACKUP}-2.bak"
    assert (old / f"{BACKUP}.bak").read_text() == "precious"


def test_the_remains_of_a_killed_backup_are_no_obstacle(old: Path, tmp_path: Path) -> None:
    (old / f"{BACKUP}.bak.part").write_text("half a")
    with with_next_format(tmp_path).open(old) as store:
        assert store.backup == old / f"{BACKUP}.bak"
    assert not (old / f"{BACKUP}.bak.part").exists()


@pytest.mark.threat("S8")
@pytest.mark.parametrize(
    ("ruin", "fault", "line"),
    [
        ("raise RuntimeError('bug')", RuntimeError, "bug"),
        ("op.execute('DELETE FROM groups')", StorageError, "loses references was undone"),
        ("op.execute('DROP TABLE absent')", StorageError, "no such table"),
    ],
)
def test_an_upgrade_that_fails_half_way_changes_nothing(
    old: Path, tmp_path: Path, ruin: str, fault: type[Exception], line: str
) -> None:
    later = with_next_format(tmp_path, f"{NEXT}    {ruin}\n")
    with pytest.raises(fault, match=line):
        later.open(old)
    with NodeStore.open(old) as store:
        assert store.load().shares == (SHARE,)


@pytest.mark.threat("S8")
def test_without_room_for_a_backup_nothing_is_upgraded(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(dialect, "copy", full)
    with pytest.raises(StorageError, match="nothing is upgraded without a backup"):
        with_next_format(tmp_path).open(old)
    assert {file.name for file in old.iterdir()} == {"socp.db", "socp.lock"}
    with NodeStore.open(old) as store:
        assert store.load().accounts == (ACCOUNT,)


def test_an_upgrade_leaves_logging_and_the_terminal_alone(
    old: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging.root.manager.disable)
    with with_next_format(tmp_path).open(old):
        pass
    assert (root.level, list(root.handlers), logging.root.manager.disable) == before
    assert capfd.readouterr() == ("", "")
