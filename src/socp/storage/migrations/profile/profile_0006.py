"""What was typed and not said yet, by conversation, sealed as all of it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "profile_0006"
down_revision = "profile_0005"


def upgrade() -> None:
    op.create_table(
        "drafts",
        sa.Column("name", sa.LargeBinary, primary_key=True, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
