"""Former keys of users, and users who are revoked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "node_0004"
down_revision = "node_0003"


def upgrade() -> None:
    op.create_table(
        "key_history",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("pubkey", sa.Text, nullable=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
        sa.Column("sig", sa.Text, nullable=False),
        sa.Column("new_sig", sa.Text, nullable=False),
    )
    op.create_table(
        "revocations",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("pubkey", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
        sa.Column("sig", sa.Text, nullable=False),
    )
    op.create_table(
        "barred_users",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("barred_ms", sa.BigInteger, nullable=False),
    )
