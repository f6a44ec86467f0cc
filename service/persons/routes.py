"""All that is held on a person, over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse, Response

from service.dependencies import Admin, Now, ReadSession
from service.errors import Forbidden
from service.persons.finding import gather, readable
from service.persons.schemas import EXAMPLE_EXPORT, ExportForm, ExportQuery, PersonExport
from service.problems import problem_responses

router = APIRouter(prefix="/v1/persons", tags=["persons"], responses=problem_responses(503))
_EXAMPLE = readable(PersonExport.model_validate(EXAMPLE_EXPORT))
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": _EXAMPLE}}}
}
_HEADERS = {"Cache-Control": "no-store"}


@router.get("/export", responses=_TEXT, response_model=PersonExport)
def get_person_export(asked: ExportQuery, session: ReadSession, now: Now, caller: Admin) -> Response:
    """Give all that is held on a person: what they wrote, what mentions them, their account and what they did.

    Found as an erasure of the name finds it. It is for administrators who may see what names persons, and is audited.
    """
    if not caller.sees_personal:
        raise Forbidden("This key lacks the scope personal.")
    export = gather(session, asked, now)
    if asked.format is ExportForm.TEXT:
        return PlainTextResponse(readable(export), headers=_HEADERS)
    return JSONResponse(export.model_dump(mode="json"), headers=_HEADERS)
