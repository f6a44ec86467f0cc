"""An item by segment, team and stage: how often it is heard in each, and what became of the deals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from service.filters import NoteFilters, Outcome, Period, day_end, day_start, note_conditions
from service.insights.measures import TABLES, About, item_conditions
from service.insights.statistics import WinRates, win_rates
from service.tables import AccountTable, AuthorTable, DealTable, NoteTable
from service.thresholds import thresholds_of, voices_by

MAX_PARTS = 20


class Dimension(StrEnum):
    """What an item is parted by."""

    SEGMENT = "segment"
    TEAM = "team"
    STAGE = "stage"


_COLUMNS: dict[Dimension, tuple[Any, Any, str]] = {
    Dimension.SEGMENT: (AccountTable, AccountTable.segment, "account_id"),
    Dimension.TEAM: (AuthorTable, AuthorTable.team, "author_id"),
    Dimension.STAGE: (DealTable, DealTable.stage, "deal_id"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """An item in one segment, team or stage.

    Attributes:
        share: Of the notes read there, in [0, 1].
        wins: Closed deals of the item there; silent under five.
    """

    value: str
    mentions: int
    notes: int
    accounts: int
    share: float
    wins: WinRates


@dataclass(frozen=True, slots=True)
class Parts:
    """An item by one dimension.

    Attributes:
        withheld: How many parts are left out because too few accounts or authors are behind them, or because the
            others would tell of those.
    """

    shown: list[Part]
    withheld: int = 0


def break_down(
    session: Session, about: About, filters: NoteFilters, period: Period, *, item: Any, by: Dimension
) -> Parts:
    """Return the parts of an item, those of most accounts first; notes that name no such thing are left out."""
    table = TABLES[about]
    dimension, value, key = _COLUMNS[by]
    conditions = [*item_conditions(about, filters, period, [item]), value.is_not(None), value != ""]
    ended = aliased(DealTable)
    counted = (
        sa.func.count(),
        sa.func.count(sa.distinct(table.note_id)),
        sa.func.count(sa.distinct(table.account_id)),
        *(sa.func.count(sa.distinct(sa.case((ended.outcome == o, ended.id)))) for o in (Outcome.WON, Outcome.LOST)),
    )
    rows = session.execute(
        sa.select(value, *counted)
        .select_from(table)
        .join(dimension, dimension.id == getattr(table, key))
        .outerjoin(ended, ended.id == table.deal_id)
        .where(*conditions)
        .group_by(value)
    )
    read = _read(session, filters, period, by)
    parts = [
        Part(name, mentions, notes, accounts, min(1.0, notes / read[name]) if read.get(name) else 0.0, _wins(won, lost))
        for name, mentions, notes, accounts, won, lost in rows
    ]
    hidden, unknown = _hidden(session, about, conditions, by)
    shown = [part for part in parts if part.value not in hidden]
    shown = [replace(part, wins=_wins(0, 0)) if part.value in unknown else part for part in shown]
    return Parts(sorted(shown, key=lambda part: (-part.accounts, -part.notes, part.value))[:MAX_PARTS], len(hidden))


def _hidden(session: Session, about: About, conditions: list[Any], by: Dimension) -> tuple[set[str], set[str]]:
    """Return the segments, teams or stages that are withheld, and those of which won or lost deals are."""
    thresholds = thresholds_of(session)
    if not thresholds.are_set:
        return set(), set()
    table: Any = TABLES[about]
    dimension, value, key = _COLUMNS[by]
    ended = aliased(DealTable)
    rows = session.execute(
        sa.select(value, ended.outcome, table.account_id, table.author_id)
        .select_from(table)
        .join(dimension, dimension.id == getattr(table, key))
        .outerjoin(ended, ended.id == table.deal_id)
        .where(*conditions)
        .distinct()
    ).all()
    voices = voices_by((name, account, author) for name, _, account, author in rows)
    closed = voices_by(
        ((name, outcome), account, author)
        for name, outcome, account, author in rows
        if outcome in {Outcome.WON, Outcome.LOST}
    )
    return thresholds.hidden_parts(voices), {name for (name, _), who in closed.items() if thresholds.hide_voices(who)}


def break_down_all(
    session: Session, about: About, filters: NoteFilters, period: Period, item: Any
) -> dict[Dimension, Parts]:
    """Return the parts of an item by every dimension."""
    return {by: break_down(session, about, filters, period, item=item, by=by) for by in Dimension}


def _wins(won: int, lost: int) -> WinRates:
    return win_rates(won, lost, won, lost)


def _read(session: Session, filters: NoteFilters, period: Period, by: Dimension) -> dict[str, int]:
    """Return how many notes were read of each segment, team or stage."""
    dimension, value, key = _COLUMNS[by]
    rows = session.execute(
        sa.select(value, sa.func.count())
        .select_from(NoteTable)
        .join(dimension, dimension.id == getattr(NoteTable, key))
        .where(
            NoteTable.occurred_at.between(day_start(period.start), day_end(period.end)),
            NoteTable.analysed_revision > 0,
            NoteTable.duplicate_of.is_(None),
            *note_conditions(filters, period=period),
        )
        .group_by(value)
    )
    return {row[0]: row[1] for row in rows}
