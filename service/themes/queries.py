"""Themes in SQL, as people read them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.filters import NoteFilters, Period, finding_conditions
from service.tables import (
    AccountTable,
    AuthorTable,
    NoteTable,
    PassageTable,
    ThemeChangeTable,
    ThemeEventTable,
    ThemeFitTable,
    ThemeMoveTable,
    ThemeTable,
    UtcDateTime,
)
from service.themes.lifecycle import ThemeMonths, month_number, month_start
from service.thresholds import thresholds_of, voices_by

_READ = (NoteTable.analysed_revision > 0, NoteTable.deleted_at.is_(None), NoteTable.duplicate_of.is_(None))


def find_theme(session: Session, key: str, *, lock: bool = False) -> ThemeTable | None:
    """Return the theme with this public id.

    Args:
        lock: Keep others from changing it until the transaction ends.
    """
    query = sa.select(ThemeTable).where(ThemeTable.key == key)
    return session.scalar(query.with_for_update() if lock else query)


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
        sa.select(
            ThemeTable.id,
            _up_to_three(PassageTable.account_id),
            _up_to_three(PassageTable.author_id),
            _up_to_three(AuthorTable.team, AuthorTable, PassageTable.author_id),
            _up_to_three(AccountTable.segment, AccountTable, PassageTable.account_id),
        ).where(ThemeTable.id.in_(ids))
    )
    return {theme_id: ThemeMonths(notes.get(theme_id, {}), *counted) for theme_id, *counted in people}


def _up_to_three(column: Any, table: Any = None, key: Any = None) -> sa.ScalarSelect[int]:
    """Count the different values of a theme's passages, three at most: the rules ask for no more, and it ends early.

    Args:
        table: Where the column stands, if not among the passages.
        key: The passages' column with its ids.
    """
    found = sa.select(column).select_from(PassageTable)
    if table is not None:
        found = found.join(table, table.id == key)
    found = (
        found.where(PassageTable.theme_id == ThemeTable.id, column.is_not(None))
        .correlate(ThemeTable)
        .distinct()
        .limit(3)
    )
    return sa.select(sa.func.count()).select_from(found.subquery()).scalar_subquery()


def teams_and_segments(session: Session) -> tuple[int, int]:
    """Return how many teams and segments notes name, three at most."""
    counts = []
    for column in (AuthorTable.team, AccountTable.segment):
        values = sa.select(column).where(column.is_not(None), column != "").distinct().limit(3).subquery()
        counts.append(session.scalar(sa.select(sa.func.count()).select_from(values)) or 0)
    return counts[0], counts[1]


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


def list_fits(session: Session, *, limit: int, before: int | None) -> tuple[list[ThemeFitTable], int]:
    """Return one page of fits, latest first, and how many there are."""
    query = sa.select(ThemeFitTable).order_by(ThemeFitTable.id.desc()).limit(limit)
    if before is not None:
        query = query.where(ThemeFitTable.id < before)
    return list(session.scalars(query)), session.scalar(sa.select(sa.func.count()).select_from(ThemeFitTable)) or 0


def list_events(
    session: Session, theme_id: int, *, limit: int, before: int | None
) -> tuple[list[ThemeEventTable], int]:
    """Return one page of what happened to a theme, latest first, and how much there is."""
    mine = ThemeEventTable.theme_id == theme_id
    query = sa.select(ThemeEventTable).where(mine).order_by(ThemeEventTable.id.desc()).limit(limit)
    if before is not None:
        query = query.where(ThemeEventTable.id < before)
    return list(session.scalars(query)), session.scalar(sa.select(sa.func.count(ThemeEventTable.id)).where(mine)) or 0


def list_changes(
    session: Session, *, limit: int, before: int | None, theme_id: int | None = None
) -> tuple[list[ThemeChangeTable], int]:
    """Return one page of people's changes, latest first, and how many there are."""
    mine = [ThemeChangeTable.theme_id == theme_id] if theme_id is not None else []
    query = sa.select(ThemeChangeTable).where(*mine).order_by(ThemeChangeTable.id.desc()).limit(limit)
    if before is not None:
        query = query.where(ThemeChangeTable.id < before)
    return list(session.scalars(query)), session.scalar(sa.select(sa.func.count(ThemeChangeTable.id)).where(*mine)) or 0


def keys_of(session: Session, ids: Collection[int]) -> dict[int, str]:
    """Return public ids of themes by row id."""
    return {
        r.id: r.key for r in session.execute(sa.select(ThemeTable.id, ThemeTable.key).where(ThemeTable.id.in_(ids)))
    }


def withheld_themes(session: Session) -> frozenset[int]:
    """Return the themes whose passages of all time come from too few accounts or authors."""
    thresholds = thresholds_of(session)
    if not thresholds.are_set:
        return frozenset()
    accounts = sa.func.count(sa.distinct(PassageTable.account_id))
    authors = sa.func.count(sa.distinct(PassageTable.author_id))
    rows = session.execute(
        sa.select(ThemeTable.id, accounts, authors)
        .join(PassageTable, PassageTable.theme_id == ThemeTable.id)
        .group_by(ThemeTable.id)
    )
    return frozenset(theme_id for theme_id, heard, by in rows if thresholds.hide(heard, by))


def sized_themes(session: Session) -> list[tuple[ThemeTable, int, int]]:
    """Return the active themes with how many passages and notes each has, the largest first, withheld ones too."""
    sizes = (
        sa.select(
            PassageTable.theme_id.label("theme"),
            sa.func.count().label("passages"),
            sa.func.count(sa.distinct(PassageTable.note_id)).label("notes"),
        )
        .where(PassageTable.theme_id.is_not(None))
        .group_by(PassageTable.theme_id)
        .subquery()
    )
    passages = sa.func.coalesce(sizes.c.passages, 0)
    rows = session.execute(
        sa.select(ThemeTable, passages, sa.func.coalesce(sizes.c.notes, 0))
        .outerjoin(sizes, sizes.c.theme == ThemeTable.id)
        .where(ThemeTable.state == "active")
        .order_by(passages.desc(), ThemeTable.id)
    )
    return [(theme, passages, notes) for theme, passages, notes in rows]


def count_passages_in(session: Session, filters: NoteFilters, period: Period) -> tuple[int, int]:
    """Return how many passages of a period have no theme, and how many there are."""
    conditions = finding_conditions(filters, PassageTable, period)
    total, with_theme = session.execute(
        sa.select(sa.func.count(), sa.func.count(PassageTable.theme_id)).where(*conditions)
    ).one()
    return total - with_theme, total


def unassigned_conditions(filters: NoteFilters, period: Period) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on passages of a period without a theme."""
    return [*finding_conditions(filters, PassageTable, period), PassageTable.theme_id.is_(None)]


def unassigned_passages(
    session: Session, filters: NoteFilters, period: Period, *, limit: int, after: int
) -> tuple[list[int], int]:
    """Return one page of the ids of passages without a theme, latest first, and how many there are."""
    conditions = unassigned_conditions(filters, period)
    total = session.scalar(sa.select(sa.func.count(PassageTable.id)).where(*conditions)) or 0
    ids = sa.select(PassageTable.id).where(*conditions)
    ids = ids.order_by(PassageTable.occurred_on.desc(), PassageTable.id.desc()).limit(limit).offset(after)
    return list(session.scalars(ids)), total


def passages_of_change(session: Session, change_id: int, limit: int) -> list[int]:
    """Return the ids of some passages that a change moved."""
    query = sa.select(ThemeMoveTable.passage_id).where(ThemeMoveTable.change_id == change_id)
    return list(session.scalars(query.order_by(ThemeMoveTable.passage_id.desc()).limit(limit)))


def dimension_values(session: Session, theme_id: int, dimension: str, period: Period, limit: int) -> list[str]:
    """Return the teams or segments that a theme was heard in, the loudest first; not those that are withheld."""
    column: Any = AuthorTable.team if dimension == "team" else AccountTable.segment
    joined: Any = (
        AuthorTable.id == PassageTable.author_id if dimension == "team" else AccountTable.id == PassageTable.account_id
    )
    dimensioned = AuthorTable if dimension == "team" else AccountTable
    conditions = (
        PassageTable.theme_id == theme_id,
        PassageTable.occurred_on.between(period.start, period.end),
        column.is_not(None),
        column != "",
    )
    query = sa.select(column).select_from(PassageTable).join(dimensioned, joined).where(*conditions)
    thresholds = thresholds_of(session)
    if thresholds.are_set:
        voices = query.add_columns(PassageTable.account_id, PassageTable.author_id).distinct()
        query = query.where(column.not_in(thresholds.hidden_parts(voices_by(session.execute(voices)))))
    return list(session.scalars(query.group_by(column).order_by(sa.func.count().desc(), column).limit(limit)))


def count_all_passages(session: Session) -> tuple[int, int]:
    """Return how many passages have no theme, and how many there are."""
    counts = sa.select(sa.func.count(PassageTable.id), sa.func.count(PassageTable.theme_id))
    total, with_theme = session.execute(counts).one()
    return total - with_theme, total
