"""Sources: connections, deliveries, what is set aside, what is to be fetched, contacts of notes, freshness.

Revision: 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service import tables

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = tables.UtcDateTime(timezone=True)
_WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "connections",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("previous_secret", sa.String(), nullable=True),
        sa.Column("previous_until", _TIME, nullable=True),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("disabled_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
        sa.UniqueConstraint("source", "name", name=op.f("uq_connections_source_name")),
    )
    op.create_index(op.f("ix_connections_source"), "connections", ["source"])
    op.create_table(
        "deliveries",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("source", "key", name=op.f("uq_deliveries_source_key")),
    )
    op.create_index(op.f("ix_deliveries_received_at"), "deliveries", ["received_at"])
    op.create_table(
        "set_aside",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_set_aside")),
    )
    op.create_index(op.f("ix_set_aside_source"), "set_aside", ["source"])
    op.create_index(op.f("ix_set_aside_received_at"), "set_aside", ["received_at"])
    op.create_table(
        "fetches",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("object_type", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", _BIG, nullable=False),
        sa.Column("version_ms", _BIG, nullable=False),
        sa.Column("next_at", _TIME, nullable=False),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fetches")),
        sa.UniqueConstraint(
            "source",
            "connection",
            "object_type",
            "object_id",
            name=op.f("uq_fetches_source_connection_object_type_object_id"),
        ),
    )
    op.create_index("ix_fetches_waiting", "fetches", ["next_at"], sqlite_where=_WAITING, postgresql_where=_WAITING)
    op.create_table(
        "note_contacts",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source", "external_id", "contact", name=op.f("pk_note_contacts")),
    )
    op.create_index("ix_note_contacts_contact", "note_contacts", ["source", "contact"])
    op.create_table(
        "source_activity",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("deliveries", _BIG, nullable=False),
        sa.Column("notes", _BIG, nullable=False),
        sa.Column("last_delivery_at", _TIME, nullable=False),
        sa.Column("last_note_at", _TIME, nullable=True),
        sa.Column("gap_seconds", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("source", "connection", name=op.f("pk_source_activity")),
    )


def downgrade() -> None:
    """Take back."""
    for table in ("source_activity", "note_contacts", "fetches", "set_aside", "deliveries", "connections"):
        op.drop_table(table)
