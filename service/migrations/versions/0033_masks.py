"""What names persons in notes. It is found when a note is read: the notes that are there are read again.

Revision: 0033, after 0032.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("notes", sa.Column("masks", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("notes", "masks")
