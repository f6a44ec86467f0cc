"""The job that erases what is past retention: each night, and when a rule was set.

Notes go in batches, each with its traces in one transaction: killed and run again, the job goes on where it was.
"""

from __future__ import annotations

from datetime import UTC, datetime, time

import sqlalchemy as sa
import structlog

from service.database import read_session, write_session
from service.erasures.erasing import clean_bytes, erase_past
from service.erasures.schemas import ErasureCounts
from service.erasures.tables import ErasureTable
from service.jobs.queries import JobKind, finish_job, report_progress, request_job, start_job
from service.notes.prints import words_of
from service.retention import queries
from service.retention.rules import Rules, read_rules

BATCH_NOTES = 200
_log = structlog.get_logger()


def ask_to_apply_retention(engine: sa.Engine, now: datetime) -> None:
    """Ask for what is past retention to be erased, once a day: notes pass by whole days."""
    today = datetime.combine(now.date(), time.min, UTC)
    with read_session(engine) as session:
        rules = read_rules(session)
        due = rules.days and not queries.applied_since(session, today)
        due = due and bool(queries.count_past(session, rules, now) or queries.count_records_past(session, rules, now))
    if due:
        with write_session(engine) as session:
            request_job(session, JobKind.APPLY_RETENTION, by="schedule", now=now)


class ApplyRetention:
    """The handler of the job."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def run(self, job_id: int) -> None:
        """Erase in batches, then make the bytes leave the files."""
        now = datetime.now(UTC)
        with write_session(self._engine) as session:
            if start_job(session, job_id, now) is None:
                return
            rules = read_rules(session)
            total = sum(queries.count_past(session, rules, now).values())
            report_progress(session, job_id, 0, total)
        counts = self._erase(job_id, rules, total, now)
        if counts.notes or counts.records:
            clean_bytes(self._engine)
        with write_session(self._engine) as session:
            finish_job(session, job_id, datetime.now(UTC), result=counts.model_dump())
        _log.info("retention_applied", notes=counts.notes, records=counts.records)

    def _erase(self, job_id: int, rules: Rules, total: int, now: datetime) -> ErasureCounts:
        """Erase all that is past, and write down that it was done."""
        with read_session(self._engine) as session:
            said = (
                {word for text in queries.texts_kept(session, rules, now) for word in words_of(text)} if total else ()
            )
        whole, row_id = ErasureCounts(), None
        while True:
            with write_session(self._engine) as session:
                notes = queries.notes_past(session, rules, now, BATCH_NOTES)
                emptied = 0 if notes else queries.forget_records(session, rules, now)
                if not notes and not emptied:
                    return whole
                row = session.get(ErasureTable, row_id) if row_id else None
                if row is None:
                    row = ErasureTable(kind=queries.RETENTION, requested_by="schedule", created_at=now, counts={})
                    session.add(row)
                    session.flush()
                done = erase_past(session, notes, frozenset(said), now, row.id) if notes else ErasureCounts()
                done.records += emptied
                whole = whole.plus(done)
                row.counts, row_id = whole.model_dump(), row.id
                report_progress(session, job_id, whole.notes, total)
