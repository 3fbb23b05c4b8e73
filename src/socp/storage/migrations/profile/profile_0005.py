"""Every row is sealed (threat P4): what was there is sealed under the profile's key, and goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "profile_0005"
down_revision = "profile_0004"

TABLES = (
    "contacts",
    "servers",
    "seen",
    "outbox",
    "arrived",
    "channel_keys",
    "key_history",
    "revocations",
)
NEW_TABLES = (
    "readers",
    "numbered",
    "sent",
    "shelves",
    "threads",
    "outgoing_files",
    "incoming_files",
)
SEEN_AT_ONCE = 10_000


def upgrade() -> None:
    for name in TABLES:
        op.rename_table(name, f"clear_{name}")
    for name in ("settings", *NEW_TABLES, *TABLES):
        op.create_table(
            name,
            sa.Column("name", sa.LargeBinary, primary_key=True, nullable=False),
            sa.Column("sealed", sa.LargeBinary, nullable=False),
            sqlite_with_rowid=False,
        )
    config = op.get_context().config
    assert config
    vault: Any = config.attributes.get("vault")
    for table, key, plain in _rows(vault):
        put = sa.text(f"INSERT INTO {table} VALUES (:name, :sealed)")  # noqa: S608 - ours
        op.get_bind().execute(put, {"name": key, "sealed": vault.seal(table, key, plain)})
    _make_history()
    op.drop_table("identity")
    for name in TABLES:
        op.drop_table(f"clear_{name}")


def _make_history() -> None:
    """Empty: of what was said before nothing is left but what waited to be seen."""
    marks = {"said": ("talk",), "said_refs": (), "amendments": ("of", "number"), "said_words": ()}
    for name, columns in marks.items():
        last = "number" if name == "said_refs" else "sealed"
        op.create_table(
            name,
            sa.Column("name", sa.LargeBinary, primary_key=True, nullable=False),
            *(sa.Column(column, sa.LargeBinary, nullable=False) for column in (*columns, last)),
            sqlite_with_rowid=False,
        )
        for column in columns:
            op.create_index(f"ix_{name}_{column}", name, [column])


def _rows(vault: Any) -> Iterator[tuple[str, bytes, bytes]]:
    """(table, name, plaintext) of all that there was."""
    for row in _all("identity"):
        mine = {"user_id": row["user_id"], "display_name": row["display_name"]}
        yield "settings", b"one", _packed(mine)
    for row in _all("clear_contacts"):
        row["features"] = json.loads(row["features"])
        for flag in ("verified", "from_directory"):
            row[flag] = bool(row[flag])
        yield "contacts", vault.token("contacts", row["user_id"]), _packed(row)
    for row in _all("clear_servers"):
        row["features"] = json.loads(row["features"])
        yield "servers", vault.token("servers", row["server_id"]), _packed(row)
    for row in _all("clear_outbox"):
        row["to"] = row.pop("recipient")
        row["frames"] = msgspec.msgpack.decode(row["frames"])
        row["msg_refs"] = json.loads(row["msg_refs"])
        row["late"] = bool(row["late"])
        yield "outbox", _number(row["line_id"]), _packed(row)
    for row in _all("clear_arrived"):
        for flag in ("public", "refused"):
            row[flag] = bool(row[flag])
        yield "arrived", _number(row["number"]), _packed(row)
    for row in _all("clear_channel_keys"):
        key = f"{row['version']}\0{row['fingerprint']}"
        yield "channel_keys", vault.token("channel_keys", key), _packed(row)
    for row in _all("clear_key_history"):
        key = f"{row['user_id']}\0{row['version']}"
        yield "key_history", vault.token("key_history", key), _packed(row)
    for row in _all("clear_revocations"):
        yield "revocations", vault.token("revocations", row["user_id"]), _packed(row)
    yield from _seen()


def _seen() -> Iterator[tuple[str, bytes, bytes]]:
    """In blocks, each with its authors written once."""
    found = op.get_bind().execute(
        sa.text("SELECT msg_ref, digest, author, ts FROM clear_seen ORDER BY ts")
    )
    for number, part in enumerate(found.partitions(SEEN_AT_ONCE), 1):
        places: dict[str, int] = {}
        entries = [
            (msg_ref, digest, places.setdefault(author, len(places)), ts)
            for msg_ref, digest, author, ts in part
        ]
        yield "seen", _number(number), _packed([list(places), entries])


def _all(table: str) -> Iterator[dict[str, Any]]:
    rows = op.get_bind().execute(sa.text(f"SELECT * FROM {table}"))  # noqa: S608 - ours
    return (dict(row) for row in rows.mappings())


def _number(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _packed(value: object) -> bytes:
    return msgspec.msgpack.encode(value)
