"""Faults over HTTP: listed, played again, dismissed."""

from __future__ import annotations

from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Query

from service.database import read_session
from service.dependencies import Admin, Now, ReadSession, WriteSession, get_engine, get_settings
from service.errors import Conflict, NotFound
from service.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from service.problems import problem_responses
from service.settings import Settings
from service.sources.faults import queries
from service.sources.faults.queries import FaultState
from service.sources.faults.replaying import dismiss, replay, replay_all
from service.sources.faults.schemas import (
    Dismissed,
    FaultChoice,
    FaultOutput,
    Replayed,
    ReplayedAll,
    fault_output,
)

router = APIRouter(prefix="/v1/sources/faults", tags=["sources"], responses=problem_responses(503))

MAX_AT_ONCE = 500
FaultId = Annotated[int, Path(ge=1, le=2**62, description="The fault's `id`.", examples=[5])]
Engine = Annotated[sa.Engine, Depends(get_engine)]
AppSettings = Annotated[Settings, Depends(get_settings)]


@router.get("")
def get_faults(
    session: ReadSession,
    _caller: Admin,
    source: Annotated[str | None, Query(max_length=100)] = None,
    state: FaultState | Literal["all"] = FaultState.OPEN,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[FaultOutput]:
    """List what senders sent and nobody could take, latest first, with what was sent; kept for 90 days."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    wanted = None if state == "all" else FaultState(state)
    rows = queries.list_faults(session, source, wanted, limit=limit + 1, before=before)
    return Page(
        items=[fault_output(row) for row in rows[:limit]],
        next=encode_cursor([rows[limit - 1].id]) if len(rows) > limit else None,
        total=queries.count_faults(session, source, wanted),
    )


@router.post("/replay", status_code=202)
def post_replay_all(body: FaultChoice, engine: Engine, caller: Admin, settings: AppSettings, now: Now) -> ReplayedAll:
    """Play open faults again, oldest first, at most 500 at once: after a mapping, an option or a right was mended."""
    with read_session(engine) as session:
        ids = queries.open_ids(session, body.source, body.code)
    played, refused, results = replay_all(engine, settings, ids[:MAX_AT_ONCE], by=caller.name, now=now)
    left = max(0, len(ids) - MAX_AT_ONCE)
    return ReplayedAll(results=dict(results), replayed=played, refused=refused, left=left)


@router.post("/dismiss")
def post_dismiss_all(body: FaultChoice, session: WriteSession, caller: Admin, now: Now) -> Dismissed:
    """Dismiss open faults: what was sent is forgotten, that it came stays for 90 days."""
    ids = queries.open_ids(session, body.source, body.code)
    return Dismissed(dismissed=dismiss(session, ids, by=caller.name, now=now))


@router.post("/{fault_id}/replay", status_code=202, responses=problem_responses(404, 409))
def post_replay(fault_id: FaultId, engine: Engine, caller: Admin, settings: AppSettings, now: Now) -> Replayed:
    """Play a fault again with its connection as it is now; other faults of the same delivery go along."""
    return Replayed(results=dict(replay(engine, settings, fault_id, by=caller.name, now=now)))


@router.post("/{fault_id}/dismiss", responses=problem_responses(404, 409))
def post_dismiss(fault_id: FaultId, session: WriteSession, caller: Admin, now: Now) -> FaultOutput:
    """Dismiss a fault: what was sent is forgotten, that it came stays for 90 days."""
    row = queries.find_fault(session, fault_id)
    if row is None:
        raise NotFound(f"There is no fault {fault_id}.")
    if not dismiss(session, [fault_id], by=caller.name, now=now):
        raise Conflict(f"The fault {fault_id} is {row.state} already.")
    return fault_output(row)
