"""How connections stand with their APIs, synchronisations, and which claim of a fetch counts.

Revision: 0007, after 0011.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service import tables

revision = "0007"
down_revision = "0011"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = tables.UtcDateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.add_column("fetches", sa.Column("claim", _BIG, nullable=False, server_default="0"))
    op.create_table(
        "api_states",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("credentials", sa.String(), nullable=False),
        sa.Column("access_token", sa.Text(), nullable=True),
        sa.Column("access_until", _TIME, nullable=True),
        sa.Column("refresh_token", sa.Text(), nullable=True),
        sa.Column("paced_until", _TIME, nullable=True),
        sa.Column("paused_until", _TIME, nullable=True),
        sa.Column("attention", sa.String(), nullable=True),
        sa.Column("attention_at", _TIME, nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("source", "connection", name=op.f("pk_api_states")),
    )
    op.create_table(
        "syncs",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("job_id", _BIG, nullable=False),
        sa.Column("since", _TIME, nullable=True),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("claim", _BIG, nullable=False),
        sa.Column("attempts", _BIG, nullable=False),
        sa.Column("next_at", _TIME, nullable=False),
        sa.Column("records", _BIG, nullable=False),
        sa.Column("results", sa.JSON(), nullable=False),
        sa.Column("skipped", sa.JSON(), nullable=False),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_syncs_job_id_jobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_syncs")),
    )
    op.create_index(op.f("ix_syncs_state"), "syncs", ["state"])
    op.create_index("ix_syncs_connection", "syncs", ["source", "connection", "id"])


def downgrade() -> None:
    """Take back; what was fetched stays."""
    op.drop_table("syncs")
    op.drop_table("api_states")
    op.drop_column("fetches", "claim")
