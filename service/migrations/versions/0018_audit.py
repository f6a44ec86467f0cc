"""The audit log and the two ends of its chain.

Revision: 0018, after 0015.
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

from service import tables

revision = "0018"
down_revision = "0015"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = tables.UtcDateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "audit_events",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.JSON(), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("changed", sa.JSON(), nullable=True),
        sa.Column("status", _BIG, nullable=False),
        sa.Column("times", _BIG, nullable=False),
        sa.Column("position", _BIG, nullable=True),
        sa.Column("seal", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        sa.UniqueConstraint("position", name=op.f("uq_audit_events_position")),
    )
    op.create_index(op.f("ix_audit_events_at"), "audit_events", ["at"])
    op.create_index("ix_audit_events_actor", "audit_events", ["actor", "id"])
    unsealed = sa.text("position is null")
    op.create_index(
        "ix_audit_events_unsealed", "audit_events", ["id"], sqlite_where=unsealed, postgresql_where=unsealed
    )
    chain = op.create_table(
        "audit_chain",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("start_position", _BIG, nullable=False),
        sa.Column("start_seal", sa.String(), nullable=False),
        sa.Column("last_position", _BIG, nullable=False),
        sa.Column("last_seal", sa.String(), nullable=False),
        sa.Column("salt", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_chain")),
    )
    first = {"start_position": 0, "start_seal": "", "last_position": 0, "last_seal": "", "salt": secrets.token_hex(32)}
    op.bulk_insert(chain, [first])


def downgrade() -> None:
    """Take back."""
    op.drop_table("audit_chain")
    op.drop_table("audit_events")
