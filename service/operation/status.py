"""The state of the installation in one look, and what needs a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from service.operation import queries
from service.operation.disk import COMFORTABLE_MIB, free_mib
from service.operation.queries import Backlog
from service.settings import Settings
from service.source_tables import SourceActivityTable
from service.sources.faults.queries import count_faults
from service.sources.freshness import is_late
from service.sources.queries import activity
from service.themes.storage import last_fit

DEEP_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class SourceState:
    """How fresh a connection is."""

    source: str
    connection: str
    last_note_at: datetime | None
    late: bool


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that a person should look at: `code` is stable, `count` how much of it there is."""

    code: str
    count: int


@dataclass(frozen=True, slots=True)
class Status:
    """The state as the database has it, sizes in bytes and MiB."""

    backlog: Backlog
    oldest_waiting_seconds: float | None
    sources: list[SourceState]
    set_aside: int
    failed_jobs: int
    last_fit_at: datetime | None
    last_report: str | None
    last_report_at: datetime | None
    free_mib: int
    database: str
    database_bytes: int | None
    attention: list[Attention]


def read_status(session: Session, settings: Settings, now: datetime) -> Status:
    """Look at everything."""
    backlog = queries.read_backlog(session, now)
    sources = [_source(row, now) for row in activity(session)]
    aside, free = count_faults(session), free_mib(settings)
    failed_jobs = queries.count_failed_jobs(session, now)
    report = queries.last_report(session)
    checks = {
        "no_worker": int(not backlog.workers),
        "deep_backlog": backlog.waiting if backlog.waiting > DEEP_SHARE * settings.max_backlog else 0,
        "low_disk": free if free < COMFORTABLE_MIB else 0,
        "failed_notes": backlog.failed,
        "failed_jobs": failed_jobs,
        "set_aside": aside,
        "late_sources": sum(source.late for source in sources),
    }
    fit = last_fit(session)
    oldest = queries.oldest_waiting(session)
    return Status(
        backlog=backlog,
        oldest_waiting_seconds=max((now - oldest).total_seconds(), 0.0) if oldest else None,
        sources=sources,
        set_aside=aside,
        failed_jobs=failed_jobs,
        last_fit_at=fit.finished_at if fit else None,
        last_report=report[0] if report else None,
        last_report_at=report[1] if report else None,
        free_mib=free,
        database=session.get_bind().dialect.name,
        database_bytes=queries.database_bytes(session),
        attention=[Attention(code, count) for code, count in checks.items() if count],
    )


def _source(row: SourceActivityTable, now: datetime) -> SourceState:
    return SourceState(row.source, row.connection, row.last_note_at, is_late(row, now))
