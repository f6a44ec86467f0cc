"""The job engine behind a small port: `enqueue`, `run_worker`'s `JobEngine`, `reap`.

DBOS Transact keeps jobs in the same database as the notes, so that a job is enqueued in the transaction that decides on
it. A job may run more than once (a worker dies after its work, before its mark): what jobs write is guarded by
revisions. Without DBOS's hosted service nobody takes over the jobs of a dead worker; `reap` does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig
from sqlalchemy import event
from sqlalchemy.orm import Session

from service.database import LOCK_TIMEOUT_SECONDS, postgres_arguments, sqlite_module

APPLICATION = "binome"
JOB_VERSION = "1"  # workers of another version leave these jobs alone: change it only after a drain
ANALYSIS_QUEUE = "binome-analysis"
LONG_QUEUE = "binome-long"
OUTGOING_QUEUE = "binome-outgoing"
MAIL_QUEUE = "binome-mail"
FETCHING_QUEUE = "binome-fetching"
# jobs of a queue in one worker; sending and fetching are waiting for others
AT_ONCE = {ANALYSIS_QUEUE: 1, LONG_QUEUE: 1, OUTGOING_QUEUE: 4, MAIL_QUEUE: 1, FETCHING_QUEUE: 4}
MAX_RECOVERY_ATTEMPTS = 3
# Each look costs an idle worker some processor time. Nothing wakes a queue up: so long may a job of it wait. Mailboxes
# are asked for every five seconds; what is sent and fetched goes to others, who take longer than that.
POLL_SECONDS = {ANALYSIS_QUEUE: 0.2, LONG_QUEUE: 1.0, OUTGOING_QUEUE: 2.0, MAIL_QUEUE: 5.0, FETCHING_QUEUE: 2.0}
DRAIN_SECONDS = 20
UNMARKED_SECONDS = 30
FORGOTTEN_AT_ONCE = 500

# DBOS describes these as terminal; their notes or jobs have to be taken up again by us.
_BROKEN = ["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "CANCELLED"]

Handler = Callable[..., None]


@dataclass(frozen=True, slots=True)
class BrokenJob:
    """A job that the engine gave up: its handler's name and arguments; `postponed` where it is none's fault."""

    id: str
    handler: str
    args: tuple[Any, ...]
    postponed: bool = False


class Postponed(Exception):
    """A job can't go on now, and is to be taken up again."""


class JobEngine:
    """The engine in one worker process."""

    def __init__(self, url: str, executor_id: str, handlers: dict[str, Handler]) -> None:
        """Start taking jobs.

        Args:
            url: The application's database.
            executor_id: Names this worker; the same name after a restart takes its own jobs back at once.
            handlers: What runs for each kind of job, by name.
        """
        # The engine tells its vendor nothing unless asked to; the variables that ask are cleared all the same.
        for variable in ("DBOS_CONDUCTOR_KEY", "DBOS_CONDUCTOR_URL", "DBOS__CLOUD"):
            os.environ.pop(variable, None)
        self._executor_id = executor_id
        self._running: set[str | None] = set()
        self._stuck: dict[str, float] = {}
        self._engine = _system_engine(url)
        config: DBOSConfig = {
            "name": APPLICATION,
            "executor_id": executor_id,
            "application_version": JOB_VERSION,
            "log_level": "WARNING",
            "use_listen_notify": False,
            "system_database_engine": self._engine,
        }
        DBOS(config=config)
        for name, handler in handlers.items():
            DBOS.workflow(name=name, max_recovery_attempts=MAX_RECOVERY_ATTEMPTS)(self._job(name, handler))
        DBOS.launch()
        for queue, at_once in AT_ONCE.items():
            DBOS.register_queue(
                queue,
                worker_concurrency=at_once,
                polling_interval_sec=POLL_SECONDS[queue],
                on_conflict="always_update",
            )
        self._client = DBOSClient(system_database_engine=self._engine)

    def enqueue(self, session: Session, queue: str, handler: str, *args: Any) -> None:
        """Enqueue a job in the caller's transaction: rolled back with it."""
        self._client.enqueue_in_transaction(session, {"queue_name": queue, "workflow_name": handler}, *args)

    def reap(self, living: Sequence[str]) -> int:
        """Give the jobs of workers that are not in `living` to others; return how many.

        And its own that ended without a mark: the database was away, or full, when the engine wrote it.
        """
        pending = self._client.list_workflows(status="PENDING", load_input=False, load_output=False, limit=1000)
        orphans = [job for job in pending if job.executor_id not in {*living, self._executor_id}]
        own = [job for job in pending if job.executor_id == self._executor_id and job.workflow_id not in self._running]
        clock = time.monotonic()
        self._stuck = {job.workflow_id: self._stuck.get(job.workflow_id, clock) for job in own}
        orphans += [job for job in own if clock - self._stuck[job.workflow_id] > UNMARKED_SECONDS]
        for queue in {job.queue_name for job in orphans}:
            ids = [job.workflow_id for job in orphans if job.queue_name == queue]
            self._client.resume_workflows(ids, queue_name=queue)
        return len(orphans)

    def broken_jobs(self) -> list[BrokenJob]:
        """Return jobs that raised or that killed their worker too often."""
        jobs = self._client.list_workflows(status=_BROKEN, limit=200)
        return [
            BrokenJob(j.workflow_id, j.name, tuple(j.input["args"] if j.input else ()), isinstance(j.error, Postponed))
            for j in jobs
        ]

    def forget(self, job_ids: Sequence[str]) -> None:
        """Delete finished jobs."""
        self._client.delete_workflows(list(job_ids))

    def forget_finished(self, before: str) -> int:
        """Delete jobs that succeeded before a time (RFC 3339); return how many."""
        count = 0
        while True:
            done = self._client.list_workflows(
                status="SUCCESS", completed_before=before, load_input=False, load_output=False, limit=FORGOTTEN_AT_ONCE
            )
            self.forget([job.workflow_id for job in done])
            count += len(done)
            if len(done) < FORGOTTEN_AT_ONCE:
                return count

    def stop(self) -> None:
        """Finish what runs, within 20 seconds, and let go."""
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=DRAIN_SECONDS)
        self._client.destroy()
        self._engine.dispose()

    def _job(self, name: str, handler: Handler) -> Handler:
        def job(*args: Any) -> None:
            workflow_id = DBOS.workflow_id
            self._running.add(workflow_id)
            try:
                handler(*args)
            finally:
                self._running.discard(workflow_id)

        job.__name__ = job.__qualname__ = name
        return job


def _system_engine(url: str) -> sa.Engine:
    """Return DBOS's engine: it opens its own transactions, so ours (`make_engine`) does not fit."""
    if not url.startswith("sqlite"):
        return sa.create_engine(
            url, pool_pre_ping=True, pool_size=10, max_overflow=5, connect_args=postgres_arguments(url)
        )
    engine = sa.create_engine(url, module=sqlite_module(), pool_size=10, max_overflow=5)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in (f"busy_timeout={LOCK_TIMEOUT_SECONDS * 1000}", "foreign_keys=on", "synchronous=full"):
            connection.execute(f"pragma {pragma}")

    return engine
