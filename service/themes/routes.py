"""Themes over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import ConfigDict
from sqlalchemy.orm import Session

from service.dependencies import Curator, Now, Reader, ReadSession, WriteSession
from service.errors import NotFound
from service.filters import FilterQuery, NoteFilterQuery, Period
from service.insights.evidence import Step
from service.insights.items import Item, measure_items, measuring_frame, silent_item
from service.insights.listing import cut, in_order, quotes_page, series
from service.insights.measures import About
from service.insights.schemas import EXAMPLE_MEASURES, Label, Measures, QuoteOutput, Series, measures
from service.jobs.queries import JobKind, request_job
from service.jobs.schemas import JobOutput, job_output
from service.paging import Cursor, Limit, Page
from service.problems import problem_responses
from service.tables import ThemeTable
from service.themes import queries
from service.themes.lifecycle import Life, Nature, ThemeMonths, life, month_number, nature
from service.themes.storage import ThemeState

router = APIRouter(prefix="/v1/themes", tags=["themes"], responses=problem_responses(503))

ThemeId = Annotated[str, Path(max_length=100, description="The theme's id.", examples=["theme-7"])]


class ThemeItem(Measures):
    """A theme, its measures, its life and its nature (`service/themes/lifecycle.py` states the rules)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **EXAMPLE_MEASURES,
                    "id": "theme-7",
                    "label": {"en": "lead times on spare parts", "fr": "délais des pièces détachées"},
                    "keywords": {"en": ["lead time", "weeks"], "fr": ["délai", "semaines"]},
                    "lifecycle": "established",
                    "nature": "structural",
                }
            ]
        }
    )

    id: str
    label: Label
    keywords: dict[str, list[str]]
    lifecycle: Life
    nature: Nature


@router.get("")
def get_themes(
    session: ReadSession, _caller: Reader, filters: FilterQuery, limit: Limit = 50, cursor: Cursor = None
) -> Page[ThemeItem]:
    """List themes, those of most accounts first."""
    frame = measuring_frame(session, filters)
    items = in_order(measure_items(session, About.THEME, filters, frame))
    page, following = cut(items, limit, cursor)
    return Page(items=_outputs(session, page, frame.period), next=following, total=len(items))


@router.post("/refit", status_code=202)
def refit_themes(session: WriteSession, now: Now, caller: Curator) -> JobOutput:
    """Have the themes fitted again; while a fit is under way, that one is returned."""
    return job_output(request_job(session, JobKind.FIT_THEMES, by=caller.name, now=now))


@router.get("/{theme_id}", responses=problem_responses(404))
def get_theme(theme_id: ThemeId, session: ReadSession, _caller: Reader, filters: FilterQuery) -> ThemeItem:
    """Read the measures of a theme."""
    theme = _found(session, theme_id)
    frame = measuring_frame(session, filters)
    items = measure_items(session, About.THEME, filters, frame, key=theme.id)
    return _outputs(session, [*items, silent_item(About.THEME, theme.id)][:1], frame.period)[0]


@router.get("/{theme_id}/evidence", responses=problem_responses(404))
def get_theme_evidence(
    theme_id: ThemeId,
    session: ReadSession,
    _caller: Reader,
    filters: NoteFilterQuery,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[QuoteOutput]:
    """List the passages of a theme, one of each account first."""
    return quotes_page(session, About.THEME, filters, _found(session, theme_id).id, limit, cursor)


@router.get("/{theme_id}/series", responses=problem_responses(404))
def get_theme_series(
    theme_id: ThemeId,
    session: ReadSession,
    _caller: Reader,
    filters: NoteFilterQuery,
    by: Annotated[Step, Query()] = Step.WEEK,
) -> Series:
    """Read how a theme went, by week or month."""
    return series(session, About.THEME, filters, _found(session, theme_id).id, theme_id, by)


def _found(session: Session, key: str) -> ThemeTable:
    theme = queries.find_theme(session, key)
    if theme is None:
        raise NotFound("There is no such theme.")
    return theme


def _outputs(session: Session, items: list[Item], period: Period) -> list[ThemeItem]:
    themes = queries.themes_by_id(session, [item.key for item in items])
    months = queries.theme_months(session, list(themes))
    all_notes = queries.note_months(session)
    last = month_number(period.end.year, period.end.month)
    return [
        _output(item, themes[item.key], months.get(item.key, ThemeMonths({}, 0, 0)), all_notes, last)
        for item in items
        if item.key in themes
    ]


def _output(item: Item, theme: ThemeTable, months: ThemeMonths, all_notes: dict[int, int], last: int) -> ThemeItem:
    return ThemeItem(
        id=theme.key,
        label=Label(en=theme.label_en, fr=theme.label_fr),
        keywords=theme.keywords,
        lifecycle=life(months, all_notes, last, retired=theme.state == ThemeState.RETIRED),
        nature=nature(months, all_notes, last),
        **measures(item),
    )
