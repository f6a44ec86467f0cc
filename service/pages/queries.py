"""What only the pages ask of the database."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.tables import AccountTable, AuthorTable, NoteTable

MAX_CHOICES = 500


def list_teams(session: Session) -> list[str]:
    """Return the teams that notes name, in order."""
    return _values(session, AuthorTable.team)


def list_segments(session: Session) -> list[str]:
    """Return the segments that notes name, in order."""
    return _values(session, AccountTable.segment)


def _values(session: Session, column: Any) -> list[str]:
    query = sa.select(column).where(column.is_not(None), column != "").distinct().order_by(column).limit(MAX_CHOICES)
    return list(session.scalars(query))


def list_failed_notes(session: Session, limit: int) -> list[NoteTable]:
    """Return notes that can't be read, the latest first."""
    failed = (NoteTable.failure.is_not(None), NoteTable.analysed_revision < NoteTable.revision)
    query = sa.select(NoteTable).where(*failed, NoteTable.deleted_at.is_(None)).order_by(NoteTable.id.desc())
    return list(session.scalars(query.limit(limit)))
