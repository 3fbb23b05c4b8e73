"""Mail and posts that wait for their readers; whose database this is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "node_0002"
down_revision = "node_0001"


def upgrade() -> None:
    op.add_column("identity", sa.Column("fingerprint", sa.Text))
    op.create_table(
        "tenant",
        sa.Column(
            "one", sa.Integer, sa.CheckConstraint("one = 1"), primary_key=True, autoincrement=False
        ),
        sa.Column("name", sa.Text, nullable=False),
    )
    _mail()


def _mail() -> None:
    op.create_table(
        "mail",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("msg_ref", sa.Text, primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("handed", sa.Integer, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("attach_ts", sa.BigInteger, nullable=False),
        sa.Column("stored_ms", sa.BigInteger, nullable=False, index=True),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "ix_mail_waiting",
        "mail",
        ["user_id", "seq"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_table(
        "posts",
        sa.Column("msg_ref", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False, index=True),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("stored_ms", sa.BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "cursors",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "mail_counter",
        sa.Column(
            "one", sa.Integer, sa.CheckConstraint("one = 1"), primary_key=True, autoincrement=False
        ),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
