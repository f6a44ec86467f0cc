"""Faults that can be played again or dismissed.

Revision: 0017, after 0010.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service import tables

revision = "0017"
down_revision = "0010"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = tables.UtcDateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "kept_deliveries",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("headers", tables.Json, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_deliveries")),
    )
    with op.batch_alter_table("set_aside") as batch:
        batch.add_column(sa.Column("state", sa.String(), nullable=False, server_default="open"))
        batch.add_column(sa.Column("again", tables.Json, nullable=False, server_default="{}"))
        batch.add_column(sa.Column("kept_id", _BIG, nullable=True))
        batch.add_column(sa.Column("settled_at", _TIME, nullable=True))
        batch.add_column(sa.Column("settled_by", sa.String(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_set_aside_kept_id_kept_deliveries"), "kept_deliveries", ["kept_id"], ["id"], ondelete="SET NULL"
        )
    op.create_index(op.f("ix_set_aside_state"), "set_aside", ["state"])
    op.create_index(op.f("ix_set_aside_kept_id"), "set_aside", ["kept_id"])


def downgrade() -> None:
    """Take back; what was kept of deliveries is forgotten."""
    op.drop_index(op.f("ix_set_aside_kept_id"), "set_aside")
    op.drop_index(op.f("ix_set_aside_state"), "set_aside")
    with op.batch_alter_table("set_aside") as batch:
        batch.drop_constraint(op.f("fk_set_aside_kept_id_kept_deliveries"), type_="foreignkey")
        for column in ("settled_by", "settled_at", "kept_id", "again", "state"):
            batch.drop_column(column)
    op.drop_table("kept_deliveries")
