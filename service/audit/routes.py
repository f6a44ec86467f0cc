"""The audit log over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import StreamingResponse

from service.audit import queries
from service.audit.queries import Wanted
from service.audit.schemas import EXAMPLE_EVENT, AuditEvent, audit_event
from service.audit.writing import COLUMNS, MEDIA_TYPES, LogFormat, lines, rows, written
from service.dependencies import Admin, Moment, ReadSession, get_engine
from service.exports.answers import file_answer
from service.exports.writing import MEDIA_TYPES as TABLE_TYPES
from service.exports.writing import Format
from service.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from service.problems import problem_responses

router = APIRouter(prefix="/v1/audit", tags=["audit"], responses=problem_responses(503))
SHEET = TABLE_TYPES[Format.XLSX]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {
            media: {"schema": {"type": "string"}, "example": written([EXAMPLE_EVENT], form)}
            for form, media in MEDIA_TYPES.items()
        }
        | {SHEET: {"schema": {"type": "string", "format": "binary"}}},
    }
}


def _wanted(
    actor: Annotated[str | None, Query(max_length=100, description="Such as `user:3`.")] = None,
    action: Annotated[str | None, Query(max_length=200, description="Method and route, or a command.")] = None,
    since: Annotated[Moment | None, Query(description="From this time on.")] = None,
    until: Annotated[Moment | None, Query(description="Before this time.")] = None,
    status: Annotated[int | None, Query(ge=0, le=599, description="HTTP status.")] = None,
    changes: Annotated[bool | None, Query(description="Only what changed something, or only what did not.")] = None,
) -> Wanted:
    return Wanted(actor, action, since, until, status, changes)


Filters = Annotated[Wanted, Depends(_wanted)]


@router.get("")
def get_audit(
    session: ReadSession, wanted: Filters, _caller: Admin, limit: Limit = 50, cursor: Cursor = None
) -> Page[AuditEvent]:
    """List who saw and changed what, the latest first."""
    before = min(max(decode_cursor(cursor, int)[0], 0), 2**62) if cursor else None
    rows = queries.list_events(session, wanted, limit=limit + 1, before=before)
    following = encode_cursor([rows[limit - 1].id]) if len(rows) > limit else None
    total = queries.count_events(session, wanted)
    return Page(items=[audit_event(row) for row in rows[:limit]], next=following, total=total)


@router.get("/export", response_class=StreamingResponse, responses=_FILE)
def get_audit_export(
    request: Request,
    wanted: Filters,
    _caller: Admin,
    form: Annotated[LogFormat, Query(alias="format", description="How the file is written.")] = LogFormat.JSONL,
) -> StreamingResponse:
    """Give the whole log, the latest first."""
    if form is LogFormat.XLSX:
        return file_answer("audit", Format.XLSX, {name: name for name in COLUMNS}, rows(get_engine(request), wanted))
    name = {"Content-Disposition": f'attachment; filename="binome-audit.{form}"'}
    return StreamingResponse(lines(get_engine(request), wanted, form), media_type=MEDIA_TYPES[form], headers=name)
