"""Quotes behind an item, and its course over time, in SQL."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.filters import NoteFilters, Period
from service.insights.measures import ITEM_COLUMNS, TABLES, About, item_conditions
from service.tables import AccountTable, AuthorTable, DealTable, NoteTable, PassageTable


@dataclass(frozen=True, slots=True)
class Quote:
    """A customer's words, and where they stand.

    Attributes:
        detail: What belongs to the kind: status; relation and standing; similarity.
    """

    finding_id: int
    item: Any
    note_id: int
    start: int
    end: int
    text: str
    occurred_on: date
    account: str | None
    team: str | None
    language: str | None
    outcome: str | None
    detail: dict[str, Any]


_DETAILS = {
    About.OBJECTION: ("type", "status", "score"),
    About.COMPETITOR: ("name", "relation", "standing", "score"),
    About.THEME: ("similarity",),
}


def list_quotes(
    session: Session,
    about: About,
    filters: NoteFilters,
    period: Period,
    *,
    item: Hashable,
    limit: int,
    after: int = 0,
) -> tuple[list[Quote], int]:
    """Return one page of an item's quotes: first the latest of each account, then the second of each, and so on.

    Args:
        after: How many quotes the pages before had.

    Returns:
        The quotes, and how many there are in all.
    """
    table, column = TABLES[about], ITEM_COLUMNS[about]
    conditions = [*item_conditions(about, filters, period), column == item]
    total = session.scalar(sa.select(sa.func.count()).select_from(table).where(*conditions)) or 0
    ranked = _ranked(about, conditions, (table.account_id,)).subquery()
    ids = sa.select(ranked.c.id).order_by(ranked.c.turn, ranked.c.occurred_on.desc(), ranked.c.id.desc())
    page = list(session.scalars(ids.limit(limit).offset(after)))
    return _read(session, about, page), total


def best_quotes(
    session: Session, about: About, filters: NoteFilters, period: Period, *, items: Sequence[Any], each: int
) -> dict[Any, list[Quote]]:
    """Return a few quotes of each of several items, from different accounts, the latest first."""
    table, column = TABLES[about], ITEM_COLUMNS[about]
    conditions = [*item_conditions(about, filters, period), column.in_(items)]
    first = _ranked(about, conditions, (column, table.account_id)).subquery()
    place = (
        sa.func.row_number()
        .over(partition_by=first.c.item, order_by=(first.c.turn, first.c.occurred_on.desc(), first.c.id.desc()))
        .label("place")
    )
    placed = sa.select(first.c.id, place).subquery()
    ids = list(session.scalars(sa.select(placed.c.id).where(placed.c.place <= each).order_by(placed.c.place)))
    quotes: dict[Any, list[Quote]] = {}
    for quote in _read(session, about, ids):
        quotes.setdefault(quote.item, []).append(quote)
    return quotes


def _ranked(about: About, conditions: Sequence[sa.ColumnElement[bool]], within: tuple[Any, ...]) -> Any:
    """Select findings with their turn: 1 for the latest of its account, 2 for the one before, and so on."""
    table = TABLES[about]
    turn = sa.func.row_number().over(partition_by=within, order_by=(table.occurred_on.desc(), table.id.desc()))
    return sa.select(table.id, ITEM_COLUMNS[about].label("item"), table.occurred_on, turn.label("turn")).where(
        *conditions
    )


def _read(session: Session, about: About, ids: Sequence[int]) -> list[Quote]:
    table = TABLES[about]
    query = (
        sa.select(table, ITEM_COLUMNS[about], NoteTable, AccountTable, AuthorTable.team, DealTable.outcome)
        .join(NoteTable, NoteTable.id == table.note_id)
        .outerjoin(AccountTable, AccountTable.id == table.account_id)
        .outerjoin(AuthorTable, AuthorTable.id == table.author_id)
        .outerjoin(DealTable, DealTable.id == table.deal_id)
        .where(table.id.in_(ids))
    )
    quotes = {}
    for finding, item, note, account, team, outcome in session.execute(query):
        quotes[finding.id] = Quote(
            finding_id=finding.id,
            item=item,
            note_id=note.id,
            start=finding.start,
            end=finding.end,
            text=_words(about, finding, note),
            occurred_on=finding.occurred_on,
            account=(account.name or account.key) if account else None,
            team=team,
            language=finding.language if about is About.THEME else note.language,
            outcome=outcome,
            detail={name: getattr(finding, name) for name in _DETAILS[about]},
        )
    return [quotes[i] for i in ids if i in quotes]


def _words(about: About, finding: Any, note: NoteTable) -> str:
    """Return what to show: the quote; for a bare name the line around it."""
    if about is About.OBJECTION:
        return str(finding.quote)
    if isinstance(finding, PassageTable):
        return note.text[finding.start : finding.end]
    begin = max(note.text.rfind("\n", 0, finding.start) + 1, finding.start - 120)
    stop = note.text.find("\n", finding.end)
    return note.text[begin : min(stop if stop >= 0 else len(note.text), finding.end + 160)].strip()


class Step(StrEnum):
    """The grain of a series."""

    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Point:
    """One week or month of a series; `label` is like `2026-W47` or `2026-09`."""

    label: str
    start: date
    mentions: int
    notes: int
    accounts: int


def read_series(
    session: Session, about: About, filters: NoteFilters, period: Period, *, items: Sequence[Any], step: Step
) -> dict[Any, list[Point]]:
    """Return the course of items over a period, every week or month of it, silent ones too."""
    table, column = TABLES[about], ITEM_COLUMNS[about]
    rows = session.execute(
        sa.select(column, table.occurred_on, table.note_id, table.account_id, sa.func.count())
        .where(*item_conditions(about, filters, period), column.in_(items))
        .group_by(column, table.occurred_on, table.note_id, table.account_id)
    )
    heard: dict[tuple[Any, date], tuple[int, set[int], set[int]]] = {}
    for item, day, note_id, account_id, count in rows:
        key = (item, step_start(day, step))
        mentions, notes, accounts = heard.get(key, (0, set(), set()))
        notes.add(note_id)
        if account_id is not None:
            accounts.add(account_id)
        heard[key] = (mentions + count, notes, accounts)
    starts = _starts(period, step)
    return {item: [_point(start, step, heard.get((item, start))) for start in starts] for item in items}


def step_start(day: date, step: Step) -> date:
    """Return the Monday of a day's week, or the first of its month."""
    return day - timedelta(days=day.weekday()) if step is Step.WEEK else day.replace(day=1)


def _starts(period: Period, step: Step) -> list[date]:
    starts = [step_start(period.start, step)]
    while (following := step_start(starts[-1] + timedelta(days=32 if step is Step.MONTH else 7), step)) <= period.end:
        starts.append(following)
    return starts


def _point(start: date, step: Step, heard: tuple[int, set[int], set[int]] | None) -> Point:
    mentions, notes, accounts = heard or (0, set(), set())
    label = start.strftime("%G-W%V") if step is Step.WEEK else start.strftime("%Y-%m")
    return Point(label, start, mentions, len(notes), len(accounts))
