"""Tables of what goes out: events, who is told of them, what was sent, and what was announced before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.sealing.columns import Sealed
from service.tables import Table


class EventTable(Table):
    """Something that happened. `data` holds figures and ids, never the words of a note."""

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]
    data: Mapped[dict[str, Any]]
    happened_at: Mapped[datetime] = mapped_column(index=True)


class EndpointTable(Table):
    """An address that events are posted to.

    Secrets are kept sealed, not hashed, for signatures are made with them; no answer and no log shows them again. Until
    `previous_until` the secret before signs too. No `event_types` means all. `failing_since` is the first failure after
    the last success.
    """

    __tablename__ = "webhook_endpoints"
    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(sa.Text)
    description: Mapped[str]
    event_types: Mapped[list[str]]
    quotes: Mapped[bool]
    secret: Mapped[str] = mapped_column(Sealed)
    previous_secret: Mapped[str | None] = mapped_column(Sealed)
    previous_until: Mapped[datetime | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    failing_since: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None]


class SubscriptionTable(Table):
    """Who gets digests and alerts, where, in which language, about which notes.

    `address` is sealed: that of a chat is all that it takes to write there. `token_secret` signs the link to
    unsubscribe. `digested_on` is the day of the last digest that was due, `alerted_at` the time of the last alert.
    """

    __tablename__ = "subscriptions"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    channel: Mapped[str]
    address: Mapped[str] = mapped_column(Sealed)
    language: Mapped[str]
    digest: Mapped[bool]
    alerts: Mapped[bool]
    sensitivity: Mapped[str]
    filters: Mapped[dict[str, Any]]
    weekday: Mapped[int]
    hour: Mapped[int]
    time_zone: Mapped[str]
    token_secret: Mapped[str] = mapped_column(Sealed)
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    digested_on: Mapped[datetime | None]
    alerted_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None]


class OutgoingTable(Table):
    """What is to be sent, or was: an event to an endpoint, or a digest or alert to a subscription.

    `data` says what a digest or an alert is about; its words are read from the notes when it is sent, so that what was
    erased meanwhile does not leave. `attempts` counts those since the delivery was last asked for.
    """

    __tablename__ = "outgoing_deliveries"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    event_id: Mapped[int | None] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), index=True)
    endpoint_id: Mapped[int | None] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), index=True)
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"), index=True)
    data: Mapped[dict[str, Any]]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]
    status_code: Mapped[int | None]
    failure: Mapped[str | None]

    __table_args__ = (
        Index(
            "ix_outgoing_deliveries_waiting",
            "next_at",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        ),
        Index(
            "ix_outgoing_deliveries_sending",
            "endpoint_id",
            "subscription_id",
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        ),
    )


class AttemptTable(Table):
    """One try to send a delivery: when, how long, and what was answered."""

    __tablename__ = "delivery_attempts"
    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("outgoing_deliveries.id", ondelete="CASCADE"), index=True)
    started_at: Mapped[datetime]
    duration_ms: Mapped[int]
    status_code: Mapped[int | None]
    failure: Mapped[str | None]


class WatchTable(Table):
    """A ranking that is watched for rises: that of all notes (no subscription), or a subscription's own.

    `ranked_at` is when it was last looked at; null before the first look, which only takes stock.
    """

    __tablename__ = "watches"
    id: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"), unique=True)
    claimed_at: Mapped[datetime | None]
    ranked_at: Mapped[datetime | None]


class AnnouncedTable(Table):
    """What a watch saw and told of: an item's share of the notes when its rise was announced.

    `sent` is false while a subscription's rise waits for the day's alert.
    """

    __tablename__ = "announced"
    id: Mapped[int] = mapped_column(primary_key=True)
    watch_id: Mapped[int] = mapped_column(ForeignKey("watches.id", ondelete="CASCADE"))
    about: Mapped[str]
    key: Mapped[str]
    notes: Mapped[int]
    of_notes: Mapped[int]
    announced_at: Mapped[datetime]
    sent: Mapped[bool]

    __table_args__ = (UniqueConstraint("watch_id", "about", "key"),)
