"""The first format of a client's database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "profile_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "identity",
        sa.Column(
            "one", sa.Integer, sa.CheckConstraint("one = 1"), primary_key=True, autoincrement=False
        ),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
    )
    op.create_table(
        "contacts",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("pubkey", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("features", sa.JSON, nullable=False),
        sa.Column("attach_ts", sa.BigInteger, nullable=False),
        sa.Column("verified", sa.Boolean, nullable=False),
        sa.Column("from_directory", sa.Boolean, nullable=False),
        sa.Column("content_form", sa.Text, nullable=False),
        sa.Column("refused_key", sa.Text, nullable=False),
        sa.Column("first_seen_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "servers",
        sa.Column("server_id", sa.Text, primary_key=True),
        sa.Column("pubkey", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("features", sa.JSON, nullable=False),
        sa.Column("pinned_ms", sa.BigInteger, nullable=False),
    )
    _messages()


def _messages() -> None:
    op.create_table(
        "seen",
        sa.Column("msg_ref", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("line_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("frames", sa.LargeBinary, nullable=False),
        sa.Column("msg_refs", sa.JSON, nullable=False),
        sa.Column("composed_ms", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "channel_keys",
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("fingerprint", sa.Text, primary_key=True),
        sa.Column("channel_pub", sa.Text, nullable=False),
        sa.Column("private", sa.LargeBinary, nullable=False),
        sa.Column("group_key", sa.LargeBinary, nullable=False),
        sa.Column("box", sa.Text, nullable=False),
        sa.Column("creator_id", sa.Text, nullable=False),
    )
