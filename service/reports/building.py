"""The job that builds a report, and the duties that keep reports right: the month's close, and erasures."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from service.database import read_session, write_session
from service.deliveries.events import EventType, announce
from service.jobs.queries import UNFINISHED, JobKind, add_job, finish_job, has_unfinished, request_job, start_job
from service.jobs.tables import JobTable
from service.reports import queries
from service.reports.content import month_name
from service.reports.editions import Draft, draft, edition_output, read_content, render_all, store, store_files_anew
from service.reports.withdrawing import follow_erasures

FIRST_DAY = 2  # of the month, UTC: by then the month has ended everywhere
LAST_DAY = 10  # later, a month is closed by hand

_log = structlog.get_logger()


class BuildReport:
    """The handler of a report's job."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def run(self, job_id: int) -> None:
        """Build the month's report; run twice, the second time finds nothing new."""
        now = datetime.now(UTC)
        with write_session(self._engine) as session:
            params = start_job(session, job_id, now)
        if params is None:
            return
        edition = build(
            self._engine, params["month"], now, by=params.get("by", "schedule"), reason=params.get("reason")
        )
        with write_session(self._engine) as session:
            finish_job(session, job_id, datetime.now(UTC), result={"month": params["month"], "edition": edition})
        _log.info("report_built", month=params["month"], edition=edition)


def build(engine: sa.Engine, month: str, now: datetime, *, by: str, reason: str | None = None) -> int:
    """Freeze a month's report and announce it, unless nothing is new; return the number of its latest edition.

    Where another stored the same edition meanwhile, that one stands, and this one is compared with it.
    """
    with read_session(engine) as session:
        made = draft(session, month, now, by=by, reason=reason)
    if made is None:
        return _latest(engine, month)
    renderings = render_all(made)
    try:
        with write_session(engine) as session:
            row = store(session, made, renderings)
            data = {"month": month, "edition": row.edition, "sha256": row.sha256, "url": f"/reports/{month}"}
            announce(session, EventType.REPORT_FINISHED, data, now=now)
            return row.edition
    except sa.exc.IntegrityError:
        if _latest(engine, month) < made.edition.edition:
            raise
    return build(engine, month, now, by=by, reason=reason)


def _latest(engine: sa.Engine, month: str) -> int:
    """Return the number of a month's latest edition; 0 where there is none."""
    with read_session(engine) as session:
        row = queries.find_report(session, month)
        return row.edition if row else 0


def request_report(session: Session, month: str, *, by: str, now: datetime, reason: str | None = None) -> JobTable:
    """Ask for a month's report; while the same is asked for and unfinished, that job is returned."""
    waiting = sa.select(JobTable).where(JobTable.kind == JobKind.BUILD_REPORT, JobTable.state.in_(UNFINISHED))
    for job in session.scalars(waiting):
        if job.params.get("month") == month:
            return job
    return add_job(session, JobKind.BUILD_REPORT, by=by, now=now, params={"month": month, "by": by, "reason": reason})


def close_month(engine: sa.Engine, now: datetime) -> None:
    """Ask for the report of the month before, once it has ended everywhere and all its notes are read."""
    if not FIRST_DAY <= now.day <= LAST_DAY:
        return
    with read_session(engine) as session:
        if has_unfinished(session):
            return
        period = queries.month_to_close(session, now.date())
    if period:
        with write_session(engine) as session:
            request_report(session, month_name(period), by="schedule", now=now)


def ask_to_follow_erasures(engine: sa.Engine, now: datetime) -> None:
    """Ask for the erased notes' quotes to be taken out of reports, where there are any."""
    with read_session(engine) as session:
        stale = queries.months_quoting_erased(session)
    if stale:
        with write_session(engine) as session:
            request_job(session, JobKind.FOLLOW_ERASURES, by="schedule", now=now)


class FollowErasures:
    """The handler that replaces the editions that quote erased notes."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def run(self, job_id: int) -> None:
        """Replace the editions at once, then make the files of the new ones."""
        with write_session(self._engine) as session:
            if start_job(session, job_id, datetime.now(UTC)) is None:
                return
        with read_session(self._engine) as session:
            months = queries.months_quoting_erased(session)
        count = 0
        for month in months:
            with write_session(self._engine) as session:
                count += follow_erasures(session, datetime.now(UTC), months=[month])
            with read_session(self._engine) as session:
                row = queries.find_report(session, month)
                made = Draft(read_content(row), edition_output(row), {}) if row else None
            if made:
                renderings = render_all(made)
                with write_session(self._engine) as session:
                    store_files_anew(session, made, renderings)
        with write_session(self._engine) as session:
            finish_job(session, job_id, datetime.now(UTC), result={"editions": count})
