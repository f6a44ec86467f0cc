"""Editions of reports that are withdrawn because words in them were erased.

Revision: 0029, after 0028.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service import tables

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("reports", sa.Column("withdrawn_at", tables.UtcDateTime(timezone=True), nullable=True))
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("reports", sa.Column("replaced_by", big, nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("reports") as batch:
        batch.drop_column("replaced_by")
        batch.drop_column("withdrawn_at")
