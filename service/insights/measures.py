"""What is measured of an item: an objection type, a competitor or a theme.

What is counted is the same for all: mentions, notes, accounts, authors, and the money and outcomes of their deals. In
SQL, items are asked for by name, never "all there are": their index then gives its rows item by item and by day.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from models.types import ObjectionStatus, ObjectionType, Relation, Standing
from service.filters import NoteFilters, Outcome, Period, finding_conditions
from service.tables import CompetitorMentionTable, ObjectionTable, PassageTable, ThemeTable


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
        open: Number of open deals, by currency.
    """

    money: dict[Outcome, dict[str, float]] = field(default_factory=lambda: {outcome: {} for outcome in Outcome})
    won: int = 0
    lost: int = 0
    open: dict[str, int] = field(default_factory=dict)

    def add(self, outcome: Outcome, currency: str | None, amount: float | None, count: int) -> None:
        """Count deals of one outcome and currency; those without an amount count as deals, not as money."""
        if outcome is Outcome.WON:
            self.won += count
        if outcome is Outcome.LOST:
            self.lost += count
        if currency and amount:
            sums = self.money[outcome]
            sums[currency] = sums.get(currency, 0.0) + amount
            if outcome is Outcome.OPEN:
                self.open[currency] = self.open.get(currency, 0) + count


@dataclass(slots=True, eq=False)
class DealBook:
    """All deals of a period, to add up those of each item: some ten thousand additions a request.

    Attributes:
        groups: The index of each outcome and currency that there are.
        deals: By id: the index of its group, and its amount in thousandths, which add up without rounding.
    """

    groups: dict[tuple[str, str | None], int] = field(default_factory=dict)
    deals: dict[int, tuple[int, int]] = field(default_factory=dict)

    def enter(self, deal_id: int, outcome: str, currency: str | None, amount: float | None) -> None:
        """Enter a deal."""
        group = self.groups.setdefault((outcome, currency), len(self.groups))
        self.deals[deal_id] = (group, round(1000 * amount) if amount else 0)

    def add_up(self, deal_ids: Iterable[int]) -> Deals:
        """Sum deals, each named once; unknown ones are passed over."""
        counts, sums = [0] * len(self.groups), [0] * len(self.groups)
        for deal in map(self.deals.get, deal_ids):
            if deal is not None:
                group, amount = deal
                counts[group] += 1
                sums[group] += amount
        total = Deals()
        for (outcome, currency), count, amount in zip(self.groups, counts, sums, strict=True):
            total.add(Outcome(outcome), currency, amount / 1000, count)
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
    about: About, filters: NoteFilters, period: Period, items: Sequence[Hashable] | None = None
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on a kind's table: filters, period, and the items, or any that there are."""
    wanted = all_items(about) if items is None else items
    return [*finding_conditions(filters, TABLES[about], period), ITEM_COLUMNS[about].in_(wanted)]


def all_items(about: About) -> Any:
    """Return every item of a kind, as the right side of an `in`."""
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


@dataclass(frozen=True, slots=True)
class Whole:
    """What all items of a period are measured against.

    Attributes:
        notes: Notes that were read, findings or not.
        accounts: Their accounts.
        authors: Their authors.
        deals: Their deals.
        book: The same, one by one.
        by_account: The notes by account's row id; those without one under 0.
    """

    notes: int
    accounts: int
    authors: int
    deals: Deals
    book: DealBook = field(default_factory=DealBook)
    by_account: Mapping[int, int] = field(default_factory=dict)
