"""People can say that a passage belongs to no theme.

Revision: 0032, after 0031.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("theme_pins") as batch:
        batch.alter_column("theme_id", existing_type=sa.BigInteger(), nullable=True)


def downgrade() -> None:
    """Take back; passages that belong to no theme may get one again."""
    op.execute("DELETE FROM theme_pins WHERE theme_id IS NULL")
    with op.batch_alter_table("theme_pins") as batch:
        batch.alter_column("theme_id", existing_type=sa.BigInteger(), nullable=False)
