"""Exports over HTTP: each list, whole, with its filters and in its order."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse

from models.types import ObjectionType
from service.dependencies import NoteReader, Reader, ReadSession
from service.errors import InvalidInput
from service.exports import rows, writing
from service.exports.rows import Lang
from service.exports.writing import Format
from service.filter_queries import FilterQuery, SingleFilterQuery
from service.insights.measures import About
from service.problems import problem_responses
from service.search.routes import Meaning, QueryText

_CHUNK = 65_536
WITHHELD_HEADER = "X-Withheld"
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


def _answer(columns: tuple[str, ...]) -> dict[int | str, dict[str, Any]]:
    """Describe the file for the OpenAPI document, with an example of each form that is text."""
    row = {name: rows.EXAMPLE[name] for name in columns}
    file = io.BytesIO()
    writing.write_csv(file, rows.headings(columns, Lang.EN), iter([row]))
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


@router.get("/insights", responses=_answer(rows.INSIGHT_COLUMNS))
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
    return _file("insights", rows.INSIGHT_COLUMNS, table, form, lang, withheld)


@router.get("/objections", responses=_answer(rows.ITEM_COLUMNS))
def export_objections(
    session: ReadSession, caller: Reader, filters: FilterQuery, form: Form = Format.CSV, lang: Language = Lang.EN
) -> StreamingResponse:
    """Export the types of objections."""
    table, withheld = rows.objection_rows(session, caller, filters, lang)
    return _file("objections", rows.ITEM_COLUMNS, table, form, lang, withheld)


@router.get("/competitors", responses=_answer(rows.ITEM_COLUMNS))
def export_competitors(
    session: ReadSession, caller: Reader, filters: FilterQuery, form: Form = Format.CSV, lang: Language = Lang.EN
) -> StreamingResponse:
    """Export the competitors."""
    table, withheld = rows.competitor_rows(session, caller, filters, lang)
    return _file("competitors", rows.ITEM_COLUMNS, table, form, lang, withheld)


@router.get("/themes", responses=_answer(rows.ITEM_COLUMNS))
def export_themes(
    session: ReadSession, caller: Reader, filters: FilterQuery, form: Form = Format.CSV, lang: Language = Lang.EN
) -> StreamingResponse:
    """Export the themes."""
    table, withheld = rows.theme_rows(session, caller, filters, lang)
    return _file("themes", rows.ITEM_COLUMNS, table, form, lang, withheld)


@router.get("/evidence", responses=problem_responses(404) | _answer(rows.EVIDENCE_COLUMNS))
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
    return _file("evidence", rows.EVIDENCE_COLUMNS, table, form, lang)


def _check_type(id_: str) -> None:
    if id_ not in set(ObjectionType):
        raise InvalidInput(
            f"id: {id_!r} is no type of objection.",
            errors=[{"field": "id", "code": "unknown", "message": "not a type of objection"}],
        )


@router.get("/points", responses=problem_responses(404) | _answer(rows.POINT_COLUMNS))
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
    return _file("points", rows.POINT_COLUMNS, table, form, lang, withheld)


@router.get("/parts", responses=problem_responses(404) | _answer(rows.PART_COLUMNS))
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
    return _file("parts", rows.PART_COLUMNS, table, form, lang, withheld)


@router.get("/notes", responses=_answer(rows.NOTE_COLUMNS))
def export_notes(
    session: ReadSession,
    _caller: NoteReader,
    filters: SingleFilterQuery,
    form: Form = Format.CSV,
    lang: Language = Lang.EN,
) -> StreamingResponse:
    """Export the notes with their texts."""
    return _file("notes", rows.NOTE_COLUMNS, rows.note_rows(session, filters), form, lang)


@router.get("/search", responses=_answer(rows.SEARCH_COLUMNS))
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
    return _file("search", rows.SEARCH_COLUMNS, rows.search_rows(session, index, q, filters), form, lang)


def _file(
    name: str, columns: tuple[str, ...], table: Iterable[rows.Row], form: Format, lang: Lang, withheld: int = 0
) -> StreamingResponse:
    """Write a file that has no name on the disk, then send it: an error on the way is answered as one.

    A header tells how many items are withheld, if any: a row of its own would be taken for one of the others.
    """
    told = {WITHHELD_HEADER: str(withheld)} if withheld else {}
    file = tempfile.TemporaryFile()  # noqa: SIM115  # closed once it is sent
    headings = rows.headings(columns, lang)
    try:
        if form is Format.CSV:
            writing.write_csv(file, headings, iter(table), french=lang is Lang.FR)
        elif form is Format.XLSX:
            writing.write_xlsx(file, name, headings, iter(table))
        else:
            writing.write_json(file, columns, iter(table))
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return StreamingResponse(
        iter(lambda: file.read(_CHUNK), b""),
        media_type=writing.MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="binome-{name}.{form}"', "Cache-Control": "no-store"}
        | told,
        background=BackgroundTask(file.close),
    )
