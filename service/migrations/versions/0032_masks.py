"""What names persons in notes. It is found when a note is read: the notes that are there are read again.

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
    op.add_column("notes", sa.Column("masks", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("notes", "masks")
