"""Objections over HTTP: one item a type."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from models.types import ObjectionType
from service.dependencies import Reader, ReadSession
from service.filter_queries import FilterQuery
from service.insights.evidence import Step
from service.insights.items import measure_items, measuring_frame
from service.insights.listing import in_order, quotes_page, series
from service.insights.measures import About
from service.insights.schemas import ItemPage, QuoteOutput, Series
from service.objections.schemas import ObjectionItem, ObjectionView
from service.objections.view import objection_item, objection_view
from service.paging import Cursor, Limit, Page, cut
from service.problems import problem_responses

router = APIRouter(prefix="/v1/objections", tags=["objections"], responses=problem_responses(503))

TypeId = Annotated[ObjectionType, Path(description="The type of objection.")]


@router.get("")
def get_objections(
    session: ReadSession, _caller: Reader, filters: FilterQuery, limit: Limit = 50, cursor: Cursor = None
) -> ItemPage[ObjectionItem]:
    """List types of objections, those of most accounts first."""
    measured = measure_items(session, About.OBJECTION, filters, measuring_frame(session, filters))
    items = in_order(measured.items)
    page, following = cut(items, limit, cursor)
    return ItemPage(
        items=[objection_item(item) for item in page],
        next=following,
        total=len(items),
        withheld=len(measured.withheld),
    )


@router.get("/{type_id}", responses=problem_responses(404))
def get_objection(type_id: TypeId, session: ReadSession, _caller: Reader, filters: FilterQuery) -> ObjectionView:
    """Read a type of objection: its measures, what resolved it, and where it is heard."""
    return objection_view(session, filters, type_id)


@router.get("/{type_id}/evidence", responses=problem_responses(404))
def get_objection_evidence(
    type_id: TypeId,
    session: ReadSession,
    _caller: Reader,
    filters: FilterQuery,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[QuoteOutput]:
    """List the quotes of a type of objection, one of each account first."""
    return quotes_page(session, About.OBJECTION, filters, type_id, limit, cursor)


@router.get("/{type_id}/series", responses=problem_responses(404))
def get_objection_series(
    type_id: TypeId,
    session: ReadSession,
    _caller: Reader,
    filters: FilterQuery,
    by: Annotated[Step, Query()] = Step.WEEK,
) -> Series:
    """Read how a type of objection went, by week or month."""
    return series(session, About.OBJECTION, filters, type_id, type_id, by)
