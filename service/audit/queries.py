"""Reading the audit log."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.audit.tables import AuditChainTable, AuditEventTable


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which acts are asked for; what is None does not count. `changes`: only those that changed something, or not."""

    actor: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    status: int | None = None
    changes: bool | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Return the conditions."""
        table = AuditEventTable
        pairs = (
            (self.actor, table.actor == self.actor),
            (self.action, table.action == self.action),
            (self.since, table.at >= self.since if self.since else None),
            (self.until, table.at < self.until if self.until else None),
            (self.status, table.status == self.status),
            (self.changes, table.changed.is_not(None) if self.changes else table.changed.is_(None)),
        )
        return [condition for value, condition in pairs if value is not None and condition is not None]


def change_salt(session: Session) -> None:
    """Make another key of the hashes: those written before no longer tell what they were made of."""
    session.execute(sa.update(AuditChainTable).values(salt=secrets.token_hex(32)))


def list_events(session: Session, wanted: Wanted, *, limit: int, before: int | None) -> list[AuditEventTable]:
    """Return acts, the latest first."""
    query = sa.select(AuditEventTable).where(*wanted.conditions())
    if before is not None:
        query = query.where(AuditEventTable.id < before)
    return list(session.scalars(query.order_by(AuditEventTable.id.desc()).limit(limit)))


def count_events(session: Session, wanted: Wanted) -> int:
    """Count acts."""
    return session.scalar(sa.select(sa.func.count(AuditEventTable.id)).where(*wanted.conditions())) or 0
