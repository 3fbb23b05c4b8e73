"""The client's tables (sections 7, 10, 12; threats M2, M4).

Times are Unix ms, keys base64url DER. A change here needs a migration and the next format number.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

from socp.storage.formats import Schema
from socp.storage.key_rows import history_table, revocations_table

metadata = MetaData()

identity = Table(
    "identity",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    Column("user_id", Text, nullable=False),
    Column("display_name", Text, nullable=False),
)

contacts = Table(
    "contacts",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("pubkey", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("features", JSON, nullable=False),
    Column("attach_ts", BigInteger, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("from_directory", Boolean, nullable=False),
    Column("content_form", Text, nullable=False),
    Column("refused_key", Text, nullable=False),
    Column("first_seen_ms", BigInteger, nullable=False),
)

servers = Table(
    "servers",
    metadata,
    Column("server_id", Text, primary_key=True),
    Column("pubkey", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("features", JSON, nullable=False),
    Column("pinned_ms", BigInteger, nullable=False),
)

# It only grows. Without SQLite's hidden row number a msg_ref is stored once, not in an index too.
seen = Table(
    "seen",
    metadata,
    Column("msg_ref", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("author", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    metadata,
    Column("line_id", BigInteger, primary_key=True, autoincrement=False),
    Column("recipient", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("frames", LargeBinary, nullable=False),  # msgpack, a list of byte strings
    Column("msg_refs", JSON, nullable=False),
    Column("composed_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("late", Boolean, nullable=False, server_default=text("0")),
    Column("sealed_to", Text, nullable=False, server_default=text("''")),
)

# What came and was not shown yet, in clear: each row goes as soon as the person has seen it.
arrived = Table(
    "arrived",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("msg_ref", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("trust", Text, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("refused", Boolean, nullable=False),
)

channel_keys = Table(
    "channel_keys",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("fingerprint", Text, primary_key=True),
    Column("channel_pub", Text, nullable=False),
    Column("private", LargeBinary, nullable=False),
    Column("group_key", LargeBinary, nullable=False),
    Column("box", Text, nullable=False),
    Column("creator_id", Text, nullable=False),
)

key_history = history_table(metadata)
revocations = revocations_table(metadata)

SCHEMA = Schema(
    kind="profile",
    holds="a client's profile",
    metadata=metadata,
    format=4,
    migrations=Path(__file__).parent / "migrations" / "profile",
)
