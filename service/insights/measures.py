"""Counts of findings, grouped by item: one statement a kind, over one index.

An item is an objection type, a competitor or a theme. What is counted is the same for all: mentions, notes, accounts,
authors, and the money and outcomes of their deals.

Items are asked for by name, never "all there are": their index then gives its rows item by item, as they are grouped,
and nothing has to be sorted. The deals of an item come as one list of ids, and their money is added up here: a join
would take as long as all the rest.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.types import ObjectionStatus, ObjectionType, Relation, Standing
from service.database import is_sqlite
from service.filters import NoteFilters, Outcome, Period, day_end, day_start, finding_conditions, note_conditions
from service.insights.statistics import Voices
from service.tables import CompetitorMentionTable, DealTable, NoteTable, ObjectionTable, PassageTable, ThemeTable


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
class DealBook:
    """All deals of a period, to add up those of each item: some ten thousand additions a request.

    Attributes:
        groups: The outcomes and currencies that there are.
        deals: By id, as text: the index of its group, and its amount in thousandths, which add up without rounding.
    """

    groups: list[tuple[Outcome, str | None]] = field(default_factory=list)
    deals: dict[str, tuple[int, int]] = field(default_factory=dict)

    def enter(self, deal_id: int, outcome: str, currency: str | None, amount: float | None) -> None:
        """Enter a deal."""
        group = (Outcome(outcome), currency)
        if group not in self.groups:
            self.groups.append(group)
        self.deals[str(deal_id)] = (self.groups.index(group), round(1000 * (amount or 0)))

    def add_up(self, deal_ids: Iterable[str]) -> Deals:
        """Sum deals, each named once; unknown ones are passed over."""
        counts, sums = [0] * len(self.groups), [0] * len(self.groups)
        for deal in map(self.deals.get, deal_ids):
            if deal is not None:
                group, amount = deal
                counts[group] += 1
                sums[group] += amount
        total = Deals()
        for (outcome, currency), count, amount in zip(self.groups, counts, sums, strict=True):
            total.add(outcome, currency, amount / 1000, count)
        return total


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
    about: About, filters: NoteFilters, period: Period, items: Sequence[Hashable] | None = None, *, few: bool = False
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on a kind's table: filters, period, and the items, or any that there are."""
    wanted = _all_items(about) if items is None else items
    return [*finding_conditions(filters, TABLES[about], period, few=few), ITEM_COLUMNS[about].in_(wanted)]


def _all_items(about: About) -> Any:
    if about is About.OBJECTION:
        return list(ObjectionType)
    return sa.select(ThemeTable.id) if about is About.THEME else _all_names()


def _all_names() -> sa.Select[Any]:
    """Return every competitor's name key, jumping from each to the next: a few hundred steps, not all the mentions."""
    key = CompetitorMentionTable.name_key
    names = sa.select(sa.func.min(key).label("name")).cte("names", recursive=True)
    following = sa.select(sa.func.min(key)).where(key > names.c.name).scalar_subquery()
    names = names.union_all(sa.select(following).where(names.c.name.is_not(None)))
    return sa.select(names.c.name).where(names.c.name.is_not(None))


def count_items(
    session: Session, about: About, filters: NoteFilters, period: Period, book: DealBook
) -> dict[Any, Counts]:
    """Count all items of a kind in a period.

    Args:
        book: The period's deals.

    Returns:
        Counts by item: objection type, competitor's name key, or theme's row id. `details` counts mentions by status,
        relation and so on.
    """
    table, column = TABLES[about], ITEM_COLUMNS[about]
    details = [(name, value, column == value) for name, (column, values) in DETAILS[about].items() for value in values]
    rows = session.execute(
        sa.select(
            column,
            sa.func.count(),
            sa.func.count(sa.distinct(table.note_id)),
            sa.func.count(sa.distinct(table.account_id)),
            sa.func.count(sa.distinct(table.author_id)),
            _distinct_ids(session, table.deal_id),
            *(sa.func.sum(sa.case((is_value, 1), else_=0)) for _, _, is_value in details),
        )
        .where(*item_conditions(about, filters, period))
        .group_by(column)
    )
    counts: dict[Any, Counts] = {}
    for key, mentions, notes, accounts, authors, deal_ids, *sums in rows:
        deals = book.add_up(deal_ids.split(",")) if deal_ids else Deals()
        counts[key] = Counts(mentions, notes, accounts, authors, deals)
        for (name, value, _), count in zip(details, sums, strict=True):
            counts[key].details.setdefault(name, {})[str(value)] = int(count)
    return counts


def count_voices(
    session: Session, about: About, filters: NoteFilters, period: Period, items: Sequence[Hashable]
) -> dict[Any, Voices]:
    """Return for each item from how many accounts it comes, and how much from one."""
    table, column = TABLES[about], ITEM_COLUMNS[about]
    conditions = [*item_conditions(about, filters, period, items), table.account_id.is_not(None)]
    by_account = (
        sa.select(column.label("item"), sa.func.count(sa.distinct(table.note_id)).label("notes"))
        .where(*conditions)
        .group_by(column, table.account_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(by_account.c.item, sa.func.count(), sa.func.max(by_account.c.notes)).group_by(by_account.c.item)
    )
    return {item: Voices(accounts, loudest) for item, accounts, loudest in rows}


def _distinct_ids(session: Session, column: Any) -> sa.ColumnElement[str]:
    """Return an aggregate of the different ids in a column, joined by commas."""
    if is_sqlite(session):
        return sa.func.group_concat(sa.distinct(column))
    return sa.func.string_agg(sa.distinct(sa.cast(column, sa.String)), ",")


def count_heard(session: Session, about: About, filters: NoteFilters, period: Period) -> dict[Any, int]:
    """Return for each item its notes in a period: what a later one is compared with."""
    column, notes = ITEM_COLUMNS[about], sa.func.count(sa.distinct(TABLES[about].note_id))
    conditions = item_conditions(about, filters, period)
    rows = session.execute(sa.select(column, notes).where(*conditions).group_by(column))
    return {row[0]: row[1] for row in rows}


@dataclass(frozen=True, slots=True)
class Whole:
    """What all items of a period are measured against.

    Attributes:
        notes: Notes that were read, findings or not.
        accounts: Their accounts.
        authors: Their authors.
        deals: Their deals.
        book: The same, one by one.
    """

    notes: int
    accounts: int
    authors: int
    deals: Deals
    book: DealBook = field(default_factory=DealBook)


def count_whole(session: Session, filters: NoteFilters, period: Period) -> Whole:
    """Count the notes of a period that were read, and their accounts, authors and deals."""
    conditions = _were_read(filters, period)
    notes, accounts, authors = session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count(sa.distinct(NoteTable.account_id)),
            sa.func.count(sa.distinct(NoteTable.author_id)),
        ).where(*conditions)
    ).one()
    ids = sa.select(NoteTable.deal_id).where(*conditions)
    rows = session.execute(
        sa.select(DealTable.id, DealTable.outcome, DealTable.currency, DealTable.amount).where(DealTable.id.in_(ids))
    )
    book = DealBook()
    for deal_id, outcome, currency, amount in rows:
        book.enter(deal_id, outcome, currency, amount)
    return Whole(notes, accounts, authors, book.add_up(book.deals), book)


def count_notes(session: Session, filters: NoteFilters, period: Period) -> int:
    """Count the notes of a period that were read."""
    query = sa.select(sa.func.count()).select_from(NoteTable).where(*_were_read(filters, period))
    return session.scalar(query) or 0


def _were_read(filters: NoteFilters, period: Period) -> list[sa.ColumnElement[bool]]:
    return [
        NoteTable.occurred_at.between(day_start(period.start), day_end(period.end)),
        NoteTable.analysed_revision > 0,
        *note_conditions(filters, period=period),
    ]
