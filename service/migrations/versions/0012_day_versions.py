"""Versions of days, by which counts held in memory are known to be current.

Revision: 0012, after 0009.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.insights import triggers

revision = "0012"
down_revision = "0009"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply; the triggers follow after the last migration."""
    op.create_table(
        "day_versions",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("token", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_versions")),
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    note_day = "substr(occurred_at, 1, 10)" if sqlite else "(occurred_at at time zone 'UTC')::date"
    token = "random()" if sqlite else "(random() * 9007199254740991)::bigint"
    sources = {"notes where analysed_revision > 0": note_day, **dict.fromkeys(triggers.FINDINGS, "occurred_on")}
    days = " union ".join(f"select {day} as day from {source}" for source, day in sources.items())
    op.execute(f"insert into day_versions (day, token) select day, {token} from ({days}) as days")
    op.create_index("ix_day_versions_day", "day_versions", ["day", "token"])


def downgrade() -> None:
    """Take back."""
    triggers.remove(op.get_bind())
    op.drop_table("day_versions")
