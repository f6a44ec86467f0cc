"""Passages lie in a space of themes of its own, beside what they say.

Revision: 0027, after 0018. Notes read before get it when they are read again; their themes stay with them until then.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("passages", sa.Column("theme_vector", sa.LargeBinary(), nullable=False, server_default=""))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("passages") as batch:
        batch.drop_column("theme_vector")
