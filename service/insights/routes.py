"""The ranked list over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from sqlalchemy.orm import Session

from service.dependencies import Reader, ReadSession
from service.filter_queries import FilterQuery
from service.filters import Filters
from service.insights import queries
from service.insights.evidence import Quote
from service.insights.measures import About
from service.insights.ranking import RankedItem
from service.insights.schemas import (
    AlsoSeen,
    Insight,
    ItemPage,
    Label,
    Measures,
    PeriodOutput,
    ReasonOutput,
    measures,
    quote_output,
)
from service.insights.words import sentence
from service.paging import Cursor, Limit, decode_cursor, encode_cursor
from service.problems import problem_responses

router = APIRouter(prefix="/v1/insights", tags=["insights"], responses=problem_responses(503))


class InsightPage(ItemPage[Insight]):
    """One page of the ranking, with the periods that it compares."""

    model_config = ConfigDict(title="InsightPage")

    period: PeriodOutput
    previous: PeriodOutput | None = Field(examples=[{"start": "2026-04-01", "end": "2026-06-30"}])


@router.get("")
def get_insights(
    session: ReadSession,
    _caller: Reader,
    filters: FilterQuery,
    about: Annotated[list[About] | None, Query(description="Only these kinds of insight.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> InsightPage:
    """Rank what customers say: objections, competitors and themes together, with the reasons of each place.

    Of items on one matter the highest is an insight, and the others stand under its `also`; asked for by their kind
    alone, they are ranked on their own.

    The period is the 90 days up to the latest note unless `from` and `to` say otherwise.
    """
    ranking = queries.rank_insights(session, filters, about or tuple(About))
    start = decode_cursor(cursor, int)[0] if cursor else 0
    previous = ranking.frame.previous
    page = ranking.items[max(start, 0) :][:limit]
    following = max(start, 0) + limit
    return InsightPage(
        items=insights(session, filters, ranking, page),
        next=encode_cursor([following]) if following < len(ranking.items) else None,
        total=len(ranking.items),
        withheld=ranking.withheld,
        period=PeriodOutput(start=ranking.frame.period.start, end=ranking.frame.period.end),
        previous=PeriodOutput(start=previous.start, end=previous.end) if previous else None,
    )


def insights(session: Session, filters: Filters, ranking: queries.Ranking, ranked: list[RankedItem]) -> list[Insight]:
    """Return ranked items as JSON has them, with names and quotes."""
    quotes = queries.quotes_of(session, ranking, ranked)
    names: dict[tuple[About, object], Label] = {}
    ids: dict[tuple[About, object], str] = {}
    for about in About:
        keys = [r.item.key for r in ranked if r.item.about is about]
        names |= {(about, key): label for key, label in queries.titles(session, about, keys).items()}
        ids |= {(about, key): shown for key, shown in queries.public_ids(session, about, keys).items()}
    also = queries.also_seen(session, ranked)
    return [_insight(r, names, ids, quotes, also) for r in ranked if (r.item.about, r.item.key) in names]


def _insight(
    ranked: RankedItem,
    names: dict[tuple[About, object], Label],
    ids: dict[tuple[About, object], str],
    quotes: dict[tuple[About, object], list[Quote]],
    also: dict[tuple[About, object], list[AlsoSeen]],
) -> Insight:
    item = ranked.item
    place = (item.about, item.key)
    return Insight(
        rank=ranked.rank,
        score=ranked.score,
        about=item.about,
        id=ids[place],
        title=names[place],
        reasons=[
            ReasonOutput(part=r.part, points=r.points, value=round(r.value, 4), text=sentence(item.about, r))
            for r in ranked.reasons
        ],
        measures=Measures(**measures(item)),
        quotes=[quote_output(q) for q in quotes.get(place, [])],
        also=also.get(place, []),
    )
