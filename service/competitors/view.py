"""One competitor with everything about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models.types import Relation, Standing
from service.competitors.queries import MAX_POINTS, Point, accounts_by_relation, points_of
from service.competitors.schemas import CompetitorItem, CompetitorView, PointOutput
from service.filters import Filters
from service.insights.breakdown import break_down_all
from service.insights.evidence import read_quotes
from service.insights.items import Frame, Item, measure_items, measure_one, measuring_frame, silent_item
from service.insights.listing import in_order
from service.insights.measures import About
from service.insights.queries import is_known, public_ids, titles
from service.insights.schemas import Label, QuoteOutput, counted, measures, parts_output, quote_output
from service.insights.statistics import Direction, Share, trends
from service.insights.withholding import TREND
from service.thresholds import thresholds_of


def competitor_item(item: Item, name: str) -> CompetitorItem:
    """Return the measures of a competitor."""
    return CompetitorItem(
        id=item.key,
        name=name,
        known=is_known(item),
        relations=counted(item, "relations", Relation),
        standings=counted(item, "standings", Standing),
        **measures(item),
    )


def competitor_view(session: Session, filters: Filters, key: str) -> CompetitorView | None:
    """Return a competitor with its points and parts; None where no note of the periods names it.

    Raises:
        NotFound: If it is withheld.
    """
    frame = measuring_frame(session, filters)
    item = measure_one(session, About.COMPETITOR, filters, frame, key)
    names = titles(session, About.COMPETITOR, [key])
    if item is None or key not in names:
        return None
    points, withheld = _points(session, filters, frame, item)
    return CompetitorView(
        **competitor_item(item, names[key].en).model_dump(),
        win_rate_interval=item.wins.interval,
        accounts_by_relation=accounts_by_relation(session, filters, frame.period, [key])[key],
        points=points,
        points_withheld=withheld,
        **parts_output(break_down_all(session, About.COMPETITOR, filters, frame.period, key)),
    )


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a followed competitor stands: its measures, None where it is not heard, and accounts by relation."""

    item: CompetitorItem | None
    accounts_by_relation: dict[Relation, int]


def competitor_stands(session: Session, filters: Filters, frame: Frame, names: Mapping[str, str]) -> dict[str, Stand]:
    """Return where competitors stand, those of most accounts first.

    Args:
        names: Their names by key.
    """
    measured = measure_items(session, About.COMPETITOR, filters, frame)
    items = {i.key: i for i in measured.items if i.key in names}
    relations = accounts_by_relation(session, filters, frame.period, list(names))
    silent = [silent_item(About.COMPETITOR, key) for key in names if key not in items]
    ordered = [item.key for item in in_order([*items.values(), *silent])]
    return {
        key: Stand(competitor_item(items[key], names[key]) if key in items else None, relations[key]) for key in ordered
    }


def _points(session: Session, filters: Filters, frame: Frame, item: Item) -> tuple[list[PointOutput], int]:
    """Return a competitor's points, and how many are withheld."""
    thresholds = thresholds_of(session)
    every = points_of(session, filters, frame.period, item.key)
    points = [p for p in every if not thresholds.hide_voices(p.all_voices)]
    withheld, points = len(every) - len(points), points[:MAX_POINTS]
    before = points_of(session, filters, frame.previous, item.key) if frame.previous else []
    previous = {(p.about, p.key): len(p.all_notes) for p in before}
    unknown = {(p.about, p.key) for p in before if TREND in item.withheld or thresholds.hide_voices(p.all_voices)}
    pairs = [
        (
            Share(len(p.all_notes), item.counts.notes, len(p.accounts)),
            Share(previous.get((p.about, p.key), 0), item.trend.previous),
        )
        for p in points
    ]
    compared = frame.previous and TREND not in item.withheld
    directions = [trend.direction for trend in trends(pairs)] if compared else [Direction.STEADY] * len(points)
    names: dict[tuple[About, Any], Label] = {}
    ids: dict[tuple[About, Any], str] = {}
    for about in (About.OBJECTION, About.THEME):
        keys = [p.key for p in points if p.about is about]
        names |= {(about, key): label for key, label in titles(session, about, keys).items()}
        ids |= {(about, key): shown for key, shown in public_ids(session, about, keys).items()}
    quotes = _quotes(session, points)
    hidden = [thresholds.hidden_parts(point.voices) for point in points]
    shown = [
        PointOutput(
            about=point.about,
            id=ids[point.about, point.key],
            title=names[point.about, point.key],
            accounts=len(point.accounts),
            notes={standing: len(notes) for standing, notes in point.notes.items() if standing not in few},
            previous=None if (point.about, point.key) in unknown else pair[1].count,
            direction=direction,
            quotes={
                standing: [quotes[point.about, found] for found in of.values() if (point.about, found) in quotes]
                for standing, of in point.findings.items()
                if standing not in few
            },
        )
        for point, pair, direction, few in zip(points, pairs, directions, hidden, strict=True)
    ]
    return shown, withheld


def _quotes(session: Session, points: Sequence[Point]) -> dict[tuple[About, int], QuoteOutput]:
    found: dict[tuple[About, int], QuoteOutput] = {}
    for about in (About.OBJECTION, About.THEME):
        ids = {i for p in points if p.about is about for of in p.findings.values() for i in of.values()}
        found |= {(about, q.finding_id): quote_output(q) for q in read_quotes(session, about, sorted(ids))}
    return found
