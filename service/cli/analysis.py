"""`binome analyse` and `binome fit-themes`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

import sqlalchemy as sa
import typer

from service.cli.database import opened
from service.cli.output import AsJson, console, print_json, progress_bar
from service.database import read_session, write_session
from service.errors import BinomeError
from service.filters import day_start
from service.jobs.queries import JobKind, JobState, get_job, living_workers, request_job
from service.jobs.schemas import job_output
from service.jobs.tables import JobTable
from service.notes.queries import requeue, state_condition
from service.notes.schemas import AnalysisState
from service.operation.queries import read_backlog
from service.tables import NoteTable

LOOK_SECONDS = 0.5
NO_WORKER_SECONDS = 60.0

Wait = Annotated[bool, typer.Option("--wait", help="Show progress until it is done.")]


class NothingWorks(BinomeError):
    """Nobody does the work that is waited for."""


def analyse(
    failed: Annotated[bool, typer.Option("--failed", help="Only notes whose analysis failed.")] = False,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only notes from this day on.")] = None,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Have stored notes analysed again: all of them, or those that the options name."""
    conditions = [state_condition(AnalysisState.FAILED)] if failed else []
    if since:
        conditions.append(NoteTable.occurred_at >= day_start(since.date()))
    with opened("analyse") as engine:
        with write_session(engine) as session:
            count = requeue(session, conditions)
        console.print(f"{count} notes wait for their analysis.")
        left = _wait_for_backlog(engine) if wait else None
    if as_json:
        print_json({"requeued_notes": count, "failed_notes": left})
    if left:
        console.print(f"{left} notes can't be read: GET /v1/notes?state=failed lists them with their reason.")
        raise typer.Exit(1)


def _wait_for_backlog(engine: sa.Engine) -> int:
    """Wait until no note waits; return how many notes failed."""
    quiet_since: float | None = None
    with progress_bar() as progress:
        task = progress.add_task("analysing", total=None)
        while True:
            with read_session(engine) as session:
                backlog = read_backlog(session, datetime.now(UTC))
            open_notes = backlog.waiting + backlog.queued
            progress.update(task, completed=backlog.analysed, total=backlog.analysed + open_notes)
            if not open_notes:
                return backlog.failed
            quiet_since = None if backlog.workers else quiet_since or time.monotonic()
            _refuse_silence(quiet_since)
            time.sleep(LOOK_SECONDS)


def _refuse_silence(quiet_since: float | None) -> None:
    if quiet_since is not None and time.monotonic() - quiet_since > NO_WORKER_SECONDS:
        raise NothingWorks("No worker is running: start one with `binome serve` or `binome worker`.")


def fit_themes(wait: Wait = False, as_json: AsJson = False) -> None:
    """Have the themes fitted again over all passages; a worker does it."""
    with opened("fit-themes") as engine:
        with write_session(engine) as session:
            job_id = request_job(session, JobKind.FIT_THEMES, by="command line", now=datetime.now(UTC)).id
        job = _wait_for_job(engine, job_id) if wait else _read_job(engine, job_id)
    if as_json:
        print_json(job_output(job).model_dump(mode="json"))
    else:
        outcome = f": {job.result['themes']} themes in {job.result['passages']} passages" if job.result else ""
        console.print(f"Job {job.id} is {job.state}{outcome}.")
    if job.failure:
        console.print(job.failure)
        raise typer.Exit(1)


def _read_job(engine: sa.Engine, job_id: int) -> JobTable:
    with read_session(engine) as session:
        job = get_job(session, job_id)
        assert job is not None, "jobs are not deleted"
        return job


def _wait_for_job(engine: sa.Engine, job_id: int) -> JobTable:
    quiet_since: float | None = None
    with progress_bar() as progress:
        task = progress.add_task("fitting themes", total=None)
        while True:
            job = _read_job(engine, job_id)
            progress.update(task, completed=job.done, total=job.total)
            if job.state in {JobState.DONE, JobState.FAILED}:
                return job
            with read_session(engine) as session:
                working = bool(living_workers(session, datetime.now(UTC)))
            quiet_since = None if working else quiet_since or time.monotonic()
            _refuse_silence(quiet_since)
            time.sleep(LOOK_SECONDS)
