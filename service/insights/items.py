"""Items with all their measures: what every list of findings is made of."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from service.filters import Compare, Filters, Period, resolve_period
from service.insights.measures import About, Counts, Whole, count_details, count_items, count_whole
from service.insights.statistics import STEADY, Share, Trend, WinRates, trends, win_rates
from service.tables import CompetitorMentionTable, ObjectionTable

DETAILS: dict[About, dict[str, Any]] = {
    About.OBJECTION: {"statuses": ObjectionTable.status},
    About.COMPETITOR: {
        "relations": CompetitorMentionTable.relation,
        "standings": CompetitorMentionTable.standing,
        "known": CompetitorMentionTable.known,
    },
    About.THEME: {},
}


@dataclass(frozen=True, slots=True)
class Item:
    """An objection type, a competitor or a theme, measured in a period.

    Attributes:
        key: Objection type, competitor's name key, or theme's row id.
        share: Of the notes read in the period, in [0, 1].
    """

    about: About
    key: Any
    counts: Counts
    share: float
    trend: Trend
    wins: WinRates


@dataclass(frozen=True, slots=True)
class Measured:
    """The items of a kind, and what they are measured against."""

    period: Period
    previous: Period | None
    whole: Whole
    items: list[Item]


def measure_items(session: Session, about: About, filters: Filters, *, key: Hashable | None = None) -> Measured:
    """Measure the items of a kind, or a single one, in the filters' period.

    An item that was said in the period before and no more is kept: that it is gone is news.
    """
    period = resolve_period(session, filters)
    previous = period.previous if filters.compare is Compare.PREVIOUS else None
    whole = count_whole(session, filters, period)
    now = count_items(session, about, filters, period, item=key)
    for name, column in DETAILS[about].items():
        for item, values in count_details(session, about, column, filters, period, item=key).items():
            now[item].details[name] = values
    if previous is None:
        changes = dict.fromkeys(now, STEADY)
    else:
        before = count_items(session, about, filters, previous, item=key)
        changes = _changes(now, before, whole, count_whole(session, filters, previous))
    items = [_item(about, item, now.get(item, Counts()), whole, trend) for item, trend in changes.items()]
    return Measured(period, previous, whole, items)


def _changes(now: dict[Any, Counts], before: dict[Any, Counts], whole: Whole, whole_before: Whole) -> dict[Any, Trend]:
    keys = sorted(now.keys() | before.keys())
    pairs = [(_share(now.get(k, Counts()), whole), _share(before.get(k, Counts()), whole_before)) for k in keys]
    return dict(zip(keys, trends(pairs), strict=True))


def _share(counts: Counts, whole: Whole) -> Share:
    return Share(counts.notes, whole.notes, counts.accounts)


def _item(about: About, key: Any, counts: Counts, whole: Whole, trend: Trend) -> Item:
    wins = win_rates(counts.deals.won, counts.deals.lost, whole.deals.won, whole.deals.lost)
    return Item(about, key, counts, counts.notes / whole.notes if whole.notes else 0.0, trend, wins)
