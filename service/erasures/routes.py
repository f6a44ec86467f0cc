"""Erasures over HTTP."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, BackgroundTasks, Depends, Path

from service.database import write_session
from service.dependencies import Admin, Now, ReadSession, WriteSession, get_engine
from service.erasures import queries
from service.erasures.erasing import clean_bytes, perform, preview
from service.erasures.schemas import ErasureOutput, ErasureRequest, erasure_output
from service.errors import NotFound
from service.paging import Cursor, Limit, Page, page_of
from service.problems import problem_responses

router = APIRouter(prefix="/v1/erasures", tags=["erasures"], responses=problem_responses(503))


@router.post("", responses=problem_responses(404))
def post_erasure(
    body: ErasureRequest,
    engine: Annotated[sa.Engine, Depends(get_engine)],
    later: BackgroundTasks,
    now: Now,
    caller: Admin,
) -> ErasureOutput:
    """Count what an erasure would take along; with `confirm`, erase it wherever it stands, for good."""
    if not body.confirm:
        counts = preview(engine, body, now)
        return ErasureOutput(
            id=None, kind=body.kind, counts=counts, requested_by=caller.name, created_at=now, lifted_at=None
        )
    with write_session(engine) as session:
        done = erasure_output(perform(session, body, caller.name, now))
    later.add_task(clean_bytes, engine)  # this request reads from the database until it is answered
    return done


@router.get("")
def get_erasures(session: ReadSession, _caller: Admin, limit: Limit = 50, cursor: Cursor = None) -> Page[ErasureOutput]:
    """List what was erased, latest first: no erased word is kept."""
    return page_of(queries.list_erasures(session), erasure_output, limit, cursor)


@router.post("/{erasure_id}/lift", responses=problem_responses(404))
def post_lift(
    erasure_id: Annotated[int, Path(ge=1, le=2**53)], session: WriteSession, now: Now, _caller: Admin
) -> ErasureOutput:
    """Take notes and contacts of the erased ids again, when their sources send them; nothing comes back by itself."""
    row = queries.lift(session, erasure_id, now)
    if row is None:
        raise NotFound(f"There is no erasure {erasure_id}.")
    return erasure_output(row)
