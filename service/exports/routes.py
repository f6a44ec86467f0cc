"""Exports over HTTP: each list, whole, with its filters and in its order."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from models.types import ObjectionType
from service.dependencies import Admin, NoteReader, Reader, ReadSession
from service.errors import InvalidInput
from service.exports import columns, rows, writing
from service.exports.answers import WITHHELD_HEADER, file_answer
from service.exports.columns import Lang
from service.exports.writing import Format, Row
from service.filter_queries import FilterQuery, SingleFilterQuery
from service.imports.routes import found_import
from service.insights.evidence import Step
from service.insights.measures import About
from service.problems import problem_responses
from service.search.routes import Meaning, QueryText

_HEADERS = {
    WITHHELD_HEADER: {
        "description": "How many items are left out because too few accounts or authors said them.",
        "schema": {"type": "integer"},
    }
}
router = APIRouter(
    prefix="/v1/exports",
    tags=["exports"],
    responses=problem_responses(503),
    default_response_class=StreamingResponse,
)


def _answer(names: tuple[str, ...]) -> dict[int | str, dict[str, Any]]:
    """Describe the file for the OpenAPI document, with an example of each form that is text."""
    row = {name: columns.EXAMPLE[name] for name in names}
    file = io.BytesIO()
    writing.write_csv(file, columns.headings(names, Lang.EN), iter([row]))
    content = {
        Format.CSV: {"schema": {"type": "string"}, "example": file.getvalue().decode("utf-8-sig")},
        Format.XLSX: {"schema": {"type": "string", "format": "binary"}},
        Format.JSON: {"schema": {"type": "array", "items": {"type": "object"}}, "example": [row]},
    }
    described = {writing.MEDIA_TYPES[form]: media for form, media in content.items()}
    return {200: {"description": "The file.", "headers": _HEADERS, "content": described}}


Form = Annotated[Format, Query(alias="format", description="How the file is written.")]
Language = Annotated[
    Lang, Query(description="Language of headings and names. A French CSV has `;` and decimal commas, as Excel wants.")
]


@router.get("/insights", responses=_answer(columns.INSIGHT_COLUMNS))
def export_insights(
    session: ReadSession,
    caller: Reader,
    filters: FilterQuery,
    about: Annotated[list[About] | None, Query(description="Only these kinds of insight.")] = None,
    form: Form = Format.CSV,
    lang: Language = Lang.EN,
) -> StreamingResponse:
    """Export the ranking."""
    table, withheld = rows.insight_rows(session, caller, filters, about, lang)
    return _file("insights", columns.INSIGHT_COLUMNS, table, form, lang, withheld)


@router.get("/objections", responses=_answer(columns.ITEM_COLUMNS))
def export_objections(
    session: ReadSession, caller: Reader, filters: FilterQuery, form: Form = Format.CSV, lang: Language = Lang.EN
) -> StreamingResponse:
    """Export the types of objections."""
    table, withheld = rows.objection_rows(session, caller, filters, lang)
    return _file("objections", columns.ITEM_COLUMNS, table, form, lang, withheld)


@router.get("/competitors", responses=_answer(columns.COMPETITOR_COLUMNS))
def export_competitors(
    session: ReadSession,
    caller: Reader,
    filters: FilterQuery,
    known: Annotated[bool | None, Query(description="Only those in the catalogue, or only the others.")] = None,
    form: Form = Format.CSV,
    lang: Language = Lang.EN,
) -> StreamingResponse:
    """Export the competitors, with how many accounts each is in place at, evaluated at, and so on."""
    table, withheld = rows.competitor_rows(session, caller, filters, known)
    return _file("competitors", columns.COMPETITOR_COLUMNS, table, form, lang, withheld)


@router.get("/themes", responses=_answer(columns.ITEM_COLUMNS))
def export_themes(
    session: ReadSession, caller: Reader, filters: FilterQuery, form: Form = Format.CSV, lang: Language = Lang.EN
) -> StreamingResponse:
    """Export the themes."""
    table, withheld = rows.theme_rows(session, caller, filters, lang)
    return _file("themes", columns.ITEM_COLUMNS, table, form, lang, withheld)


@router.get("/tree", responses=_answer(columns.TREE_COLUMNS))
def export_tree(
    session: ReadSession, caller: Reader, form: Form = Format.CSV, lang: Language = Lang.EN
) -> StreamingResponse:
    """Export the themes by area, over all time."""
    table, withheld = rows.tree_rows(session, caller, lang)
    return _file("tree", columns.TREE_COLUMNS, table, form, lang, withheld)


@router.get("/evidence", responses=problem_responses(404) | _answer(columns.EVIDENCE_COLUMNS))
def export_evidence(
    session: ReadSession,
    caller: Reader,
    filters: FilterQuery,
    about: Annotated[About, Query(description="What kind the item is of.")],
    id_: Annotated[str, Query(alias="id", max_length=500, description="The item's `id`.", examples=["price"])],
    form: Form = Format.CSV,
    lang: Language = Lang.EN,
) -> StreamingResponse:
    """Export the quotes of an objection, a competitor or a theme."""
    if about is About.OBJECTION:
        _check_type(id_)
    table = rows.evidence_rows(session, caller, filters, about, id_)
    return _file("evidence", columns.EVIDENCE_COLUMNS, table, form, lang)


def _check_type(id_: str) -> None:
    if id_ not in set(ObjectionType):
        raise InvalidInput(
            f"id: {id_!r} is no type of objection.",
            errors=[{"field": "id", "code": "unknown", "message": "not a type of objection"}],
        )


@router.get("/series", responses=problem_responses(404) | _answer(columns.SERIES_COLUMNS))
def export_series(
    session: ReadSession,
    caller: Reader,
    filters: FilterQuery,
    about: Annotated[About, Query(description="What kind the item is of.")],
    id_: Annotated[str, Query(alias="id", max_length=500, description="The item's `id`.", examples=["price"])],
    by: Annotated[Step, Query()] = Step.WEEK,
    form: Form = Format.CSV,
    lang: Language = Lang.EN,
) -> StreamingResponse:
    """Export how an objection, a competitor or a theme went, by week or month."""
    if about is About.OBJECTION:
        _check_type(id_)
    table, withheld = rows.series_rows(session, caller, filters, about, id_, by)
    return _file("series", columns.SERIES_COLUMNS, table, form, lang, withheld)


@router.get("/history", responses=problem_responses(404) | _answer(columns.HISTORY_COLUMNS))
def export_history(
    session: ReadSession,
    caller: Reader,
    id_: Annotated[str, Query(alias="id", max_length=100, description="The theme's `id`.", examples=["theme-7"])],
    form: Form = Format.CSV,
    lang: Language = Lang.EN,
) -> StreamingResponse:
    """Export what happened to a theme: which fit or change, and who made it."""
    return _file("history", columns.HISTORY_COLUMNS, rows.history_rows(session, caller, id_), form, lang)


@router.get("/points", responses=problem_responses(404) | _answer(columns.POINT_COLUMNS))
def export_points(
    session: ReadSession,
    caller: Reader,
    filters: FilterQuery,
    id_: Annotated[str, Query(alias="id", max_length=500, description="The competitor's `id`.", examples=["zendesk"])],
    form: Form = Format.CSV,
    lang: Language = Lang.EN,
) -> StreamingResponse:
    """Export the points on which a competitor is ahead or behind, in notes."""
    table, withheld = rows.point_rows(session, caller, filters, id_, lang)
    return _file("points", columns.POINT_COLUMNS, table, form, lang, withheld)


@router.get("/parts", responses=problem_responses(404) | _answer(columns.PART_COLUMNS))
def export_parts(
    session: ReadSession,
    caller: Reader,
    filters: FilterQuery,
    about: Annotated[Literal[About.COMPETITOR, About.OBJECTION], Query(description="What kind the item is of.")],
    id_: Annotated[str, Query(alias="id", max_length=500, description="The item's `id`.", examples=["price"])],
    form: Form = Format.CSV,
    lang: Language = Lang.EN,
) -> StreamingResponse:
    """Export where a competitor or an objection is heard: by segment, team and stage."""
    if about is About.OBJECTION:
        _check_type(id_)
    table, withheld = rows.part_rows(session, caller, filters, about, id_)
    return _file("parts", columns.PART_COLUMNS, table, form, lang, withheld)


@router.get("/notes", responses=_answer(columns.NOTE_COLUMNS))
def export_notes(
    session: ReadSession,
    _caller: NoteReader,
    filters: SingleFilterQuery,
    form: Form = Format.CSV,
    lang: Language = Lang.EN,
) -> StreamingResponse:
    """Export the notes with their texts."""
    return _file("notes", columns.NOTE_COLUMNS, rows.note_rows(session, filters), form, lang)


@router.get("/search", responses=_answer(columns.SEARCH_COLUMNS))
def export_search(
    q: QueryText,
    session: ReadSession,
    index: Meaning,
    _caller: NoteReader,
    filters: SingleFilterQuery,
    form: Form = Format.CSV,
    lang: Language = Lang.EN,
) -> StreamingResponse:
    """Export what a search finds."""
    return _file("search", columns.SEARCH_COLUMNS, rows.search_rows(session, index, q, filters), form, lang)


@router.get("/refused", responses=problem_responses(404) | _answer(columns.REFUSED_COLUMNS))
def export_refused(
    id_: Annotated[int, Query(alias="id", ge=1, le=2**62, description="The import's `id`.", examples=[5])],
    session: ReadSession,
    _caller: NoteReader,
    form: Form = Format.CSV,
    lang: Language = Lang.EN,
) -> StreamingResponse:
    """Export the rows that an import refused, each with its reason.

    To mend them and send them in again, take `/v1/imports/{id}/refused.csv`, which has a column for each of theirs.
    """
    found_import(session, id_)
    return _file("refused", columns.REFUSED_COLUMNS, rows.refused_rows(session, id_, lang), form, lang)


@router.get("/deliveries", responses=_answer(columns.DELIVERY_COLUMNS))
def export_deliveries(
    session: ReadSession, _caller: Admin, form: Form = Format.CSV, lang: Language = Lang.EN
) -> StreamingResponse:
    """Export what was sent to endpoints and subscriptions, or waits."""
    return _file("deliveries", columns.DELIVERY_COLUMNS, rows.delivery_rows(session), form, lang)


def _file(
    name: str, names: tuple[str, ...], table: Iterable[Row], form: Format, lang: Lang, withheld: int = 0
) -> StreamingResponse:
    """Answer a table, with a header that tells how many items are withheld, if any.

    A row of its own would be taken for one of the others.
    """
    told = {WITHHELD_HEADER: str(withheld)} if withheld else {}
    return file_answer(name, form, columns.headings(names, lang), table, french=lang is Lang.FR, told=told)
