"""Whose deal it is, for notes that come later; when a CRM told an account's name, for an older one that comes late.

Revision: 0035, after 0034.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("deals", sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("accounts", sa.Column("named_ms", big, nullable=False, server_default="0"))


def downgrade() -> None:
    """Take back."""
    op.drop_column("accounts", "named_ms")
    op.drop_column("deals", "account_id")
