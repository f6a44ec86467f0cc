"""What only the pages ask of the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.auth.queries import SessionKind, find_session_key, hash_secret
from service.auth.tables import ApiKeyTable, SessionTable
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


def use_link(session: Session, token: str, now: datetime) -> ApiKeyTable | None:
    """Use up a sign-in link and return its key; None where it is unknown, expired or used.

    Deleting first makes it work once: of two requests at the same moment, one deletes nothing.
    """
    key = find_session_key(session, token, SessionKind.LINK, now)
    used = session.execute(
        sa.delete(SessionTable).where(
            SessionTable.token_hash == hash_secret(token), SessionTable.kind == SessionKind.LINK
        )
    )
    assert isinstance(used, sa.CursorResult)
    return key if used.rowcount else None


def list_failed_notes(session: Session, limit: int) -> list[NoteTable]:
    """Return notes that can't be read, the latest first."""
    failed = (NoteTable.failure.is_not(None), NoteTable.analysed_revision < NoteTable.revision)
    query = sa.select(NoteTable).where(*failed, NoteTable.deleted_at.is_(None)).order_by(NoteTable.id.desc())
    return list(session.scalars(query.limit(limit)))
