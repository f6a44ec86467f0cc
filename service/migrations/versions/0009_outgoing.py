"""What goes out: events, webhook endpoints, subscriptions, deliveries, and what was announced.

Revision: 0009, after 0008.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from service import tables

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = tables.UtcDateTime(timezone=True)


def _belongs(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{parent}.id"], name=op.f(f"fk_{table}_{column}_{parent}"), ondelete="CASCADE"
    )


def _state(name: str) -> dict[str, Any]:
    return dict.fromkeys(("sqlite_where", "postgresql_where"), sa.text(f"state = '{name}'"))


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "events",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("happened_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("key", name=op.f("uq_events_key")),
    )
    op.create_index(op.f("ix_events_happened_at"), "events", ["happened_at"])
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("event_types", sa.JSON(), nullable=False),
        sa.Column("quotes", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("previous_secret", sa.String(), nullable=True),
        sa.Column("previous_until", _TIME, nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("failing_since", _TIME, nullable=True),
        sa.Column("disabled_at", _TIME, nullable=True),
        sa.Column("disabled_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("digest", sa.Boolean(), nullable=False),
        sa.Column("alerts", sa.Boolean(), nullable=False),
        sa.Column("sensitivity", sa.String(), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("weekday", _BIG, nullable=False),
        sa.Column("hour", _BIG, nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("token_secret", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("digested_on", _TIME, nullable=True),
        sa.Column("alerted_at", _TIME, nullable=True),
        sa.Column("disabled_at", _TIME, nullable=True),
        sa.Column("disabled_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
    )
    _create_deliveries()
    op.create_table(
        "watches",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("subscription_id", _BIG, nullable=True),
        sa.Column("claimed_at", _TIME, nullable=True),
        sa.Column("ranked_at", _TIME, nullable=True),
        _belongs("watches", "subscription_id", "subscriptions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watches")),
        sa.UniqueConstraint("subscription_id", name=op.f("uq_watches_subscription_id")),
    )
    op.bulk_insert(sa.table("watches", sa.column("subscription_id", _BIG)), [{"subscription_id": None}])
    op.create_table(
        "announced",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("watch_id", _BIG, nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("notes", _BIG, nullable=False),
        sa.Column("of_notes", _BIG, nullable=False),
        sa.Column("announced_at", _TIME, nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        _belongs("announced", "watch_id", "watches"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announced")),
        sa.UniqueConstraint("watch_id", "about", "key", name=op.f("uq_announced_watch_id_about_key")),
    )


def _create_deliveries() -> None:
    table = "outgoing_deliveries"
    op.create_table(
        table,
        sa.Column("id", _BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("event_id", _BIG, nullable=True),
        sa.Column("endpoint_id", _BIG, nullable=True),
        sa.Column("subscription_id", _BIG, nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", _BIG, nullable=False),
        sa.Column("next_at", _TIME, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME, nullable=True),
        sa.Column("status_code", _BIG, nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        _belongs(table, "event_id", "events"),
        _belongs(table, "endpoint_id", "webhook_endpoints"),
        _belongs(table, "subscription_id", "subscriptions"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    for column in ("event_id", "endpoint_id", "subscription_id", "created_at"):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    op.create_index("ix_outgoing_deliveries_waiting", table, ["next_at"], **_state("waiting"))
    op.create_index("ix_outgoing_deliveries_sending", table, ["endpoint_id", "subscription_id"], **_state("sending"))
    op.create_table(
        "delivery_attempts",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("delivery_id", _BIG, nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("duration_ms", _BIG, nullable=False),
        sa.Column("status_code", _BIG, nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        _belongs("delivery_attempts", "delivery_id", table),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_attempts")),
    )
    op.create_index(op.f("ix_delivery_attempts_delivery_id"), "delivery_attempts", ["delivery_id"])


def downgrade() -> None:
    """Take back."""
    for table in (
        "announced",
        "watches",
        "delivery_attempts",
        "outgoing_deliveries",
        "subscriptions",
        "webhook_endpoints",
        "events",
    ):
        op.drop_table(table)
