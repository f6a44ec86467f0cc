"""Themes in SQL, as people read them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.tables import NoteTable, PassageTable, ThemeTable
from service.themes.lifecycle import ThemeMonths, month_number


def find_theme(session: Session, key: str) -> ThemeTable | None:
    """Return the theme with this public id."""
    return session.scalar(sa.select(ThemeTable).where(ThemeTable.key == key))


def themes_by_id(session: Session, ids: Collection[int]) -> dict[int, ThemeTable]:
    """Return themes by row id."""
    return {theme.id: theme for theme in session.scalars(sa.select(ThemeTable).where(ThemeTable.id.in_(ids)))}


def theme_months(session: Session, ids: Collection[int]) -> dict[int, ThemeMonths]:
    """Return for each theme its notes by month, and its accounts and authors, over all time."""
    totals: Any = session.execute(
        sa.select(
            PassageTable.theme_id,
            sa.func.count(sa.distinct(PassageTable.account_id)),
            sa.func.count(sa.distinct(PassageTable.author_id)),
        )
        .where(PassageTable.theme_id.in_(ids))
        .group_by(PassageTable.theme_id)
    ).all()
    year, month = (sa.extract(part, PassageTable.occurred_on) for part in ("year", "month"))
    notes: dict[int, dict[int, int]] = {}
    rows: Any = session.execute(
        sa.select(PassageTable.theme_id, year, month, sa.func.count(sa.distinct(PassageTable.note_id)))
        .where(PassageTable.theme_id.in_(ids))
        .group_by(PassageTable.theme_id, year, month)
    )
    for theme_id, in_year, in_month, count in rows:
        notes.setdefault(theme_id, {})[month_number(int(in_year), int(in_month))] = count
    return {row[0]: ThemeMonths(notes.get(row[0], {}), row[1], row[2]) for row in totals}


def note_months(session: Session) -> dict[int, int]:
    """Return how many notes were read, by month number."""
    year, month = (sa.extract(part, NoteTable.occurred_at) for part in ("year", "month"))
    rows: Any = session.execute(
        sa.select(year, month, sa.func.count())
        .where(NoteTable.analysed_revision > 0, NoteTable.deleted_at.is_(None))
        .group_by(year, month)
    )
    return {month_number(int(y), int(m)): count for y, m, count in rows}
