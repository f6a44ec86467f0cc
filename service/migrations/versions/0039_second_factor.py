"""People have a second factor: the secret (sealed), since when, the last step that counted, hashes of recovery codes.

Revision: 0039, after 0038.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("users", sa.Column("factor_secret", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("factor_since", sa.DateTime(timezone=True), nullable=True))
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("users", sa.Column("factor_step", big, nullable=True))
    op.add_column("users", sa.Column("recovery_codes", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    """Take back."""
    for name in ("recovery_codes", "factor_step", "factor_since", "factor_secret"):
        op.drop_column("users", name)
