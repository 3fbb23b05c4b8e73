"""The first format of the server's database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "node_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "identity",
        sa.Column(
            "one", sa.Integer, sa.CheckConstraint("one = 1"), primary_key=True, autoincrement=False
        ),
        sa.Column("server_id", sa.Text, nullable=False),
    )
    op.create_table(
        "users",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("pubkey", sa.Text, nullable=False),
        sa.Column("privkey_store", sa.Text),
        sa.Column("pake_password", sa.Text),
        sa.Column("meta", sa.JSON, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("local", sa.Boolean, nullable=False),
        sa.Column("proven", sa.Boolean, nullable=False),
        sa.Column("features", sa.JSON, nullable=False),
        sa.Column("pinned_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "user_homes",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("server_id", sa.Text, nullable=False),
        sa.Column("attach_ts", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "servers",
        sa.Column("server_id", sa.Text, primary_key=True),
        sa.Column("pubkey", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("features", sa.JSON, nullable=False),
        sa.Column("pinned_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "rulings",
        sa.Column("fingerprint", sa.Text, primary_key=True),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("ruled_ms", sa.BigInteger, nullable=False),
    )
    _channel()


def _channel() -> None:
    op.create_table(
        "groups",
        sa.Column("group_id", sa.Text, primary_key=True),
        sa.Column("creator_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("meta", sa.JSON, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "group_members",
        sa.Column("group_id", sa.Text, sa.ForeignKey("groups.group_id"), primary_key=True),
        sa.Column("member_id", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("wrapped_key", sa.Text, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("key_version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "channel_frames",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("frame", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "channel_shares",
        sa.Column("member_id", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("wrapped_key", sa.Text, nullable=False),
        sa.Column("creator_id", sa.Text, nullable=False),
        sa.Column(
            "frame_digest",
            sa.LargeBinary,
            sa.ForeignKey("channel_frames.digest"),
            nullable=False,
            index=True,
        ),
    )
