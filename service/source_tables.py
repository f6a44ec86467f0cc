"""Tables of sources: connections, deliveries, what is set aside or to be fetched, and how fresh each source is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.tables import Table


class ConnectionTable(Table):
    """One sender of a source and how it proves itself.

    Secrets are kept as they are, for signatures are made with them; no answer and no log shows them. `previous_secret`
    counts until `previous_until`, so that the sender can change over. `options` are the source's own: portal, mapping.
    """

    __tablename__ = "connections"
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    secret: Mapped[str]
    previous_secret: Mapped[str | None]
    previous_until: Mapped[datetime | None]
    options: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("source", "name"),)


class DeliveryTable(Table):
    """An event that was taken in, by its sender's key: a second one is a duplicate. Kept for the sender's retries."""

    __tablename__ = "deliveries"
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    key: Mapped[str]
    digest: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (UniqueConstraint("source", "key"),)


class SetAsideTable(Table):
    """What a sender may send and nobody can take: acknowledged, or refused, and kept for the operator."""

    __tablename__ = "set_aside"
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(index=True)
    connection: Mapped[str]
    code: Mapped[str]
    reason: Mapped[str] = mapped_column(sa.Text)
    external_id: Mapped[str | None]
    payload: Mapped[str] = mapped_column(sa.Text)
    received_at: Mapped[datetime] = mapped_column(index=True)


class FetchTable(Table):
    """A record of which only the id is known: the fetcher asks the source's API for it.

    `state` is `waiting`, `done` or `failed`; a row waits until `next_at`. A further event sets it to waiting again.
    `version_ms` is when the sender says that the record changed last.
    """

    __tablename__ = "fetches"
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    connection: Mapped[str]
    object_type: Mapped[str]
    object_id: Mapped[str]
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    version_ms: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("source", "connection", "object_type", "object_id"),
        Index(
            "ix_fetches_waiting",
            "next_at",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        ),
    )


class NoteContactTable(Table):
    """Which notes are about a contact: a contact who asks for erasure takes them along."""

    __tablename__ = "note_contacts"
    source: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    contact: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = (Index("ix_note_contacts_contact", "source", "contact"),)


class SourceActivityTable(Table):
    """How fresh a source is: its last delivery and note, and the usual gap between deliveries that bring notes."""

    __tablename__ = "source_activity"
    source: Mapped[str] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(primary_key=True)
    deliveries: Mapped[int] = mapped_column(default=0)
    notes: Mapped[int] = mapped_column(default=0)
    last_delivery_at: Mapped[datetime]
    last_note_at: Mapped[datetime | None]
    gap_seconds: Mapped[float | None]
