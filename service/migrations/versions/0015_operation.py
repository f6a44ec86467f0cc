"""What workers count, and the trace that a note or job belongs to.

Revision: 0015, after 0014.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "counts",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("labels", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", "labels", name=op.f("pk_counts")),
    )
    op.add_column("notes", sa.Column("traceparent", sa.String(), nullable=True))
    op.add_column("jobs", sa.Column("traceparent", sa.String(), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("jobs", "traceparent")
    op.drop_column("notes", "traceparent")
    op.drop_table("counts")
