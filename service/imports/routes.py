"""Files over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from service.database import read_session
from service.dependencies import Ingester, NoteReader, Now, Reader, ReadSession, get_engine
from service.errors import Forbidden, NotFound
from service.exports.columns import Lang
from service.imports import queries
from service.imports.delimited import SEPARATORS
from service.imports.refused import Refused, column_names, csv_lines
from service.imports.schemas import (
    MAX_SHOWN,
    ImportOutput,
    ImportPreview,
    ImportSummary,
    RefusedRow,
    import_summary,
    refused_row,
)
from service.imports.storage import import_upload, preview_file
from service.imports.uploads import FIELDS, Upload, read_options, uploaded
from service.masks.view import read_for
from service.operation.pressure import admit
from service.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from service.problems import problem_responses
from service.reasons.telling import in_french

router = APIRouter(prefix="/v1/imports", tags=["imports"])

ImportId = Annotated[int, Path(ge=1, le=2**62, description="The import's `id`.", examples=[5])]
Engine = Annotated[sa.Engine, Depends(get_engine)]

_DESCRIBED = {
    "preview": "`true`: say how the file would be read, and store nothing.",
    "name": "A label; the file's name where it is left out.",
    "source": "Source of notes that name none; `import`, or `mail` for messages.",
    "mapping": "JSON: column name to field, or to null for a column to leave out.",
    "dates": "`day_first` or `month_first`, for dates such as 03/02/2026.",
    "defaults": "JSON: fields of the note format for notes that lack them.",
}
_FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                        **{name: {"type": "string", "description": _DESCRIBED[name]} for name in FIELDS},
                    },
                },
                "examples": {
                    "csv": {
                        "value": {
                            "file": "Date;Client;Compte rendu\n03/02/2026;Harrow Foods;Trop cher.\n",
                            "mapping": '{"Compte rendu": "text"}',
                        }
                    }
                },
            },
            "application/octet-stream": {
                "schema": {"type": "string", "contentMediaType": "application/octet-stream"},
                "examples": {"text": {"value": "They like the demo, but we are 20% above the other quote."}},
            },
        },
    }
}


def _asked(name: str) -> Any:
    return Query(max_length=20_000, description=_DESCRIBED[name])


_KNOWN: dict[int | str, dict[str, Any]] = {
    200: {"model": ImportOutput | ImportPreview, "description": "A preview, or what came of the same file before."}
}


@router.post(
    "",
    status_code=202,
    openapi_extra=_FILE_BODY,
    responses=problem_responses(400, 413, 429, 503, 507) | _KNOWN,
    response_model=ImportOutput,
    dependencies=[Depends(admit)],
)
def post_import(
    _caller: Ingester,
    upload: Annotated[Upload, Depends(uploaded, scope="function")],
    engine: Engine,
    now: Now,
    request: Request,
    response: Response,
    preview: Annotated[str | None, _asked("preview")] = None,
    name: Annotated[str | None, _asked("name")] = None,
    source: Annotated[str | None, _asked("source")] = None,
    mapping: Annotated[str | None, _asked("mapping")] = None,
    dates: Annotated[str | None, _asked("dates")] = None,
    defaults: Annotated[str | None, _asked("defaults")] = None,
) -> ImportOutput | Response:
    """Take in a file: CSV, XLSX, HTML, JSON Lines, DOCX, PDF, EML, MBOX, VTT, SRT, TXT, Markdown, or a ZIP of these.

    What it is is told by its content. A small file is worked off at once, a larger one in the background: ask for the
    import by its id. The same file again is answered with what came of it before. 422 says why a file can't be read.
    """
    query = {"preview": preview, "name": name, "source": source, "mapping": mapping, "dates": dates}
    options, only_preview = read_options(upload, {**query, "defaults": defaults})
    if only_preview:
        shown = preview_file(engine, upload, options)
        return Response(shown.model_dump_json(), media_type="application/json")
    row, duplicate = import_upload(engine, upload, options, by=_caller.name, now=now)
    if duplicate:
        response.status_code = 200
    with read_session(engine) as session:
        read_for(session, request.state)
        return _output(session, row, duplicate=duplicate)


def _output(session: ReadSession, row: queries.ImportRow, *, duplicate: bool = False) -> ImportOutput:
    refusals, _ = queries.list_refusals(session, row[0].id, limit=MAX_SHOWN)
    shown = [refused_row(refusal) for refusal in refusals]
    return ImportOutput(**import_summary(row, duplicate=duplicate), refused=shown)


@router.get("", responses=problem_responses(503))
def get_imports(session: ReadSession, _caller: Reader, limit: Limit = 50, cursor: Cursor = None) -> Page[ImportSummary]:
    """List the files that were sent in, latest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    rows, total = queries.list_imports(session, limit=limit + 1, before=before)
    following = encode_cursor([rows[limit - 1][0].id]) if len(rows) > limit else None
    items = [ImportSummary(**import_summary(row)) for row in rows[:limit]]
    return Page(items=items, next=following, total=total)


@router.get("/{import_id}", responses=problem_responses(404, 503))
def get_import(import_id: ImportId, session: ReadSession, _caller: NoteReader) -> ImportOutput:
    """Read how far an import is, what came of it, and the first 100 rows that it refused."""
    return _output(session, found_import(session, import_id))


@router.get("/{import_id}/refused", responses=problem_responses(404, 503))
def get_refused_rows(
    import_id: ImportId, session: ReadSession, _caller: NoteReader, limit: Limit = 50, cursor: Cursor = None
) -> Page[RefusedRow]:
    """List the rows that an import refused, each with its reason and its original cells."""
    found_import(session, import_id)
    after = decode_cursor(cursor, int)[0] if cursor else 0
    rows, total = queries.list_refusals(session, import_id, limit=limit + 1, after=after)
    following = encode_cursor([rows[limit - 1].id]) if len(rows) > limit else None
    return Page(items=[refused_row(row) for row in rows[:limit]], next=following, total=total)


_EXAMPLE_ROW = (Refused(43, "", "occurred_at", "is not a date", {"Date": "31/02/2026", "Note": "Trop cher."}),)
_EXAMPLE_FILE = "".join(csv_lines(column_names(_EXAMPLE_ROW, {}), _EXAMPLE_ROW, {})).removeprefix("\ufeff")
_REFUSED_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}, "example": _EXAMPLE_FILE}}}
}


@router.get(
    "/{import_id}/refused.csv",
    response_class=StreamingResponse,
    responses=_REFUSED_FILE | problem_responses(404, 503),
)
def get_refused_file(
    import_id: ImportId,
    session: ReadSession,
    engine: Engine,
    caller: NoteReader,
    lang: Annotated[Lang, Query(description="Of reasons. In French, `;` parts the cells, as Excel wants.")] = Lang.EN,
) -> StreamingResponse:
    """Download the rows that an import refused as CSV, to be mended and imported again; nothing is doubled.

    Rows that were taken but for a cell are among them, with the id of their note. The rows are as they were sent: it
    takes the scope `personal` too. Cells are parted as in the file that was sent, if that was by `;`.
    """
    if not caller.sees_personal:
        raise Forbidden("This key lacks the scope personal.")
    row = found_import(session, import_id)[0]
    mapping = row.options["mapping"]
    names = column_names(_refused(engine, import_id), mapping)
    separator = ";" if lang is Lang.FR or row.found.get("separator") == SEPARATORS[";"] else ","
    headers = {"Content-Disposition": f'attachment; filename="import-{import_id}-refused.csv"'}
    lines = csv_lines(names, _refused(engine, import_id, lang), mapping, separator)
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


def _refused(engine: sa.Engine, import_id: int, lang: Lang = Lang.EN) -> Iterator[Refused]:
    with read_session(engine) as session:
        for row in queries.each_refusal(session, import_id):
            taken_as = (row.external_id or "") if row.taken else ""
            reason = (in_french(row.message) if lang is Lang.FR else None) or row.message
            yield Refused(row.number, row.member, row.field, reason, row.cells, taken_as)


def found_import(session: ReadSession, import_id: int) -> queries.ImportRow:
    """Return an import with its job.

    Raises:
        NotFound: If there is none of this id.
    """
    row = queries.get_import(session, import_id)
    if row is None:
        raise NotFound(f"There is no import {import_id}.")
    return row
