"""Whom a key followed, which its new key signs. Statements of the form before that hold no more:
the keys and their versions stay."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "profile_0004"
down_revision = "profile_0003"


def upgrade() -> None:
    op.add_column(
        "key_history", sa.Column("follows", sa.Text, nullable=False, server_default=sa.text("''"))
    )
    op.execute("UPDATE key_history SET sig = '', new_sig = ''")
