"""Counts of findings, grouped by item: one statement a kind, over indexed rows.

An item is an objection type, a competitor or a theme. What is counted is the same for all: mentions, notes, accounts,
authors, and the money and outcomes of their deals.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.types import ObjectionStatus, Relation, Standing
from service.filters import NoteFilters, Outcome, Period, day_end, day_start, finding_conditions, note_conditions
from service.tables import CompetitorMentionTable, DealTable, NoteTable, ObjectionTable, PassageTable


class About(StrEnum):
    """Kinds of items."""

    OBJECTION = "objection"
    COMPETITOR = "competitor"
    THEME = "theme"


TABLES: dict[About, Any] = {
    About.OBJECTION: ObjectionTable,
    About.COMPETITOR: CompetitorMentionTable,
    About.THEME: PassageTable,
}
ITEM_COLUMNS: dict[About, Any] = {
    About.OBJECTION: ObjectionTable.type,
    About.COMPETITOR: CompetitorMentionTable.name_key,
    About.THEME: PassageTable.theme_id,
}


@dataclass(slots=True)
class Deals:
    """The deals of an item, each counted once.

    Attributes:
        money: Sum of amounts by outcome and currency.
        won: Number of won deals.
        lost: Number of lost deals.
    """

    money: dict[Outcome, dict[str, float]] = field(default_factory=lambda: {outcome: {} for outcome in Outcome})
    won: int = 0
    lost: int = 0

    def add(self, outcome: Outcome, currency: str | None, amount: float | None, count: int) -> None:
        """Count deals of one outcome and currency; those without an amount count as deals, not as money."""
        if outcome is Outcome.WON:
            self.won += count
        if outcome is Outcome.LOST:
            self.lost += count
        if currency and amount:
            sums = self.money[outcome]
            sums[currency] = sums.get(currency, 0.0) + amount


@dataclass(slots=True)
class Counts:
    """How often, by how many and with what at stake an item was said in a period."""

    mentions: int = 0
    notes: int = 0
    accounts: int = 0
    authors: int = 0
    deals: Deals = field(default_factory=Deals)
    details: dict[str, dict[str, int]] = field(default_factory=dict)


DETAILS: dict[About, dict[str, tuple[Any, Sequence[Any]]]] = {
    About.OBJECTION: {"statuses": (ObjectionTable.status, list(ObjectionStatus))},
    About.COMPETITOR: {
        "relations": (CompetitorMentionTable.relation, list(Relation)),
        "standings": (CompetitorMentionTable.standing, list(Standing)),
        "known": (CompetitorMentionTable.known, [True]),
    },
    About.THEME: {},
}


def item_conditions(
    about: About, filters: NoteFilters, period: Period, item: Hashable | None = None
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on a kind's table: filters, period, and the item, or that there is one."""
    column = ITEM_COLUMNS[about]
    return [
        *finding_conditions(filters, TABLES[about], period),
        column.is_not(None) if item is None else column == item,
    ]


def count_items(
    session: Session, about: About, filters: NoteFilters, period: Period, *, item: Hashable | None = None
) -> dict[Any, Counts]:
    """Count all items of a kind in a period, or a single one.

    Returns:
        Counts by item: objection type, competitor's name key, or theme's row id. `details` counts mentions by status,
        relation and so on.
    """
    table, column = TABLES[about], ITEM_COLUMNS[about]
    conditions = item_conditions(about, filters, period, item)
    details = [(name, value, column == value) for name, (column, values) in DETAILS[about].items() for value in values]
    rows = session.execute(
        sa.select(
            column,
            sa.func.count(),
            sa.func.count(sa.distinct(table.note_id)),
            sa.func.count(sa.distinct(table.account_id)),
            sa.func.count(sa.distinct(table.author_id)),
            *(sa.func.sum(sa.case((is_value, 1), else_=0)) for _, _, is_value in details),
        )
        .where(*conditions)
        .group_by(column)
    )
    counts: dict[Any, Counts] = {}
    for key, mentions, notes, accounts, authors, *sums in rows:
        counts[key] = Counts(mentions, notes, accounts, authors)
        for (name, value, _), count in zip(details, sums, strict=True):
            counts[key].details.setdefault(name, {})[str(value)] = int(count)
    _add_deals(session, table, column, conditions, counts)
    return counts


def count_heard(
    session: Session, about: About, filters: NoteFilters, period: Period, *, item: Hashable | None = None
) -> dict[Any, tuple[int, int]]:
    """Return for each item the notes and accounts of a period: what a later one is compared with."""
    table, column = TABLES[about], ITEM_COLUMNS[about]
    notes, accounts = (sa.func.count(sa.distinct(c)) for c in (table.note_id, table.account_id))
    conditions = item_conditions(about, filters, period, item)
    rows = session.execute(sa.select(column, notes, accounts).where(*conditions).group_by(column))
    return {row[0]: (row[1], row[2]) for row in rows}


def _add_deals(
    session: Session, table: Any, column: Any, conditions: list[sa.ColumnElement[bool]], counts: dict[Any, Counts]
) -> None:
    pairs = (
        sa.select(column.label("item"), table.deal_id.label("deal_id"))
        .where(*conditions, table.deal_id.is_not(None))
        .distinct()
        .subquery()
    )
    rows = session.execute(
        sa.select(pairs.c.item, DealTable.outcome, DealTable.currency, sa.func.sum(DealTable.amount), sa.func.count())
        .join(DealTable, DealTable.id == pairs.c.deal_id)
        .group_by(pairs.c.item, DealTable.outcome, DealTable.currency)
    )
    for item, outcome, currency, amount, count in rows:
        counts[item].deals.add(Outcome(outcome), currency, amount, count)


@dataclass(frozen=True, slots=True)
class Whole:
    """What all items of a period are measured against.

    Attributes:
        notes: Notes that were read, findings or not.
        accounts: Their accounts.
        authors: Their authors.
        deals: Their deals.
    """

    notes: int
    accounts: int
    authors: int
    deals: Deals


def count_whole(session: Session, filters: NoteFilters, period: Period) -> Whole:
    """Count the notes of a period that were read, and their accounts, authors and deals."""
    conditions = [
        NoteTable.occurred_at.between(day_start(period.start), day_end(period.end)),
        NoteTable.analysed_revision > 0,
        *note_conditions(filters),
    ]
    notes, accounts, authors = session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count(sa.distinct(NoteTable.account_id)),
            sa.func.count(sa.distinct(NoteTable.author_id)),
        ).where(*conditions)
    ).one()
    deals = Deals()
    ids = sa.select(NoteTable.deal_id).where(*conditions, NoteTable.deal_id.is_not(None)).distinct()
    for outcome, currency, amount, count in session.execute(
        sa.select(DealTable.outcome, DealTable.currency, sa.func.sum(DealTable.amount), sa.func.count())
        .where(DealTable.id.in_(ids))
        .group_by(DealTable.outcome, DealTable.currency)
    ):
        deals.add(Outcome(outcome), currency, amount, count)
    return Whole(notes, accounts, authors, deals)
