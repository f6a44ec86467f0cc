"""Competitors over HTTP; an id is the name without case and spaces."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import ConfigDict

from models.types import Relation, Standing
from service.dependencies import Reader, ReadSession
from service.errors import NotFound
from service.filters import FilterQuery, NoteFilterQuery, name_key
from service.insights.evidence import Step
from service.insights.items import Item, measure_items, measuring_frame
from service.insights.listing import cut, in_order, quotes_page, series
from service.insights.measures import About
from service.insights.queries import is_known, titles
from service.insights.schemas import EXAMPLE_MEASURES, Measures, QuoteOutput, Series, measures
from service.paging import Cursor, Limit, Page
from service.problems import problem_responses

router = APIRouter(prefix="/v1/competitors", tags=["competitors"], responses=problem_responses(503))

NameId = Annotated[str, Path(max_length=500, description="The competitor's name or id.", examples=["zendesk"])]


class CompetitorItem(Measures):
    """A competitor, its measures, where it stands and how it does on the points made about it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **EXAMPLE_MEASURES,
                    "id": "zendesk",
                    "name": "Zendesk",
                    "known": True,
                    "relations": {"incumbent": 12, "evaluating": 14, "lost_to": 5, "won_against": 1, "mentioned": 2},
                    "standings": {"ahead": 15, "behind": 8, "neutral": 11},
                }
            ]
        }
    )

    id: str
    name: str
    known: bool
    relations: dict[Relation, int]
    standings: dict[Standing, int]


@router.get("")
def get_competitors(
    session: ReadSession,
    _caller: Reader,
    filters: FilterQuery,
    known: Annotated[bool | None, Query(description="Only those in the catalogue, or only the others.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[CompetitorItem]:
    """List competitors, those of most accounts first."""
    items = in_order(measure_items(session, About.COMPETITOR, filters, measuring_frame(session, filters)))
    if known is not None:
        items = [item for item in items if is_known(item) is known]
    page, following = cut(items, limit, cursor)
    names = titles(session, About.COMPETITOR, [item.key for item in page])
    return Page(items=[_output(i, names[i.key].en) for i in page if i.key in names], next=following, total=len(items))


@router.get("/{name}", responses=problem_responses(404))
def get_competitor(name: NameId, session: ReadSession, _caller: Reader, filters: FilterQuery) -> CompetitorItem:
    """Read the measures of a competitor."""
    key = name_key(name)
    items = measure_items(session, About.COMPETITOR, filters, measuring_frame(session, filters), key=key)
    names = titles(session, About.COMPETITOR, [key])
    if not items or key not in names:
        raise NotFound("No note of these periods and filters names this competitor.")
    return _output(items[0], names[key].en)


@router.get("/{name}/evidence")
def get_competitor_evidence(
    name: NameId,
    session: ReadSession,
    _caller: Reader,
    filters: NoteFilterQuery,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[QuoteOutput]:
    """List what was said where a competitor is named, one of each account first."""
    return quotes_page(session, About.COMPETITOR, filters, name_key(name), limit, cursor)


@router.get("/{name}/series")
def get_competitor_series(
    name: NameId,
    session: ReadSession,
    _caller: Reader,
    filters: NoteFilterQuery,
    by: Annotated[Step, Query()] = Step.WEEK,
) -> Series:
    """Read how often a competitor was named, by week or month."""
    return series(session, About.COMPETITOR, filters, name_key(name), name_key(name), by)


def _output(item: Item, name: str) -> CompetitorItem:
    relations, standings = (item.counts.details.get(detail, {}) for detail in ("relations", "standings"))
    return CompetitorItem(
        id=item.key,
        name=name,
        known=is_known(item),
        relations={relation: relations.get(relation, 0) for relation in Relation},
        standings={standing: standings.get(standing, 0) for standing in Standing},
        **measures(item),
    )
