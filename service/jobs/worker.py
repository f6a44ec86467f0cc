"""The worker: relays waiting notes to the job engine, runs jobs, and takes over from workers that died."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
import structlog
from opentelemetry.trace import SpanKind

from models.types import Analyzer
from service.analysis.batch import BatchAnalysis
from service.analysis.queries import Item, claim_waiting, count_in_flight, has_waiting, read_unmasked, record_failure
from service.analysis.queries import give_back as give_back_notes
from service.database import read_session, shorten_log, write_session
from service.database_faults import may_pass
from service.deliveries.delivering import Deliverer
from service.deliveries.queries import forget_old
from service.deliveries.watching import Watcher
from service.imports.running import ImportFiles
from service.jobs.engine import (
    ANALYSIS_QUEUE,
    FETCHING_QUEUE,
    LONG_QUEUE,
    MAIL_QUEUE,
    OUTGOING_QUEUE,
    BrokenJob,
    JobEngine,
    Postponed,
)
from service.jobs.queries import (
    JobKind,
    WorkerState,
    beat,
    claim_jobs,
    finish_job,
    forget_jobs,
    forget_silent,
    get_job,
    give_back,
    has_waiting_jobs,
    leave,
    living_workers,
    request_job,
)
from service.operation.counts import UnsavedCounts
from service.reports.building import BuildReport, FollowErasures, ask_to_follow_erasures, close_month
from service.retention.applying import ApplyRetention, ask_to_apply_retention
from service.search.queries import forget_words
from service.settings import Settings
from service.sources.faults.queries import forget_old as forget_faults
from service.sources.fetching.queries import forget_fetched
from service.sources.fetching.syncing import Syncing
from service.sources.fetching.working import KEPT, Fetching
from service.sources.mailbox import Mailboxes
from service.themes.fitting import FitThemes, refit_due
from service.tracing import span

ANALYSE_BATCH = "analyse_batch"
RUN_JOB = "run_job"
DELIVER = "deliver"
READ_MAILBOX = "read_mailbox"
WATCH = "watch"
FETCH = "fetch"
SYNC = "sync"


class LongJob(Protocol):
    """Long work; running it twice changes nothing more."""

    def run(self, job_id: int) -> None:
        """Do it, from where it broke off."""


LONG_JOBS: dict[JobKind, Callable[[sa.Engine], LongJob]] = {
    JobKind.FIT_THEMES: FitThemes,
    JobKind.IMPORT_FILE: ImportFiles,
    JobKind.BUILD_REPORT: BuildReport,
    JobKind.FOLLOW_ERASURES: FollowErasures,
    JobKind.APPLY_RETENTION: ApplyRetention,
}

BATCH_NOTES = 64
MAX_IN_FLIGHT = 8 * BATCH_NOTES  # the rest waits in `notes`, where a note that comes in now goes first
BEAT_SECONDS = 5
REAP_SECONDS = 5
SEND_SECONDS = 1
RECONCILE_SECONDS = 60
MAIL_SECONDS = 5  # how often it is asked which mailboxes are due
WATCH_SECONDS = 15
REPORT_SECONDS = 30
LOG_SECONDS = 60
HOUSEKEEPING_SECONDS = 600
KEEP_JOBS = timedelta(days=1)  # of the engine's own, which nobody sees
AWAY_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0

_log = structlog.get_logger()


class Worker:
    """One worker process: a loop over relay, heartbeat, reaper and housekeeping."""

    def __init__(
        self,
        engine: sa.Engine,
        url: str,
        executor_id: str,
        load_analyzer: Callable[[], Analyzer],
        settings: Settings | None = None,
    ) -> None:
        """Prepare a worker.

        Args:
            engine: The application's database.
            url: The same, for the job engine.
            executor_id: Names this worker among all.
            load_analyzer: Loads the reader; takes seconds.
            settings: What may be sent, and how, and the connections that they name; the defaults if left out.
        """
        self._engine = engine
        self._url = url
        self._executor_id = executor_id
        self._load_analyzer = load_analyzer
        settings = settings or Settings(_env_file=None)
        self._keep_jobs = timedelta(days=settings.keep_jobs_days)
        self._away = False
        self._counts = UnsavedCounts()
        self._deliverer = Deliverer(engine, settings)
        self._watcher = Watcher(engine, settings)
        self._mailboxes = Mailboxes(engine, settings)
        self._fetching = Fetching(engine, settings)
        self._syncing = Syncing(engine, settings, self._fetching)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; what is running then is finished first."""
        self._beat(WorkerState.STARTING)
        analyzer = self._load_analyzer()
        self._jobs = JobEngine(
            self._url,
            self._executor_id,
            {
                ANALYSE_BATCH: patient(BatchAnalysis(self._engine, analyzer).run, stop),
                RUN_JOB: patient(self._run_job, stop),
                DELIVER: patient(self._deliverer.run, stop),
                READ_MAILBOX: patient(self._mailboxes.run, stop),
                WATCH: patient(self._watcher.run, stop),
                FETCH: patient(self._fetching.run, stop),
                SYNC: patient(self._syncing.run, stop),
            },
        )
        self._attempt(self._read_unmasked)
        self._beat(WorkerState.READY)
        _log.info("worker_ready", executor_id=self._executor_id, analyzer_version=analyzer.version)
        duties = [
            (BEAT_SECONDS, lambda: self._beat(WorkerState.READY)),
            (SEND_SECONDS, self._send),
            (WATCH_SECONDS, self._watch),
            (SEND_SECONDS, self._fetch),
            (RECONCILE_SECONDS, self._syncing.reconcile),
            (REAP_SECONDS, self._reap),
            (REAP_SECONDS, self._ask_for_fit),
            (MAIL_SECONDS, self._ask_for_mail),
            (REPORT_SECONDS, self._keep_reports),
            (LOG_SECONDS, lambda: shorten_log(self._engine)),
            (HOUSEKEEPING_SECONDS, self._clean_up),
        ]
        last = [0.0 for _ in duties]
        try:
            while not stop.is_set():
                busy = self._attempt(self._relay)
                for index, (every_seconds, duty) in enumerate(duties):
                    if time.monotonic() - last[index] >= every_seconds:
                        self._attempt(duty)
                        last[index] = time.monotonic()
                stop.wait(AWAY_SECONDS if self._away else 0.02 if busy else 0.2)
        finally:
            self._attempt(self._jobs.stop)
            self._attempt(self._leave)

    def _read_unmasked(self) -> None:
        with write_session(self._engine) as session:
            read_unmasked(session)

    def _leave(self) -> None:
        with write_session(self._engine) as session:
            leave(session, self._executor_id)
            self._counts.save(session)

    def _run_job(self, job_id: int) -> None:
        """Do the long work that somebody asked for."""
        with read_session(self._engine) as session:
            job = get_job(session, job_id)
        if job is not None:
            with span(f"run {job.kind}", SpanKind.CONSUMER, parent=job.traceparent):
                LONG_JOBS[JobKind(job.kind)](self._engine).run(job_id)

    def _attempt(self, duty: Callable[[], object]) -> object:
        """Do a duty; a database that does not answer now will be asked again."""
        try:
            done = duty()
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            if not self._away:
                _log.warning("database_away", error=type(error).__name__)
            self._away = True
            return None
        if self._away:
            _log.warning("database_back")
        self._away = False
        return done

    def _beat(self, state: WorkerState) -> None:
        with write_session(self._engine) as session:
            beat(session, self._executor_id, state, _now())
            saved = self._counts.save(session)
        self._counts.done(saved)

    def _relay(self) -> bool:
        """Move waiting notes and jobs to the job engine, in the transaction that marks them as queued."""
        with read_session(self._engine) as session:
            if not has_waiting(session) and not has_waiting_jobs(session):
                return False  # five times a second: no transaction that writes, which others would wait for
            room = MAX_IN_FLIGHT - count_in_flight(session)
        if room <= 0:
            return False
        with write_session(self._engine) as session:
            batches = claim_waiting(session, min(room, BATCH_NOTES))
            for batch in batches:
                items = [[item.note_id, item.revision] for item in batch]
                self._jobs.enqueue(session, ANALYSIS_QUEUE, ANALYSE_BATCH, items)
            jobs = claim_jobs(session)
            for job in jobs:
                self._jobs.enqueue(session, LONG_QUEUE, RUN_JOB, job.id)
        return bool(batches or jobs)

    def _send(self) -> None:
        """Take up what is to be sent."""
        self._deliverer.claim(lambda session, id_: self._jobs.enqueue(session, OUTGOING_QUEUE, DELIVER, id_))

    def _watch(self) -> None:
        """Have rankings looked at that are due."""
        self._watcher.claim(lambda session, id_: self._jobs.enqueue(session, OUTGOING_QUEUE, WATCH, id_))

    def _fetch(self) -> None:
        """Take up what is to be fetched."""
        self._fetching.claim(lambda session, *args: self._jobs.enqueue(session, FETCHING_QUEUE, FETCH, *args))
        self._syncing.claim(lambda session, *args: self._jobs.enqueue(session, FETCHING_QUEUE, SYNC, *args))

    def _reap(self) -> None:
        with read_session(self._engine) as session:
            living = living_workers(session, _now())
        taken = self._jobs.reap(living)
        if taken:
            _log.warning("jobs_taken_over", count=taken)
        for broken in self._jobs.broken_jobs():
            self._take_up(broken)

    def _take_up(self, broken: BrokenJob) -> None:
        """Put what a job broke on back: the notes of a batch one by one; say why long work failed."""
        if broken.handler == DELIVER:
            self._deliverer.give_back(broken.args[0])
        elif broken.handler == READ_MAILBOX:
            self._mailboxes.release(broken.args[0], "Reading broke off; see the worker's log.")
        elif broken.handler == FETCH:
            self._fetching.give_back(broken.args[2])
        elif broken.handler == SYNC:
            self._syncing.give_back(broken.args[2])
        reason = "The analysis stopped the worker several times."
        with write_session(self._engine) as session:
            if broken.handler == ANALYSE_BATCH:
                items = [Item(note_id, revision) for note_id, revision in broken.args[0]]
                if broken.postponed:
                    give_back_notes(session, items)
                else:
                    for item in items:
                        record_failure(session, item, reason)
            elif broken.handler == RUN_JOB and broken.postponed:
                give_back(session, broken.args[0])
            elif broken.handler == RUN_JOB:
                finish_job(session, broken.args[0], _now(), failure="The job broke off; see the worker's log.")
        self._jobs.forget([broken.id])

    def _ask_for_fit(self) -> None:
        with read_session(self._engine) as session:
            trigger = refit_due(session, _now())
        if trigger:
            with write_session(self._engine) as session:
                request_job(session, JobKind.FIT_THEMES, by="schedule", now=_now(), params={"trigger": trigger})

    def _ask_for_mail(self) -> None:
        """Have the mailboxes read that are due."""
        self._mailboxes.claim(lambda session, name: self._jobs.enqueue(session, MAIL_QUEUE, READ_MAILBOX, name))

    def _keep_reports(self) -> None:
        """Close the month when it is time, and follow erasures into the reports that quote."""
        close_month(self._engine, _now())
        ask_to_follow_erasures(self._engine, _now())

    def _clean_up(self) -> None:
        self._jobs.forget_finished((_now() - KEEP_JOBS).isoformat())
        with write_session(self._engine) as session:
            forget_silent(session, _now())
            forget_jobs(session, _now() - self._keep_jobs)
            forget_old(session, _now())
            forget_faults(session, _now())
            forget_words(session)
            forget_fetched(session, _now() - KEPT)
        ask_to_apply_retention(self._engine, _now())


def patient(handler: Callable[..., None], stop: threading.Event) -> Callable[..., None]:
    """Wrap a handler: while the database is away, or its disk full, what it does waits, and counts as no failure.

    What waits when the worker stops is postponed: it is given back.
    """

    def job(*args: Any) -> None:
        pause = 1.0
        while True:
            try:
                return handler(*args)
            except Exception as error:
                if not may_pass(error):
                    raise
                _log.warning("job_waits_for_database", error=type(error).__name__, seconds=pause)
            if stop.wait(pause):
                raise Postponed("the database was away when the worker stopped")
            pause = min(2 * pause, LONGEST_WAIT_SECONDS)

    return job


def _now() -> datetime:
    return datetime.now(UTC)
