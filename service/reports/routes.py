"""Reports over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from service.database import write_session
from service.dependencies import Curator, Now, Reader, ReadSession, get_engine
from service.errors import InvalidInput, NotFound
from service.field_words import MONTH
from service.jobs.schemas import JobOutput, job_output
from service.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from service.problems import problem_responses
from service.reports import queries
from service.reports.building import request_report
from service.reports.content import month_period
from service.reports.editions import edition_output, read_content, read_file
from service.reports.examples import EXAMPLE_PAGE
from service.reports.rendering import MEDIA_TYPES
from service.reports.schemas import Edition, Format, NewReport, Report, ShapeQuery
from service.reports.tables import ReportTable
from service.reports.withdrawing import read_edition

router = APIRouter(prefix="/v1/reports", tags=["reports"], responses=problem_responses(503))

Month = Annotated[str, Path(pattern=MONTH, description="Such as 2026-09.", examples=["2026-09"])]
Engine = Annotated[sa.Engine, Depends(get_engine)]
_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file, the same bytes each time.",
        "content": {
            media.partition(";")[0]: {"schema": {"type": "string"}, "example": EXAMPLE_PAGE}
            if form is Format.HTML
            else {"schema": {"type": "string", "format": "binary"}}
            for form, media in MEDIA_TYPES.items()
        },
    }
}


@router.get("")
def get_reports(session: ReadSession, _caller: Reader, limit: Limit = 50, cursor: Cursor = None) -> Page[Edition]:
    """List the editions of all months, the latest month first."""
    start = min(max(0, decode_cursor(cursor, int)[0]), 2**31) if cursor else 0
    rows, total = queries.list_reports(session, limit=limit, after=start)
    following = encode_cursor([start + limit]) if start + limit < total else None
    return Page(items=[edition_output(row) for row in rows], next=following, total=total)


@router.post("", status_code=202)
def post_report(body: NewReport, caller: Curator, engine: Engine, now: Now) -> JobOutput:
    """Have a month's report built, in the background.

    A month that has a report gets a new edition where anything differs; its differences are listed. 422 where the month
    has not ended yet.
    """
    if month_period(body.month).end >= now.date():
        raise InvalidInput(
            f"{body.month} has not ended yet: a report is frozen once its month is over.",
            errors=[{"field": "month", "code": "not_over", "message": "the month has not ended yet"}],
        )
    with write_session(engine) as session:
        return job_output(request_report(session, body.month, by=caller.name, reason=body.reason, now=now))


@router.get("/{month}.json", responses=problem_responses(404))
def get_report_json(month: Month, shape: ShapeQuery, engine: Engine, _caller: Reader) -> Report:
    """Read a month's report as JSON: all that its files show, in both languages."""
    return _report(engine, month, shape)


@router.get("/{month}.{file_format}", response_class=Response, responses={**_FILES, **problem_responses(404, 410)})
def get_report_file(month: Month, file_format: Format, shape: ShapeQuery, engine: Engine, _caller: Reader) -> Response:
    """Read a month's report as HTML, PDF, slides or spreadsheet, as it was frozen.

    410 where the edition is withdrawn because words in it were erased: another one replaces it.
    """
    row = found_edition(engine, month, shape.edition)
    file = read_file(engine, row, file_format, shape.language, shape.accounts)
    place = "inline" if file_format in {Format.HTML, Format.PDF} else "attachment"
    name = f"binome-{month}-{row.edition}-{shape.language}.{file_format}"
    headers = {
        "Content-Disposition": f'{place}; filename="{name}"',
        "ETag": f'"{file.sha256}"',
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    }
    return Response(file.content, media_type=MEDIA_TYPES[file_format], headers=headers)


@router.get("/{month}", responses=problem_responses(404))
def get_report(month: Month, shape: ShapeQuery, engine: Engine, _caller: Reader) -> Report:
    """Read a month's report: its edition and its content."""
    return _report(engine, month, shape)


def _report(engine: sa.Engine, month: str, shape: ShapeQuery) -> Report:
    row = found_edition(engine, month, shape.edition)
    return Report(edition=edition_output(row), content=read_content(row, shape.accounts))


def found_edition(engine: sa.Engine, month: str, edition: int | None) -> ReportTable:
    """Return an edition.

    Raises:
        NotFound: If there is none.
    """
    row = read_edition(engine, month, edition)
    if row is None:
        which = f"edition {edition} of " if edition else ""
        raise NotFound(f"There is no {which}report of {month}. POST /v1/reports has one built.")
    return row
