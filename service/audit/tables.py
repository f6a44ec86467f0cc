"""Tables of the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables import Table


class AuditEventTable(Table):
    """One act: who, from where, did what to what, and how it ended. Rows are added and sealed, never changed.

    Attributes:
        at: When; of several, the first.
        actor: `key:ID`, `user:ID`, `command:NAME` of who ran it, `service`, or `nobody`.
        address: Where a request came from.
        action: Method and route, such as `GET /v1/notes/{note_id}`, or a command.
        subject: Ids in the address; values that may be personal as keyed hashes.
        filters: Query parameters, in the same way.
        changed: Tables that were changed, with the ids of the first rows; None where nothing was.
        status: HTTP status; of a change, the one that its route promises. 0 for what is no request.
        times: How often it was done within a second.
        position: Place in the chain, from 1; None until it is sealed.
        seal: SHA-256 over the seal before and this row.
    """

    __tablename__ = "audit_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    request_id: Mapped[str]
    actor: Mapped[str]
    address: Mapped[str | None]
    action: Mapped[str]
    subject: Mapped[dict[str, Any]]
    filters: Mapped[dict[str, Any]]
    changed: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    status: Mapped[int]
    times: Mapped[int]
    position: Mapped[int | None] = mapped_column(unique=True)
    seal: Mapped[str | None]
    __table_args__ = (
        Index("ix_audit_events_actor", "actor", "id"),
        Index(
            "ix_audit_events_unsealed",
            "id",
            sqlite_where=text("position is null"),
            postgresql_where=text("position is null"),
        ),
    )


class AuditChainTable(Table):
    """The chain's two ends, in one row: what follows the oldest row that is kept, and the last seal.

    Attributes:
        start_position, start_seal: Of the last row that retention removed; 0 and empty at first.
        last_position, last_seal: Of the last row that was sealed.
        salt: Key of the hashes; each erasure makes another, so that no hash tells what was erased.
    """

    __tablename__ = "audit_chain"
    id: Mapped[int] = mapped_column(primary_key=True)
    start_position: Mapped[int]
    start_seal: Mapped[str]
    last_position: Mapped[int]
    last_seal: Mapped[str]
    salt: Mapped[str]
