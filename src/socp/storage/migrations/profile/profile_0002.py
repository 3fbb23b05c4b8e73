"""What came and was not shown yet; lines that are sent again byte for byte (`mailbox/1`)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "profile_0002"
down_revision = "profile_0001"


def upgrade() -> None:
    op.create_table(
        "arrived",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("msg_ref", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
        sa.Column("trust", sa.Text, nullable=False),
        sa.Column("public", sa.Boolean, nullable=False),
        sa.Column("refused", sa.Boolean, nullable=False),
    )
    late = sa.Column("late", sa.Boolean, nullable=False, server_default=sa.text("0"))
    sealed_to = sa.Column("sealed_to", sa.Text, nullable=False, server_default=sa.text("''"))
    op.add_column("outbox", late)
    op.add_column("outbox", sealed_to)
