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
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

from socp.storage.formats import Schema
from socp.storage.key_rows import history_table, revocations_table
from socp.storage.whose import NODE_FORMAT

metadata = MetaData()

identity = Table(
    "identity",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    Column("server_id", Text, nullable=False),
    Column("fingerprint", Text),  # of the key that is this server; none until it was seen
)

# The process that works with the database, or did so last: where it lost its connection it learns
# from this whether another came.
tenant = Table(
    "tenant",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
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

# The server's secret half of all passwords: without it no login record is worth anything.
login_setup = Table(
    "login_setup",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    Column("setup", LargeBinary, nullable=False),
)

invitations = Table(
    "invitations",
    metadata,
    Column("code_hash", Text, primary_key=True),
    Column("expires_ms", BigInteger, nullable=False),
)

user_homes = Table(
    "user_homes",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("server_id", Text, nullable=False),
    Column("attach_ts", BigInteger, nullable=False),
    Column("attach_sig", Text),  # none in rows older than format 5
    Column("features", JSON),
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

# Settled mail keeps its row, without payload, so that what comes again is known.
mail = Table(
    "mail",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("msg_ref", Text, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("handed", Integer, nullable=False),  # how often to a client that cannot ACK
    Column("sender", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("via", Text, nullable=False),
    Column("attach_ts", BigInteger, nullable=False),
    Column("stored_ms", BigInteger, nullable=False, index=True),
)
WAITING = text("state = 'waiting'")
Index("ix_mail_waiting", mail.c.user_id, mail.c.seq, sqlite_where=WAITING, postgresql_where=WAITING)

posts = Table(
    "posts",
    metadata,
    Column("msg_ref", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False, index=True),
    Column("author", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("via", Text, nullable=False),
    Column("stored_ms", BigInteger, nullable=False, index=True),
)

cursors = Table(
    "cursors",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

# The highest `seq` ever used: mail and posts are deleted, and their numbers never come again.
mail_counter = Table(
    "mail_counter",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
)

SCHEMA = Schema(
    kind="node",
    holds="a server's data",
    metadata=metadata,
    format=NODE_FORMAT,
    migrations=Path(__file__).parent / "migrations" / "node",
    files=("server_key.pem",),
)
