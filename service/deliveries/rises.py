"""What is new or risen since it was last announced.

The ranking of the last 30 days is compared with the 30 days before, by the test of `service/insights/statistics.py`
with its correction for many items. An item that rose significantly is told of once. It is told of again where its share
of the notes rose significantly over the share that it was announced with, or where no day of the announced 30 days is
left.

The first look takes stock and tells nothing; so does a look at which more than half of the notes were read since the
one before: then notes were imported, or read by another reader, and customers did not change. While the sample
workspace is all there is, every look takes stock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.filters import Filters, Period, day_end, day_start
from service.insights.measures import About
from service.insights.queries import Ranking, public_ids, rank_insights
from service.insights.ranking import RankedItem
from service.insights.statistics import UPWARD, Direction, Share, trends
from service.outgoing_tables import AnnouncedTable, WatchTable
from service.subscriptions.content import EMERGING
from service.subscriptions.schemas import Sensitivity
from service.tables import NoteTable, ThemeTable
from service.themes.lifecycle import Life, life, month_number
from service.themes.queries import note_months, theme_months
from service.themes.storage import ThemeState

WINDOW_DAYS = 30
CALM_P, CALM_ACCOUNTS, CALM_RANK, NORMAL_RANK = 0.01, 5, 10, 20
SAMPLE_SOURCE = "sample"
Place = tuple[str, str]  # kind and public id
Known = dict[Place, AnnouncedTable]


@dataclass(frozen=True, slots=True)
class Rise:
    """An item that rose.

    Attributes:
        id: Its public id.
        is_new: Whether it was not heard in the 30 days before, and never told of.
        along: What is told with it because it is the same matter: kind and id, and notes with it.
    """

    ranked: RankedItem
    id: str
    is_new: bool
    along: tuple[tuple[Place, int], ...] = ()

    @property
    def place(self) -> Place:
        """Kind and id, as `announced` has them."""
        return str(self.ranked.item.about), self.id


@dataclass(frozen=True, slots=True)
class Look:
    """What a look found.

    Attributes:
        looked_before: When the watch was looked at before; None where it never was.
        seen: What to remember: kind and id, notes with it, and all notes.
        tells: Whether the rises are to be told of; else the look took stock.
        sample: Whether the sample workspace is all there is.
    """

    filters: Filters
    ranking: Ranking
    rises: list[Rise]
    emerging: list[ThemeTable]
    seen: list[tuple[Place, int, int]]
    looked_before: datetime | None
    tells: bool
    sample: bool


def window(now: datetime) -> Period:
    """Return the last 30 days."""
    return Period(now.date() - timedelta(days=WINDOW_DAYS - 1), now.date())


def look(session: Session, watch: WatchTable, filters: Filters, now: datetime, keenness: Sensitivity) -> Look:
    """Rank the last 30 days and find what of it is news; nothing is written.

    Args:
        session: The session.
        watch: What was seen before.
        filters: Which notes are ranked.
        now: The time of the look; the last 30 days end with its day.
        keenness: How much has to rise.
    """
    period = window(now)
    filters = filters.model_copy(update={"from_": period.start, "to": period.end})
    ranking = rank_insights(session, filters)
    known = _announced(session, watch.id)
    rises = [rise for rise in _risen(session, ranking, known) if _is_enough(rise, keenness)]
    rises = [rise for rise in rises if _is_news(rise, known, ranking, now)]
    rises = _above_announced(rises, known, ranking, now)
    themes = emerging_themes(session, ranking, period) if keenness is Sensitivity.KEEN else []
    born = [theme for theme in themes if (EMERGING, theme.key) not in known]
    seen = [(rise.place, rise.ranked.item.counts.notes, ranking.frame.whole.notes) for rise in rises]
    seen += [(place, notes, ranking.frame.whole.notes) for rise in rises for place, notes in rise.along]
    seen += [((EMERGING, theme.key), 0, 0) for theme in born]
    sample = _is_sample(session)
    fresh = watch.ranked_at is None or _mostly_new(session, period, watch.ranked_at)
    return Look(filters, ranking, rises, born, seen, watch.ranked_at, not (fresh or sample), sample)


def remember(session: Session, watch_id: int, found: Look, now: datetime, *, waits: bool) -> bool:
    """Write down what a look saw, unless another look came first.

    Args:
        session: The session of the transaction that tells of it too.
        watch_id: The watch.
        found: The look.
        now: The time of the look.
        waits: Whether what is told of waits for the day's alert.

    Returns:
        Whether it is to be told of.
    """
    watch = session.scalar(sa.select(WatchTable).where(WatchTable.id == watch_id).with_for_update())
    if watch is None or watch.ranked_at != found.looked_before:
        return False
    watch.ranked_at = None if found.sample else now
    known = _announced(session, watch_id)
    for place, notes, of_notes in found.seen:
        row = known.get(place)
        if row is None:
            row = AnnouncedTable(watch_id=watch_id, about=place[0], key=place[1])
            session.add(row)
        row.notes, row.of_notes, row.announced_at, row.sent = notes, of_notes, now, not (found.tells and waits)
    return found.tells


def _announced(session: Session, watch_id: int) -> Known:
    rows = session.scalars(sa.select(AnnouncedTable).where(AnnouncedTable.watch_id == watch_id))
    return {(row.about, row.key): row for row in rows}


def _risen(session: Session, ranking: Ranking, known: Known) -> list[Rise]:
    up = [r for r in ranking.items if r.item.trend.significant and r.item.trend.direction in UPWARD]
    ids: dict[tuple[About, Any], str] = {}
    for about in About:
        keys = [r.item.key for r in ranking.all_items if r.item.about is about]
        ids |= {(about, key): shown for key, shown in public_ids(session, about, keys).items()}
    return [
        Rise(
            r,
            shown,
            r.item.trend.direction is Direction.NEW and (str(r.item.about), shown) not in known,
            _along(r, ids),
        )
        for r in up
        if (shown := ids.get((r.item.about, r.item.key))) is not None
    ]


def _along(ranked: RankedItem, ids: Mapping[tuple[About, Any], str]) -> tuple[tuple[Place, int], ...]:
    """Return what rises with an item and is told with it."""
    risen = [also.ranked.item for also in ranked.also if also.ranked.item.trend.direction in UPWARD]
    return tuple(
        ((str(item.about), ids[item.about, item.key]), item.counts.notes)
        for item in risen
        if (item.about, item.key) in ids
    )


def _is_enough(rise: Rise, keenness: Sensitivity) -> bool:
    """Tell whether a significant rise is large enough for a subscription."""
    ranked = rise.ranked
    if keenness is Sensitivity.CALM:
        calm = ranked.item.trend.p_value < CALM_P and ranked.item.counts.accounts >= CALM_ACCOUNTS
        return calm and ranked.rank <= CALM_RANK
    return keenness is Sensitivity.KEEN or ranked.rank <= NORMAL_RANK


def _is_over(row: AnnouncedTable, now: datetime) -> bool:
    return now - row.announced_at >= timedelta(days=WINDOW_DAYS)


def _is_news(rise: Rise, known: Known, ranking: Ranking, now: datetime) -> bool:
    """Tell whether a rise was never told of, or long ago, or may be above what was told of."""
    row = known.get(rise.place)
    if row is None or _is_over(row, now):
        return True
    share = rise.ranked.item.counts.notes / max(1, ranking.frame.whole.notes)
    return share > row.notes / max(1, row.of_notes)


def _above_announced(rises: list[Rise], known: Known, ranking: Ranking, now: datetime) -> list[Rise]:
    """Leave out rises that are not significantly above the share that they were announced with."""
    again = [rise for rise in rises if rise.place in known and not _is_over(known[rise.place], now)]
    pairs = []
    for rise in again:
        counts, row = rise.ranked.item.counts, known[rise.place]
        pairs.append((Share(counts.notes, ranking.frame.whole.notes, counts.accounts), Share(row.notes, row.of_notes)))
    held = {rise.place for rise, trend in zip(again, trends(pairs), strict=True) if trend.direction not in UPWARD}
    return [rise for rise in rises if rise.place not in held]


def _mostly_new(session: Session, period: Period, since: datetime) -> bool:
    """Tell whether more than half of the notes that are compared were read since the look before."""
    read = sa.and_(
        NoteTable.occurred_at.between(day_start(period.previous.start), day_end(period.end)),
        NoteTable.deleted_at.is_(None),
        NoteTable.analysed_revision > 0,
    )
    fresh = sa.func.sum(sa.case((NoteTable.analysed_at > since, 1), else_=0))
    every, new = session.execute(sa.select(sa.func.count(), fresh).where(read)).one()
    return bool(2 * (new or 0) > every)


def _is_sample(session: Session) -> bool:
    """Tell whether the sample workspace is all there is."""
    others = sa.select(NoteTable.id).where(NoteTable.source != SAMPLE_SOURCE, NoteTable.deleted_at.is_(None)).limit(1)
    sample = sa.select(NoteTable.id).where(NoteTable.source == SAMPLE_SOURCE).limit(1)
    return session.scalar(others) is None and session.scalar(sample) is not None


def emerging_themes(session: Session, ranking: Ranking, period: Period) -> list[ThemeTable]:
    """Return the living, unmuted themes heard in a period that are emerging."""
    keys = [r.item.key for r in ranking.all_items if r.item.about is About.THEME]
    query = sa.select(ThemeTable).where(ThemeTable.id.in_(keys), ThemeTable.state == ThemeState.ACTIVE)
    themes = list(session.scalars(query.order_by(ThemeTable.id)))
    months, last = theme_months(session, keys), month_number(period.end.year, period.end.month)
    all_notes = note_months(session)
    return [t for t in themes if t.id in months and life(months[t.id], all_notes, last, retired=False) is Life.EMERGING]
