"""Themes in SQL, as people read them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.tables import NoteTable, PassageTable, ThemeTable, UtcDateTime
from service.themes.lifecycle import ThemeMonths, month_number, month_start

_READ = (NoteTable.analysed_revision > 0, NoteTable.deleted_at.is_(None))


def find_theme(session: Session, key: str) -> ThemeTable | None:
    """Return the theme with this public id."""
    return session.scalar(sa.select(ThemeTable).where(ThemeTable.key == key))


def themes_by_id(session: Session, ids: Collection[int]) -> dict[int, ThemeTable]:
    """Return themes by row id."""
    return {theme.id: theme for theme in session.scalars(sa.select(ThemeTable).where(ThemeTable.id.in_(ids)))}


def theme_months(session: Session, ids: Collection[int]) -> dict[int, ThemeMonths]:
    """Return for each theme its notes by month over all time, and its accounts and authors, counted to three."""
    days: Any = session.execute(
        sa.select(PassageTable.theme_id, PassageTable.occurred_on, sa.func.count(sa.distinct(PassageTable.note_id)))
        .where(PassageTable.theme_id.in_(ids))
        .group_by(PassageTable.theme_id, PassageTable.occurred_on)
    )
    notes: dict[int, dict[int, int]] = {}
    for theme_id, day, count in days:
        months = notes.setdefault(theme_id, {})
        month = month_number(day.year, day.month)
        months[month] = months.get(month, 0) + count
    people: Any = session.execute(
        sa.select(ThemeTable.id, _up_to_three(PassageTable.account_id), _up_to_three(PassageTable.author_id)).where(
            ThemeTable.id.in_(ids)
        )
    )
    return {theme_id: ThemeMonths(notes.get(theme_id, {}), *counted) for theme_id, *counted in people}


def _up_to_three(column: Any) -> sa.ScalarSelect[int]:
    """Count the different values of a theme's passages, three at most: the rules ask for no more, and it ends early."""
    found = (
        sa.select(column)
        .where(PassageTable.theme_id == ThemeTable.id, column.is_not(None))
        .correlate(ThemeTable)
        .distinct()
        .limit(3)
        .subquery()
    )
    return sa.select(sa.func.count()).select_from(found).scalar_subquery()


def note_months(session: Session) -> dict[int, int]:
    """Return how many notes were read, by month number."""
    first, last = session.execute(
        sa.select(sa.func.min(NoteTable.occurred_at), sa.func.max(NoteTable.occurred_at)).where(*_READ)
    ).one()
    if first is None:
        return {}
    numbers = range(month_number(first.year, first.month), month_number(last.year, last.month) + 1)
    spans = [(number, month_start(number), month_start(number + 1)) for number in numbers]
    columns = (sa.column("number", sa.Integer), sa.column("first", UtcDateTime), sa.column("after", UtcDateTime))
    months = sa.values(*columns, name="months").data(spans).cte("months")
    rows = session.execute(
        sa.select(months.c.number, sa.func.count())
        .join(NoteTable, sa.and_(NoteTable.occurred_at >= months.c.first, NoteTable.occurred_at < months.c.after))
        .where(*_READ)
        .group_by(months.c.number)
    )
    return {row[0]: row[1] for row in rows}
