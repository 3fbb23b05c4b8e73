"""The server's tables: the standard's three (section 10) and our own beside them.

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
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from socp.storage.formats import Schema
from socp.storage.key_rows import history_table, revocations_table

metadata = MetaData()

identity = Table(
    "identity",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    Column("server_id", Text, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("pubkey", Text, nullable=False),
    Column("privkey_store", Text),  # sealed by the user; none while they keep it to themselves
    Column("pake_password", Text),  # a verifier; none while they do not log in by password
    Column("meta", JSON, nullable=False),
    Column("version", BigInteger, nullable=False),
    # From here on our own.
    Column("local", Boolean, nullable=False),
    Column("proven", Boolean, nullable=False),
    Column("features", JSON, nullable=False),
    Column("pinned_ms", BigInteger, nullable=False),
)

user_homes = Table(
    "user_homes",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("server_id", Text, nullable=False),
    Column("attach_ts", BigInteger, nullable=False),
)

servers = Table(
    "servers",
    metadata,
    Column("server_id", Text, primary_key=True),
    Column("pubkey", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("origin", Text, nullable=False),
    Column("features", JSON, nullable=False),
    Column("pinned_ms", BigInteger, nullable=False),
)

rulings = Table(
    "rulings",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("ruled_ms", BigInteger, nullable=False),
)

key_history = history_table(metadata)
revocations = revocations_table(metadata)

barred_users = Table(
    "barred_users",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("barred_ms", BigInteger, nullable=False),
)

groups = Table(
    "groups",
    metadata,
    Column("group_id", Text, primary_key=True),
    Column("creator_id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("meta", JSON, nullable=False),
    Column("version", BigInteger, nullable=False),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", Text, ForeignKey("groups.group_id"), primary_key=True),
    Column("member_id", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("wrapped_key", Text, nullable=False),  # of the newest version they were given
    Column("added_at", BigInteger, nullable=False),
    Column("key_version", BigInteger, nullable=False),  # our own
)

# One frame carries the shares of up to 10,000 members: kept once, by its SHA-256.
channel_frames = Table(
    "channel_frames",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("frame", LargeBinary, nullable=False),
)

channel_shares = Table(
    "channel_shares",
    metadata,
    Column("member_id", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("wrapped_key", Text, nullable=False),
    Column("creator_id", Text, nullable=False),
    Column(
        "frame_digest",
        LargeBinary,
        ForeignKey("channel_frames.digest"),
        nullable=False,
        index=True,
    ),
)

SCHEMA = Schema(
    kind="node",
    holds="a server's data",
    metadata=metadata,
    format=2,
    migrations=Path(__file__).parent / "migrations" / "node",
)
