"""Items with all their measures: what every list of findings is made of."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session

from service.filters import Compare, Filters, Period, resolve_period
from service.insights.choosing import MAX_CHOICES, NOTHING, Choice, choose
from service.insights.counting import (
    count_heard,
    count_items,
    count_said,
    count_voices,
    count_whole,
    notes_by_account,
)
from service.insights.measures import About, Counts, Whole
from service.insights.statistics import STEADY, Share, Trend, Voices, WinRates, hold, trends, win_rates


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
class Frame:
    """What items are measured in: a period, the one before where it is compared, and what was read in each."""

    period: Period
    whole: Whole
    previous: Period | None
    notes_before: int
    by_account_before: Mapping[int, int] = field(default_factory=dict, repr=False)
    days: Choice = field(default=NOTHING, repr=False)
    days_before: Choice = field(default=NOTHING, repr=False)


def measuring_frame(session: Session, filters: Filters) -> Frame:
    """Return the periods that filters mean, and what was read in them."""
    period = resolve_period(session, filters)
    previous = period.previous if filters.compare is Compare.PREVIOUS else None
    days = choose(session, filters, period)
    days_before = choose(session, filters, previous) if previous else NOTHING
    whole = count_whole(session, days)
    by_account = notes_by_account(days_before)
    return Frame(period, whole, previous, by_account.total(), by_account, days, days_before)


def measure_items(
    session: Session, about: About, filters: Filters, frame: Frame, *, key: Hashable | None = None
) -> list[Item]:
    """Measure the items of a kind, or a single one.

    An item that was said in the period before and no more is kept: that it is gone is news. A single one is measured
    among all, because its p-value is corrected for their number.
    """
    now = count_items(frame.days, about, frame.whole.book)
    changes = _changes(about, frame.days, frame.days_before) if frame.previous else dict.fromkeys(now, STEADY)
    return [
        _item(about, item, now.get(item, Counts()), frame.whole, trend)
        for item, trend in changes.items()
        if key is None or item == key
    ]


def silent_item(about: About, key: Any) -> Item:
    """Return an item that nobody said."""
    return Item(about, key, Counts(), 0.0, STEADY, win_rates(0, 0, 0, 0))


@lru_cache(maxsize=len(About) * MAX_CHOICES)
def _changes(about: About, here: Choice, there: Choice) -> Mapping[Any, Trend]:
    """Compare the items of a kind in one period with those of the one before."""
    now, before = count_said(here, about), count_heard(there, about)
    by_account, by_account_before = notes_by_account(here), notes_by_account(there)
    keys = sorted(now.keys() | before.keys())
    pairs = []
    for key in keys:
        notes, accounts = (now[key].notes, now[key].accounts) if key in now else (0, 0)
        pairs.append((Share(notes, by_account.total(), accounts), Share(before.get(key, 0), by_account_before.total())))
    found = trends(pairs)
    moved = {index: keys[index] for index, trend in enumerate(found) if trend.moved}
    heard, heard_before = (count_voices(choice, about, list(moved.values())) for choice in (here, there))
    voices = {
        index: (Voices(by_account, heard[key]), Voices(by_account_before, heard_before[key]))
        for index, key in moved.items()
    }
    return dict(zip(keys, hold(pairs, found, voices), strict=True))


def _item(about: About, key: Any, counts: Counts, whole: Whole, trend: Trend) -> Item:
    wins = win_rates(counts.deals.won, counts.deals.lost, whole.deals.won, whole.deals.lost)
    return Item(about, key, counts, counts.notes / whole.notes if whole.notes else 0.0, trend, wins)
