"""Tables of sources: connections, deliveries, what is set aside or to be fetched, how fresh each is; and of imports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.sealing.columns import Sealed, SealedDocument
from service.tables import Table


class ConnectionTable(Table):
    """One sender of a source and how it proves itself.

    Secrets are kept sealed, not hashed, for signatures are made with them; no answer and no log shows them.
    `previous_secret` counts until `previous_until`, so that the sender can change over. `options` are the source's own:
    portal, mapping, tokens of its API.
    """

    __tablename__ = "connections"
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    secret: Mapped[str] = mapped_column(Sealed)
    previous_secret: Mapped[str | None] = mapped_column(Sealed)
    previous_until: Mapped[datetime | None]
    options: Mapped[dict[str, Any]] = mapped_column(SealedDocument)
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


class KeptDeliveryTable(Table):
    """A delivery of which something was set aside, without what proved it: it can be played again."""

    __tablename__ = "kept_deliveries"
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    connection: Mapped[str]
    method: Mapped[str]
    headers: Mapped[dict[str, Any]]
    body: Mapped[bytes] = mapped_column(sa.LargeBinary)
    received_at: Mapped[datetime]


class SetAsideTable(Table):
    """What a sender may send and nobody can take: acknowledged, or refused, and kept for the operator.

    `state` is `open`, or `dismissed` or `replayed` by `settled_by`. `again` says what to ask the source's API for to
    have it once more; `kept_id` is the delivery that it was part of. A fault that is settled keeps neither, nor the
    payload.
    """

    __tablename__ = "set_aside"
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(index=True)
    connection: Mapped[str]
    code: Mapped[str]
    reason: Mapped[str] = mapped_column(sa.Text)
    external_id: Mapped[str | None]
    payload: Mapped[str] = mapped_column(sa.Text)
    received_at: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(default="open", server_default="open", index=True)
    again: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    kept_id: Mapped[int | None] = mapped_column(ForeignKey("kept_deliveries.id", ondelete="SET NULL"), index=True)
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]


class FetchTable(Table):
    """A record of which only the id is known: the fetcher asks the source's API for it.

    `state` is `waiting`, `fetching`, `done` or `failed`; a row waits until `next_at`. A further event sets it to
    waiting again. `version_ms` is when the sender says that the record changed last. `claim` counts how often it was
    taken up: what an earlier job says of it counts no more.
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
    claim: Mapped[int] = mapped_column(default=0, server_default="0")

    __table_args__ = (
        UniqueConstraint("source", "connection", "object_type", "object_id"),
        Index(
            "ix_fetches_waiting",
            "next_at",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        ),
    )


class ApiStateTable(Table):
    """How a connection stands with its source's API.

    `access_token` is what a refresh token was last changed for, and `refresh_token` the one that came with it; no
    answer and no log shows them. Calls are spread by `paced_until` and held back until `paused_until`. `attention` is
    what an operator has to mend. `credentials` is the digest of the credentials that all this is about: others start
    afresh.
    """

    __tablename__ = "api_states"
    source: Mapped[str] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(primary_key=True)
    credentials: Mapped[str]
    access_token: Mapped[str | None] = mapped_column(Sealed)
    access_until: Mapped[datetime | None]
    refresh_token: Mapped[str | None] = mapped_column(Sealed)
    paced_until: Mapped[datetime | None]
    paused_until: Mapped[datetime | None]
    attention: Mapped[str | None]
    attention_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class SyncTable(Table):
    """A walk through all records of a connection, or those changed since a time; `cursor` leads to the next page.

    `state`, `next_at` and `claim` are as in `FetchTable`. `results` counts what came of the records; `skipped` names
    the streams that the API did not give.
    """

    __tablename__ = "syncs"
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    connection: Mapped[str]
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    since: Mapped[datetime | None]
    stream: Mapped[str]
    cursor: Mapped[str | None] = mapped_column(sa.Text)
    state: Mapped[str] = mapped_column(default="waiting", index=True)
    claim: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    records: Mapped[int] = mapped_column(default=0)
    results: Mapped[dict[str, Any]]
    skipped: Mapped[dict[str, Any]]
    failure: Mapped[str | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_syncs_connection", "source", "connection", "id"),)


class NoteContactTable(Table):
    """Which notes are about a contact: a contact who asks for erasure takes them along."""

    __tablename__ = "note_contacts"
    source: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    contact: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = (Index("ix_note_contacts_contact", "source", "contact"),)


class ContactMergeTable(Table):
    """A contact that was merged into another: who asks for erasure takes along what was noted under the old id."""

    __tablename__ = "contact_merges"
    source: Mapped[str] = mapped_column(primary_key=True)
    contact: Mapped[str] = mapped_column(primary_key=True)
    into: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = (Index("ix_contact_merges_into", "source", "into"),)


class MailboxTable(Table):
    """How far a folder of a mailbox is read: the last UID, which counts under its UIDVALIDITY alone (RFC 3501).

    A worker that reads it holds it until `held_until`; `failure` is why the last attempt came to nothing.
    """

    __tablename__ = "mailboxes"
    connection: Mapped[str] = mapped_column(primary_key=True)
    folder: Mapped[str] = mapped_column(primary_key=True)
    uid_validity: Mapped[int | None]
    last_uid: Mapped[int] = mapped_column(default=0)
    checked_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    held_until: Mapped[datetime | None]


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


class ImportTable(Table):
    """A file that was sent in: how it was read, how far, and what came of it.

    `fingerprint` is the SHA-256 of its bytes and of how it is to be read: the same again is a duplicate. `records` is
    the cursor: what stands before it is stored. `found` is what was found out about the file; `results` counts.
    A file that is worked off in the background has a job, and stands at `path` until it is done.
    """

    __tablename__ = "imports"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    fingerprint: Mapped[str] = mapped_column(index=True)
    size: Mapped[int]
    options: Mapped[dict[str, Any]]
    format: Mapped[str | None]
    found: Mapped[dict[str, Any]]
    results: Mapped[dict[str, Any]]
    records: Mapped[int] = mapped_column(default=0)
    bytes_read: Mapped[int] = mapped_column(default=0)
    path: Mapped[str | None]
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    failure: Mapped[str | None]
    failure_code: Mapped[str | None]
    requested_by: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class ImportRefusalTable(Table):
    """A row, line or message of an import that is no note: where, why, and its original cells by column.

    `skipped` marks what is left out by rule, such as an automatic reply; `taken` a row that became a note, but for what
    is said.
    """

    __tablename__ = "import_refusals"
    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    member: Mapped[str]
    external_id: Mapped[str | None]
    field: Mapped[str]
    code: Mapped[str]
    message: Mapped[str] = mapped_column(sa.Text)
    cells: Mapped[dict[str, Any]]
    skipped: Mapped[bool] = mapped_column(default=False)
    taken: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
