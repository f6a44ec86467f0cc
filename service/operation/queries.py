"""Counts for the operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.jobs.queries import WorkerState, living_workers
from service.tables import NoteTable


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
