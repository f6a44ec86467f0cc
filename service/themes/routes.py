"""Themes over HTTP: what they are, how they went, and the fits that found them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy.orm import Session

from service.dependencies import Curator, Now, Reader, ReadSession, WriteSession
from service.errors import NotFound
from service.filter_queries import FilterQuery
from service.filters import NoteFilters, resolve_period
from service.insights.evidence import Step, read_quotes, read_series
from service.insights.items import measure_items, measure_one, measuring_frame, silent_item
from service.insights.listing import in_order, quotes_page, series
from service.insights.measures import About
from service.insights.schemas import QuoteOutput, quote_output, series_output
from service.insights.withholding import refuse_too_few
from service.jobs.queries import JobKind, request_job
from service.jobs.schemas import JobOutput, job_output
from service.paging import Cursor, Limit, Page, cut, decode_cursor, encode_cursor
from service.problems import problem_responses
from service.tables import ThemeTable
from service.themes import outputs, queries
from service.themes.schemas import (
    EventOutput,
    FitOutput,
    SeriesPart,
    ThemeDetail,
    ThemeMap,
    ThemePage,
    ThemeSeries,
    Tree,
)
from service.thresholds import too_few

router = APIRouter(prefix="/v1/themes", tags=["themes"], responses=problem_responses(503))

ThemeId = Annotated[str, Path(max_length=100, description="The theme's id.", examples=["theme-7"])]
MAX_PARTS = 20


class Dimension(StrEnum):
    """What a series can be split by."""

    TEAM = "team"
    SEGMENT = "segment"


@router.get("")
def get_themes(
    session: ReadSession, _caller: Reader, filters: FilterQuery, limit: Limit = 50, cursor: Cursor = None
) -> ThemePage:
    """List themes, those of most accounts first; `unassigned` counts the period's passages without a theme."""
    frame = measuring_frame(session, filters)
    measured = measure_items(session, About.THEME, filters, frame)
    items = in_order(measured.items)
    page, following = cut(items, limit, cursor)
    unassigned, passages = queries.count_passages_in(session, filters, frame.period)
    return ThemePage(
        items=outputs.theme_items(session, page, frame.period),
        next=following,
        total=len(items),
        withheld=len(measured.withheld),
        unassigned=None if frame.withheld else unassigned,
        passages=None if frame.withheld else passages,
    )


@router.post("/refit", status_code=202)
def refit_themes(session: WriteSession, now: Now, caller: Curator) -> JobOutput:
    """Have the themes fitted again; while a fit is under way, that one is returned."""
    return job_output(request_job(session, JobKind.FIT_THEMES, by=caller.name, now=now))


@router.get("/fits")
def get_theme_fits(session: ReadSession, _caller: Reader, limit: Limit = 50, cursor: Cursor = None) -> Page[FitOutput]:
    """List fits, latest first: why each ran, what it found, what it left without a theme."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    rows, total = queries.list_fits(session, limit=limit + 1, before=before)
    following = encode_cursor([rows[limit - 1].id]) if len(rows) > limit else None
    return Page(items=[outputs.fit_output(row) for row in rows[:limit]], next=following, total=total)


@router.get("/unassigned", responses=problem_responses(404))
def get_unassigned(
    session: ReadSession, _caller: Reader, filters: FilterQuery, limit: Limit = 50, cursor: Cursor = None
) -> Page[QuoteOutput]:
    """List the passages that have no theme, latest first; the next fit looks at them again."""
    start = min(max(0, decode_cursor(cursor, int)[0]), 2**31) if cursor else 0
    period = resolve_period(session, filters)
    refuse_too_few(session, About.THEME, queries.unassigned_conditions(filters, period))
    ids, total = queries.unassigned_passages(session, filters, period, limit=limit, after=start)
    quotes = [quote_output(q) for q in read_quotes(session, About.THEME, ids)]
    return Page(items=quotes, next=encode_cursor([start + limit]) if start + limit < total else None, total=total)


@router.get("/tree")
def get_theme_tree(session: ReadSession, _caller: Reader) -> Tree:
    """Read the two levels, areas and themes, over all time; neither moves by itself."""
    unassigned, _ = queries.count_all_passages(session)
    return outputs.tree_output(session, unassigned)


@router.get("/map")
def get_theme_map(session: ReadSession, _caller: Reader) -> ThemeMap:
    """Read the themes' places on a plane, near ones alike in meaning; a theme stays where it is."""
    return outputs.map_output(session)


@router.get("/{theme_id}", responses=problem_responses(404))
def get_theme(theme_id: ThemeId, session: ReadSession, _caller: Reader, filters: FilterQuery) -> ThemeDetail:
    """Read the measures of a theme, with the evidence of its life and nature.

    A merged theme answers too: `merged_into` says where its passages are.
    """
    theme = found_theme(session, theme_id)
    frame = measuring_frame(session, filters)
    item = measure_one(session, About.THEME, filters, frame, theme.id) or silent_item(About.THEME, theme.id)
    return outputs.theme_detail(session, item, frame.period)


@router.get("/{theme_id}/history", responses=problem_responses(404))
def get_theme_history(
    theme_id: ThemeId, session: ReadSession, _caller: Reader, limit: Limit = 50, cursor: Cursor = None
) -> Page[EventOutput]:
    """List what happened to a theme, latest first: which fit or change, why, who."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    theme = found_theme(session, theme_id)
    if theme.id in queries.withheld_themes(session):
        raise too_few()
    rows, total = queries.list_events(session, theme.id, limit=limit + 1, before=before)
    following = encode_cursor([rows[limit - 1].id]) if len(rows) > limit else None
    return Page(items=outputs.event_outputs(session, rows[:limit]), next=following, total=total)


@router.get("/{theme_id}/evidence", responses=problem_responses(404))
def get_theme_evidence(
    theme_id: ThemeId,
    session: ReadSession,
    _caller: Reader,
    filters: FilterQuery,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[QuoteOutput]:
    """List the passages of a theme, one of each account first."""
    return quotes_page(session, About.THEME, filters, found_theme(session, theme_id).id, limit, cursor)


@router.get("/{theme_id}/series", responses=problem_responses(404))
def get_theme_series(
    theme_id: ThemeId,
    session: ReadSession,
    _caller: Reader,
    filters: FilterQuery,
    by: Annotated[Step, Query()] = Step.WEEK,
    split: Annotated[Dimension | None, Query(description="Add the course of each team or segment, 20 at most.")] = None,
) -> ThemeSeries:
    """Read how a theme went, by week or month, and by team or segment."""
    theme = found_theme(session, theme_id)
    whole = series(session, About.THEME, filters, theme.id, theme_id, by)
    parts = _parts(session, theme, filters, by, split) if split else []
    return ThemeSeries(**whole.model_dump(), parts=parts)


def _parts(session: Session, theme: ThemeTable, filters: NoteFilters, by: Step, split: Dimension) -> list[SeriesPart]:
    period = resolve_period(session, filters)
    asked = getattr(filters, split)
    values = [asked] if asked else queries.dimension_values(session, theme.id, split, period, MAX_PARTS)
    parts = []
    for value in values:
        narrowed = filters.model_copy(update={str(split): value})
        points = read_series(session, About.THEME, narrowed, period, items=[theme.id], step=by)[theme.id]
        parts.append(SeriesPart(value=value, points=series_output(theme.key, period, points).points))
    return parts


def found_theme(session: Session, key: str, *, lock: bool = False) -> ThemeTable:
    """Return a theme.

    Raises:
        NotFound: If there is none of this id.
    """
    theme = queries.find_theme(session, key.replace("\0", ""), lock=lock)
    if theme is None:
        raise NotFound("There is no such theme.")
    return theme
