"""Saved filters in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.errors import Conflict, Forbidden, NotFound
from service.saved_filters.tables import SavedFilterTable

MOST_SAVED = 100  # of one owner


def list_saved(session: Session, owner: str) -> list[SavedFilterTable]:
    """Return an owner's filters and the shared ones, by name."""
    seen = sa.or_(SavedFilterTable.owner == owner, SavedFilterTable.shared.is_(True))
    query = sa.select(SavedFilterTable).where(seen)
    return list(session.scalars(query.order_by(sa.func.lower(SavedFilterTable.name), SavedFilterTable.id)))


def save(
    session: Session, *, owner: str, name: str, shared: bool, filters: Mapping[str, Any], now: datetime
) -> SavedFilterTable:
    """Keep filters under a name; the owner's former ones of that name are replaced.

    Raises:
        Conflict: If the owner has saved a hundred already.
    """
    own = SavedFilterTable.owner == owner
    row = session.scalar(sa.select(SavedFilterTable).where(own, SavedFilterTable.name == name))
    if row is None:
        if session.scalars(sa.select(sa.func.count()).select_from(SavedFilterTable).where(own)).one() >= MOST_SAVED:
            raise Conflict(f"There are {MOST_SAVED} saved filters already: delete one first.")
        row = SavedFilterTable(owner=owner, name=name, created_at=now)
        session.add(row)
    row.shared, row.filters = shared, dict(filters)
    session.flush()
    return row


def delete(session: Session, number: int, *, owner: str, of_others: bool) -> None:
    """Forget saved filters: one's own, and shared ones of others where `of_others` allows it.

    Raises:
        NotFound: If there are none that the owner sees.
        Forbidden: If they are another's.
    """
    row = session.get(SavedFilterTable, number)
    if row is None or not (row.shared or row.owner == owner):
        raise NotFound(f"There are no saved filters {number}.")
    if row.owner != owner and not of_others:
        raise Forbidden("These filters are shared by someone else: a caller with the scope curate may delete them.")
    session.delete(row)
