"""What a user stated when they attached last, to be repeated while they are away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "node_0005"
down_revision = "node_0004"


def upgrade() -> None:
    op.add_column("user_homes", sa.Column("attach_sig", sa.Text))
    op.add_column("user_homes", sa.Column("features", sa.JSON))
