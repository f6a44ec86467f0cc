"""Long work over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from service.dependencies import Reader, ReadSession
from service.errors import NotFound
from service.jobs import queries
from service.jobs.schemas import JobOutput, job_output
from service.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from service.problems import problem_responses

router = APIRouter(tags=["jobs"], responses=problem_responses(503))


@router.get("/v1/jobs")
def get_jobs(session: ReadSession, _caller: Reader, limit: Limit = 50, cursor: Cursor = None) -> Page[JobOutput]:
    """List long work, latest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    jobs, total = queries.list_jobs(session, limit=limit + 1, before=before)
    following = encode_cursor([jobs[limit - 1].id]) if len(jobs) > limit else None
    return Page(items=[job_output(job) for job in jobs[:limit]], next=following, total=total)


@router.get("/v1/jobs/{job_id}", responses=problem_responses(404))
def get_job(job_id: Annotated[int, Path(ge=1, le=2**62)], session: ReadSession, _caller: Reader) -> JobOutput:
    """Read how far long work is."""
    job = queries.get_job(session, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    return job_output(job)
