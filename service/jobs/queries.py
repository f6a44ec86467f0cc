"""Jobs that people asked for, and the workers' signs of life, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.database import insert_ignoring
from service.jobs.tables import JobTable, WorkerTable
from service.operation.instruments import LONG_WORK
from service.source_tables import ImportTable, SyncTable
from service.tracing import traceparent

SILENT_AFTER = timedelta(seconds=20)


class JobKind(StrEnum):
    """What long work does."""

    FIT_THEMES = "fit_themes"
    IMPORT_FILE = "import_file"
    SYNC_SOURCE = "sync_source"
    BUILD_REPORT = "build_report"
    FOLLOW_ERASURES = "follow_erasures"
    APPLY_RETENTION = "apply_retention"


class JobState(StrEnum):
    """How far long work is."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class WorkerState(StrEnum):
    """What a worker is doing."""

    STARTING = "starting"
    READY = "ready"


UNFINISHED = (JobState.WAITING, JobState.QUEUED, JobState.RUNNING)


def request_job(
    session: Session, kind: JobKind, *, by: str, now: datetime, params: dict[str, Any] | None = None
) -> JobTable:
    """Ask for long work; while the same kind is unfinished, that one is returned."""
    running = session.scalar(
        sa.select(JobTable).where(JobTable.kind == kind, JobTable.state.in_(UNFINISHED)).with_for_update()
    )
    return running or add_job(session, kind, by=by, now=now, params=params)


def add_job(
    session: Session, kind: JobKind, *, by: str, now: datetime, params: dict[str, Any] | None = None
) -> JobTable:
    """Ask for long work of its own, whatever else is unfinished."""
    job = JobTable(kind=kind, params=params or {}, state=JobState.WAITING, requested_by=by, created_at=now)
    job.traceparent = traceparent()
    session.add(job)
    session.flush()
    return job


def has_unfinished(session: Session) -> bool:
    """Tell whether any long work waits or runs, but for synchronisations: those may wait for days."""
    query = sa.select(JobTable.id).where(JobTable.state.in_(UNFINISHED), JobTable.kind != JobKind.SYNC_SOURCE)
    return session.scalar(query.limit(1)) is not None


# Synchronisations are claimed page by page elsewhere.
_WAITING = (JobTable.state == JobState.WAITING, JobTable.kind != JobKind.SYNC_SOURCE)


def has_waiting_jobs(session: Session) -> bool:
    """Tell whether any job waits to be queued."""
    return session.scalar(sa.select(JobTable.id).where(*_WAITING).limit(1)) is not None


def claim_jobs(session: Session) -> list[JobTable]:
    """Mark waiting jobs as queued and return them."""
    waiting = sa.select(JobTable).where(*_WAITING).order_by(JobTable.id)
    jobs = list(session.scalars(waiting.with_for_update(skip_locked=True)))
    for job in jobs:
        job.state = JobState.QUEUED
    return jobs


def start_job(session: Session, job_id: int, now: datetime) -> dict[str, Any] | None:
    """Mark a job as running and return its parameters; None where it is finished already."""
    job = session.get(JobTable, job_id, with_for_update=True)
    if job is None or job.state not in UNFINISHED:
        return None
    job.state = JobState.RUNNING
    job.started_at = now
    return job.params


def report_progress(session: Session, job_id: int, done: int, total: int | None) -> None:
    """Say how far a job is; `total` is None where nobody knows."""
    session.execute(sa.update(JobTable).where(JobTable.id == job_id).values(done=done, total=total))


def finish_job(
    session: Session, job_id: int, now: datetime, *, result: dict[str, Any] | None = None, failure: str | None = None
) -> None:
    """Mark a job as done, or failed with its reason."""
    job = session.get(JobTable, job_id, with_for_update=True)
    if job is None or job.state not in UNFINISHED:
        return
    job.state = JobState.FAILED if failure else JobState.DONE
    job.result = result
    job.failure = failure
    job.finished_at = now
    LONG_WORK.labels(job.kind, job.state).inc()


def get_job(session: Session, job_id: int) -> JobTable | None:
    """Return a job."""
    return session.get(JobTable, job_id)


def give_back(session: Session, job_id: int) -> None:
    """Have a job taken up again that could not go on."""
    row = session.get(JobTable, job_id, with_for_update=True)
    if row is not None and row.state in UNFINISHED:
        row.state = JobState.WAITING


def forget_jobs(session: Session, before: datetime) -> None:
    """Delete long work that was finished before a time, but for what an import or a synchronisation still refers to."""
    kept: Any = sa.union_all(
        sa.select(ImportTable.job_id).where(ImportTable.job_id.is_not(None)), sa.select(SyncTable.job_id)
    )
    old = sa.and_(JobTable.finished_at < before, JobTable.state.not_in(UNFINISHED), JobTable.id.not_in(kept))
    session.execute(sa.delete(JobTable).where(old))


def list_jobs(session: Session, *, limit: int, before: int | None) -> tuple[list[JobTable], int]:
    """Return one page of jobs, latest first, and how many there are."""
    query = sa.select(JobTable).order_by(JobTable.id.desc()).limit(limit)
    if before is not None:
        query = query.where(JobTable.id < before)
    return list(session.scalars(query)), session.scalar(sa.select(sa.func.count()).select_from(JobTable)) or 0


def beat(session: Session, executor_id: str, state: WorkerState, now: datetime) -> None:
    """Leave a worker's sign of life."""
    session.execute(
        insert_ignoring(session, WorkerTable, ("executor_id",)),
        [{"executor_id": executor_id, "state": state, "started_at": now, "beat_at": now}],
    )
    session.execute(
        sa.update(WorkerTable).where(WorkerTable.executor_id == executor_id).values(state=state, beat_at=now)
    )


def leave(session: Session, executor_id: str) -> None:
    """Take a worker off the list."""
    session.execute(sa.delete(WorkerTable).where(WorkerTable.executor_id == executor_id))


def living_workers(session: Session, now: datetime, state: WorkerState | None = None) -> list[str]:
    """Return the workers heard of in the last 20 seconds."""
    lately = WorkerTable.beat_at.between(now - SILENT_AFTER, now + SILENT_AFTER)  # later: the clock was set back since
    query = sa.select(WorkerTable.executor_id).where(lately)
    if state:
        query = query.where(WorkerTable.state == state)
    return list(session.scalars(query))


def forget_silent(session: Session, now: datetime) -> Sequence[str]:
    """Take workers off the list that were silent for an hour; return them."""
    hour = timedelta(hours=1)
    silent = sa.not_(WorkerTable.beat_at.between(now - hour, now + hour))
    gone = list(session.scalars(sa.select(WorkerTable.executor_id).where(silent)))
    session.execute(sa.delete(WorkerTable).where(WorkerTable.executor_id.in_(gone)))
    return gone
