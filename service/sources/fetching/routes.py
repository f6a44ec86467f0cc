"""Synchronisations over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path
from pydantic import BaseModel, ConfigDict

from service.dependencies import Admin, Now, WriteSession, get_settings
from service.errors import Conflict, NotFound
from service.filters import Day
from service.jobs.queries import get_job
from service.jobs.schemas import JobOutput, job_output
from service.problems import problem_responses
from service.settings import Settings
from service.sources import queries
from service.sources.fetching.registry import FETCHERS
from service.sources.fetching.syncing import request_sync
from service.sources.fetching.working import find_api

router = APIRouter(prefix="/v1", tags=["sources"], responses=problem_responses(503))

MAX_ROW = 2**62
_EXAMPLES: dict[str, Any] = {"since": {"value": {"since": "2026-01-01"}}}


class SyncRequest(BaseModel):
    """What to fetch: records that changed since a day (UTC), or all."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"since": "2026-01-01"}]})

    since: Day | None = None


@router.post("/sources/{connection}/sync", status_code=202, responses=problem_responses(404, 409))
def post_sync(
    connection: Annotated[
        str,
        Path(
            max_length=250,
            description="The connection's `id`, or `source:name`, or the source alone for its connection `main`.",
            examples=["hubspot:main"],
        ),
    ],
    session: WriteSession,
    caller: Admin,
    settings: Annotated[Settings, Depends(get_settings)],
    now: Now,
    body: Annotated[SyncRequest | None, Body(openapi_examples=_EXAMPLES)] = None,
) -> JobOutput:
    """Have a connection's records fetched by a worker, from a cursor that outlives restarts.

    One that is unfinished already, and reads as much, is returned.
    """
    source, name = _named(session, connection)
    if source not in FETCHERS:
        raise NotFound(
            f"Nothing is fetched from {source!r}: the sources with an API are {', '.join(sorted(FETCHERS))}."
        )
    found = find_api(session, settings, source, name, now)
    if found is None:
        needed = " or ".join(" and ".join(sorted(one)) for one in FETCHERS[source].credentials)
        raise Conflict(f"{source} has no connection {name!r} that is on and has the options {needed}.")
    since = datetime(*body.since.timetuple()[:3], tzinfo=UTC) if body and body.since else None
    job = get_job(session, request_sync(session, *found, since, by=caller.name, now=now).job_id)
    assert job is not None
    return job_output(job)


def _named(session: WriteSession, connection: str) -> tuple[str, str]:
    """Return source and name of a connection that is named in one of three ways."""
    if not (connection.isascii() and connection.isdigit()):
        source, _, name = connection.partition(":")
        return source, name or "main"
    row = queries.find_connection(session, int(connection)) if int(connection) < MAX_ROW else None
    if row is None:
        raise NotFound(f"There is no connection {connection}.")
    return row.source, row.name
