"""Counts for the operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.database import is_sqlite
from service.deliveries.events import DeliveryState
from service.jobs.queries import JobState, WorkerState, living_workers
from service.jobs.tables import JobTable
from service.outgoing_tables import OutgoingTable
from service.reports.tables import ReportTable
from service.tables import NoteTable

FAILURES_SHOWN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far the reading is: notes in each state, and workers that are ready."""

    waiting: int
    queued: int
    failed: int
    analysed: int
    workers: int


def read_backlog(session: Session, now: datetime) -> Backlog:
    """Count notes by how far their analysis is; erased ones are left out."""
    unanalysed = NoteTable.analysed_revision < NoteTable.revision
    failed = sa.and_(unanalysed, NoteTable.failure.is_not(None))
    waiting = sa.and_(unanalysed, NoteTable.failure.is_(None), NoteTable.queued_revision < NoteTable.revision)
    present = sa.select(sa.func.count()).select_from(NoteTable).where(NoteTable.deleted_at.is_(None))
    counts = session.execute(
        sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(sa.case((failed, 1), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((waiting, 1), else_=0)), 0),
        ).where(unanalysed, NoteTable.deleted_at.is_(None))
    ).one()
    total = session.scalar(present) or 0
    return Backlog(
        waiting=counts[2],
        queued=counts[0] - counts[1] - counts[2],
        failed=counts[1],
        analysed=total - counts[0],
        workers=len(living_workers(session, now, WorkerState.READY)),
    )


def oldest_waiting(session: Session) -> datetime | None:
    """Return when the note was changed that waits longest for its analysis."""
    waiting = sa.and_(NoteTable.analysed_revision < NoteTable.revision, NoteTable.failure.is_(None))
    return session.scalar(sa.select(sa.func.min(NoteTable.updated_at)).where(waiting))


def count_failed_jobs(session: Session, now: datetime) -> int:
    """Count the long work of the last week that failed."""
    recent = (JobTable.state == JobState.FAILED, JobTable.finished_at > now - FAILURES_SHOWN)
    return session.scalar(sa.select(sa.func.count()).select_from(JobTable).where(*recent)) or 0


def count_waiting_deliveries(session: Session) -> int:
    """Count what waits to be sent."""
    waiting = OutgoingTable.state == DeliveryState.WAITING
    return session.scalar(sa.select(sa.func.count()).select_from(OutgoingTable).where(waiting)) or 0


def last_report(session: Session) -> tuple[str, datetime] | None:
    """Return the month of the last report, and when it was built."""
    row = session.execute(
        sa.select(ReportTable.month, ReportTable.created_at).order_by(ReportTable.created_at.desc()).limit(1)
    ).first()
    return (row.month, row.created_at) if row else None


def database_bytes(session: Session) -> int | None:
    """Return the size of the database, of SQLite with its free pages."""
    if is_sqlite(session):
        pages, size = (session.scalar(sa.text(f"pragma {name}")) for name in ("page_count", "page_size"))
        return int(pages) * int(size)
    size = session.scalar(sa.text("select pg_database_size(current_database())"))
    return None if size is None else int(size)
