"""Profiles of before, whose rows stood in clear, keep all they had (threats S8, P4)."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from socp.member import records
from socp.storage import migrations
from socp.storage.profile_schema import SCHEMA
from socp.storage.profile_store import ProfileStore
from socp.storage.sqlite import Sqlite
from tests.storage import examples
from tests.storage.examples import (
    ALICE,
    ARRIVED,
    CHANNEL_KEY,
    CONTACT,
    KNOWN_SERVER,
    LINE,
    REVOCATION,
    SEEN,
    STEPS,
    a_vault,
)


def of_format(folder: Path, number: int) -> None:
    """An empty profile of a format of before."""
    folder.mkdir()
    made = Sqlite.in_folder(folder)
    with made.engine.begin() as connection:
        migrations.upgrade(connection, SCHEMA.migrations, SCHEMA.revision_of(number))
    made.close()


def put(folder: Path, table: str, **row: Any) -> None:
    """A row as the former version wrote it: it knew some members only."""
    with closing(sqlite3.connect(folder / "socp.db")) as connection, connection:
        known = {column[1] for column in connection.execute(f"PRAGMA table_info({table})")}
        row = {name: value for name, value in row.items() if name in known}
        values = [json.dumps(v) if isinstance(v, tuple) else v for v in row.values()]
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", values)


def put_line(folder: Path, line: records.OutboxLine) -> None:
    row = asdict(line)
    row["recipient"] = row.pop("to")
    row["frames"] = msgspec.msgpack.encode(line.frames)
    put(folder, "outbox", **row)


def fill(folder: Path) -> None:
    """One of everything that format 4 knew."""
    put(folder, "identity", one=1, user_id=ALICE, display_name="Alice")
    put_line(folder, LINE)
    put(folder, "contacts", **structs.asdict(CONTACT))
    put(folder, "servers", **asdict(KNOWN_SERVER))
    put(folder, "seen", **SEEN._asdict())
    put(folder, "arrived", **asdict(ARRIVED))
    put(folder, "channel_keys", **asdict(CHANNEL_KEY))
    put(folder, "revocations", **asdict(REVOCATION))
    for step in STEPS:
        put(folder, "key_history", **asdict(step))


@pytest.mark.threat("S8")
def test_a_profile_of_format_4_keeps_everything(folder: Path) -> None:
    of_format(folder, 4)
    fill(folder)
    for _ in range(2):
        with ProfileStore.open(folder, a_vault) as store:
            assert store.settings() == records.Settings(ALICE, "Alice")
            assert store.load() == records.Remembered(
                contacts=(CONTACT,),
                servers=(KNOWN_SERVER,),
                seen=(SEEN,),
                outbox=(LINE,),
                channel_keys=(CHANNEL_KEY,),
                key_steps=STEPS,
                revocations=(REVOCATION,),
                arrived=(ARRIVED,),
            )


@pytest.mark.threat("S8")
def test_a_profile_of_the_first_format_keeps_its_lines(folder: Path) -> None:
    of_format(folder, 1)
    old = replace(LINE, late=False, sealed_to="")
    put_line(folder, old)
    with ProfileStore.open(folder, a_vault) as store:
        assert store.load().outbox == (old,)
        assert store.backup == folder / "socp.db.format-1.bak"
        store.write([LINE, ARRIVED]).result()
        assert store.load().arrived == (ARRIVED,)


@pytest.mark.threat("P4")
def test_after_an_upgrade_nothing_of_it_is_in_the_database_in_clear(folder: Path) -> None:
    of_format(folder, 4)
    fill(folder)
    with closing(sqlite3.connect(folder / "socp.db")) as connection:
        connection.isolation_level = None
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("UPDATE arrived SET text = ?", ["deleted long ago " * 900])
        connection.execute("UPDATE arrived SET text = ?", [ARRIVED.text])
    with ProfileStore.open(folder, a_vault):
        kept = b"".join(
            file.read_bytes() for file in folder.glob("socp.db*") if ".bak" not in file.name
        )
    for word in (b"deleted", b"hello", b"Alice", b"Bob", b"ws://", b"private", ALICE.encode()):
        assert word not in kept
    assert b"deleted" in (folder / "socp.db.format-4.bak").read_bytes()  # it had been there


def test_a_profile_of_format_5_has_room_for_what_is_typed(folder: Path) -> None:
    of_format(folder, 5)
    for _ in range(2):
        with ProfileStore.open(folder, a_vault) as store:
            assert store.drafts().result() in ((), (examples.DRAFT,))
            store.write([examples.DRAFT]).result()
            assert store.drafts().result() == (examples.DRAFT,)


def test_many_messages_of_before_are_all_remembered(folder: Path) -> None:
    of_format(folder, 4)
    seen = [SEEN._replace(msg_ref=f"{number:043d}", ts=number) for number in range(20_001)]
    with closing(sqlite3.connect(folder / "socp.db")) as connection, connection:
        rows = [(one.msg_ref, one.digest, one.author, one.ts) for one in seen]
        connection.executemany("INSERT INTO seen VALUES (?, ?, ?, ?)", rows)
    with ProfileStore.open(folder, a_vault) as store:
        assert store.load().seen == tuple(seen)
        store.write([examples.SEEN]).result()
        assert store.load().seen == (*seen, examples.SEEN)
