"""Competitors over HTTP; an id is the name without case and spaces.

A name may hold a slash, so what stands under an item is looked for before the item itself.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session
from starlette.routing import Match
from starlette.types import Scope

from service.competitors.schemas import CompetitorItem, CompetitorView
from service.competitors.view import competitor_item, competitor_view
from service.dependencies import Reader, ReadSession
from service.errors import NotFound
from service.filter_queries import FilterQuery
from service.filters import competitor_key, is_listed
from service.insights.evidence import Step
from service.insights.items import measure_items, measuring_frame
from service.insights.listing import in_order, quotes_page, series
from service.insights.measures import About
from service.insights.queries import is_known, titles
from service.insights.schemas import ItemPage, QuoteOutput, Series
from service.paging import Cursor, Limit, Page, cut
from service.problems import problem_responses


class _Named(APIRoute):
    """A route with a name in its address: one that ends in `/evidence` itself has its slash as %2F there."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match where what follows the name stands in the address as it was sent."""
        name, _, rest = self.path.rpartition("}")
        sent = scope.get("raw_path") or scope["path"].encode()
        if name and not sent.partition(b"?")[0].endswith(rest.encode()):
            return Match.NONE, {}
        return super().matches(scope)


router = APIRouter(prefix="/v1/competitors", tags=["competitors"], responses=problem_responses(503), route_class=_Named)

NameId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=500,
        description="The competitor's id, or any of its names in the catalogue; a slash is written %2F.",
        examples=["zendesk"],
    ),
]


@router.get("")
def get_competitors(
    session: ReadSession,
    _caller: Reader,
    filters: FilterQuery,
    known: Annotated[bool | None, Query(description="Only those in the catalogue, or only the others.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ItemPage[CompetitorItem]:
    """List competitors, those of most accounts first."""
    measured = measure_items(session, About.COMPETITOR, filters, measuring_frame(session, filters))
    items, withheld = (
        [item for item in of if known is None or is_known(item) is known]
        for of in (in_order(measured.items), measured.withheld)
    )
    page, following = cut(items, limit, cursor)
    names = titles(session, About.COMPETITOR, [item.key for item in page])
    return ItemPage(
        items=[competitor_item(i, names[i.key].en) for i in page if i.key in names],
        next=following,
        total=len(items),
        withheld=len(withheld),
    )


@router.get("/{name:path}/evidence", responses=problem_responses(404))
def get_competitor_evidence(
    name: NameId,
    session: ReadSession,
    _caller: Reader,
    filters: FilterQuery,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[QuoteOutput]:
    """List what was said where a competitor is named, one of each account first."""
    key = competitor_key(session, name)
    page = quotes_page(session, About.COMPETITOR, filters, key, limit, cursor)
    _check_known(session, key)
    return page


@router.get("/{name:path}/series", responses=problem_responses(404))
def get_competitor_series(
    name: NameId,
    session: ReadSession,
    _caller: Reader,
    filters: FilterQuery,
    by: Annotated[Step, Query()] = Step.WEEK,
) -> Series:
    """Read how often a competitor was named, by week or month."""
    key = competitor_key(session, name)
    counts = series(session, About.COMPETITOR, filters, key, key, by)
    _check_known(session, key)
    return counts


@router.get("/{name:path}", responses=problem_responses(404))
def get_competitor(name: NameId, session: ReadSession, _caller: Reader, filters: FilterQuery) -> CompetitorView:
    """Read a competitor: its measures, where it stands, and the points on which it is ahead or behind, with quotes."""
    view = competitor_view(session, filters, competitor_key(session, name))
    if view is None:
        raise NotFound("No note of these periods and filters names this competitor.")
    return view


def _check_known(session: Session, key: str) -> None:
    """Check that a competitor is in the catalogue or that a note names it.

    Asked after all else: what is withheld and what is nowhere must be answered alike.

    Raises:
        NotFound: If it is neither.
    """
    if not is_listed(session, key) and key not in titles(session, About.COMPETITOR, [key]):
        raise NotFound("No note names this competitor, and the catalogue lacks it.")
