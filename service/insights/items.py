"""Items with all their measures: what every list of findings is made of."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from service.filters import Compare, Filters, Period, resolve_period
from service.insights.counting import (
    Chosen,
    choose,
    count_heard,
    count_items,
    count_notes,
    count_voices,
    count_whole,
)
from service.insights.measures import About, Counts, Whole
from service.insights.statistics import (
    DOWNWARD,
    NO_VOICE,
    STEADY,
    UPWARD,
    Share,
    Trend,
    WinRates,
    hold_without,
    trends,
    win_rates,
)


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
    days: Sequence[Chosen] = field(default=(), repr=False)
    days_before: Sequence[Chosen] = field(default=(), repr=False)


def measuring_frame(session: Session, filters: Filters) -> Frame:
    """Return the periods that filters mean, and what was read in them."""
    period = resolve_period(session, filters)
    previous = period.previous if filters.compare is Compare.PREVIOUS else None
    days = choose(session, filters, period)
    days_before = choose(session, filters, previous) if previous else []
    whole = count_whole(session, days)
    return Frame(period, whole, previous, count_notes(days_before), days, days_before)


def measure_items(
    session: Session, about: About, filters: Filters, frame: Frame, *, key: Hashable | None = None
) -> list[Item]:
    """Measure the items of a kind, or a single one.

    An item that was said in the period before and no more is kept: that it is gone is news. A single one is measured
    among all, because its p-value is corrected for their number.
    """
    now = count_items(frame.days, about, frame.whole.book)
    changes = _changes(about, frame, now) if frame.previous else dict.fromkeys(now, STEADY)
    return [
        _item(about, item, now.get(item, Counts()), frame.whole, trend)
        for item, trend in changes.items()
        if key is None or item == key
    ]


def silent_item(about: About, key: Any) -> Item:
    """Return an item that nobody said."""
    return Item(about, key, Counts(), 0.0, STEADY, win_rates(0, 0, 0, 0))


def _changes(about: About, frame: Frame, now: dict[Any, Counts]) -> dict[Any, Trend]:
    before = count_heard(frame.days_before, about)
    pairs = {}
    for key in sorted(now.keys() | before.keys()):
        counts = now.get(key, Counts())
        here = Share(counts.notes, frame.whole.notes, counts.accounts)
        pairs[key] = (here, Share(before.get(key, 0), frame.notes_before))
    changes = dict(zip(pairs, trends(list(pairs.values())), strict=True))
    for louder, directions in ((frame.days, UPWARD), (frame.days_before, DOWNWARD)):
        moved = {key: trend for key, trend in changes.items() if trend.direction in directions}
        voices = count_voices(louder, about, list(moved)) if moved else {}
        changes |= {key: hold_without(trend, *pairs[key], voices.get(key, NO_VOICE)) for key, trend in moved.items()}
    return changes


def _item(about: About, key: Any, counts: Counts, whole: Whole, trend: Trend) -> Item:
    wins = win_rates(counts.deals.won, counts.deals.lost, whole.deals.won, whole.deals.lost)
    return Item(about, key, counts, counts.notes / whole.notes if whole.notes else 0.0, trend, wins)
