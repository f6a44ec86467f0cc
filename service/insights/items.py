"""Items with all their measures: what every list of findings is made of."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from service.filters import Compare, Filters, Period, resolve_period
from service.insights.choosing import NOTHING, Choice, choose, kept_with_choice
from service.insights.counting import (
    count_heard,
    count_items,
    count_said,
    count_voices,
    count_whole,
    deal_voices,
    notes_by_account,
    voices_of,
)
from service.insights.measures import About, Counts, Whole
from service.insights.statistics import STEADY, Share, Trend, Voices, WinRates, hold, trends, win_rates
from service.insights.withholding import OUTCOMES, TREND, cut_counts, cut_trend, gather, others_are_too_few
from service.thresholds import Thresholds, thresholds_of, too_few


@dataclass(frozen=True, slots=True)
class Item:
    """An objection type, a competitor or a theme, measured in a period.

    Attributes:
        key: Objection type, competitor's name key, or theme's row id.
        share: Of the notes read in the period, in [0, 1].
        withheld: Figures that stand on too few accounts or authors and are missing: `trend` (all but where it goes),
            `money`, `outcomes` or a detail such as `statuses`.
    """

    about: About
    key: Any
    counts: Counts
    share: float
    trend: Trend
    wins: WinRates
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """The items of a kind; `withheld` are those that too few accounts or authors said, to be counted and never told."""

    items: list[Item]
    withheld: list[Item] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frame:
    """What items are measured in: a period, the one before where it is compared, and what was read in each.

    Attributes:
        withheld: Whether all that was read in the period stands on too few accounts or authors.
    """

    period: Period
    whole: Whole
    previous: Period | None
    notes_before: int
    by_account_before: Mapping[int, int] = field(default_factory=dict, repr=False)
    days: Choice = field(default=NOTHING, repr=False)
    days_before: Choice = field(default=NOTHING, repr=False)
    withheld: bool = False


def measuring_frame(session: Session, filters: Filters) -> Frame:
    """Return the periods that filters mean, and what was read in them."""
    period = resolve_period(session, filters)
    previous = period.previous if filters.compare is Compare.PREVIOUS else None
    days = choose(session, filters, period)
    days_before = choose(session, filters, previous) if previous else NOTHING
    whole = count_whole(session, days)
    by_account = notes_by_account(days_before)
    few = thresholds_of(session).hide(whole.accounts, whole.authors)
    return Frame(period, whole, previous, by_account.total(), by_account, days, days_before, few)


def measure_items(
    session: Session, about: About, filters: Filters, frame: Frame, *, key: Hashable | None = None
) -> Measured:
    """Measure the items of a kind, or a single one; those that too few said are withheld.

    An item that was said in the period before and no more is kept: that it is gone is news. A single one is measured
    among all, because its p-value is corrected for their number.
    """
    now = count_items(frame.days, about, frame.whole.book)
    changes = _changes(frame.days, about, frame.days_before) if frame.previous else dict.fromkeys(now, STEADY)
    items = [
        _item(about, item, now.get(item, Counts()), frame.whole, trend)
        for item, trend in changes.items()
        if key is None or item == key
    ]
    thresholds = thresholds_of(session)
    return _withhold(about, items, frame, thresholds) if thresholds.are_set else Measured(items)


def _withhold(about: About, items: list[Item], frame: Frame, thresholds: Thresholds) -> Measured:
    """Take out the items that too few said, and of the others the figures that stand on too few."""
    now, before = voices_of(frame.days, about), voices_of(frame.days_before, about)
    shown, withheld = [], []
    for item in items:
        here, there = now.get(item.key, frozenset()), before.get(item.key, frozenset())
        if thresholds.hide_voices(gather(here or there)):  # what is gone stands on who said it before
            withheld.append(item)
            continue
        counts, missing = cut_counts(about, item.counts, here, frame.whole.book, thresholds)
        hides_before = bool(there) and thresholds.hide_voices(gather(there))
        won, lost = counts.deals.won, counts.deals.lost
        alone = OUTCOMES in missing or others_are_too_few(here, deal_voices(frame.days), frame.whole.book, thresholds)
        shown.append(
            replace(
                item,
                counts=counts,
                trend=cut_trend(item.trend) if hides_before else item.trend,
                wins=win_rates(won, lost, won, lost) if alone else item.wins,
                withheld=(*([TREND] if hides_before else []), *missing),
            )
        )
    return Measured(shown, withheld)


def measure_one(session: Session, about: About, filters: Filters, frame: Frame, key: Hashable) -> Item | None:
    """Measure one item; None where nobody said it in the period or the one before.

    Raises:
        NotFound: If it is withheld, or where there are thresholds and nobody said it.
    """
    found = measure_items(session, about, filters, frame, key=key).items
    if not found and thresholds_of(session).are_set:
        raise too_few()
    return found[0] if found else None


def silent_item(about: About, key: Any) -> Item:
    """Return an item that nobody said."""
    return Item(about, key, Counts(), 0.0, STEADY, win_rates(0, 0, 0, 0))


@kept_with_choice
def _changes(here: Choice, about: About, there: Choice) -> Mapping[Any, Trend]:
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
    heard, heard_before = (count_voices(choice, about, tuple(moved.values())) for choice in (here, there))
    voices = {
        index: (Voices(by_account, heard[key]), Voices(by_account_before, heard_before[key]))
        for index, key in moved.items()
    }
    return dict(zip(keys, hold(pairs, found, voices), strict=True))


def _item(about: About, key: Any, counts: Counts, whole: Whole, trend: Trend) -> Item:
    wins = win_rates(counts.deals.won, counts.deals.lost, whole.deals.won, whole.deals.lost)
    return Item(about, key, counts, counts.notes / whole.notes if whole.notes else 0.0, trend, wins)
