"""Themes know the centroid that they began with, so that fits don't take them far from it.

Revision: 0031, after 0030. Themes that are there begin with the one that they have.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("themes", sa.Column("origin", sa.LargeBinary(), nullable=False, server_default=""))
    themes = sa.table("themes", sa.column("origin", sa.LargeBinary()), sa.column("centroid", sa.LargeBinary()))
    op.execute(themes.update().values(origin=themes.c.centroid))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("themes") as batch:
        batch.drop_column("origin")
