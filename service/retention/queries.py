"""Rules of retention in SQL, and what is past them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.erasures.traces import ERASED
from service.jobs.queries import JobKind, JobState
from service.jobs.tables import JobTable
from service.retention.rules import Rules
from service.retention.tables import RetentionRuleTable
from service.source_tables import ImportRefusalTable, ImportTable, SetAsideTable
from service.sources.faults.queries import FaultState, settle
from service.tables import NoteTable

IMPORTED = "import"  # the source of notes of files that name none
RETENTION = "retention"  # who erases
_BATCH = 500


def list_rules(session: Session) -> list[RetentionRuleTable]:
    """Return the rules, that of every source first."""
    return list(session.scalars(sa.select(RetentionRuleTable).order_by(RetentionRuleTable.source)))


def set_rule(session: Session, source: str, days: int | None, by: str, now: datetime) -> None:
    """Keep the notes of a source so many days; None takes its rule back."""
    table = RetentionRuleTable
    row = session.scalar(sa.select(table).where(table.source == source).with_for_update())
    if days is None:
        if row is not None:
            session.delete(row)
    elif row is None:
        session.add(table(source=source, days=days, set_by=by, set_at=now))
    else:
        row.days, row.set_by, row.set_at = days, by, now
    session.flush()


def count_past(session: Session, rules: Rules, now: datetime) -> dict[str, int]:
    """Count the notes past retention, by source."""
    query = sa.select(NoteTable.source, sa.func.count()).where(rules.notes_past(now)).group_by(NoteTable.source)
    return {row[0]: row[1] for row in session.execute(query.order_by(NoteTable.source))}


def count_records_past(session: Session, rules: Rules, now: datetime) -> int:
    """Count faults and refused rows past retention whose content is kept."""
    faults = sa.select(sa.func.count()).select_from(SetAsideTable).where(_faults_past(rules, now))
    refused = sa.select(sa.func.count()).select_from(ImportRefusalTable).where(_refusals_of(session, rules, now))
    return (session.scalar(faults) or 0) + (session.scalar(refused) or 0)


def notes_past(session: Session, rules: Rules, now: datetime, limit: int) -> list[NoteTable]:
    """Return some of the notes past retention for update, the first that came first."""
    query = sa.select(NoteTable).where(rules.notes_past(now)).order_by(NoteTable.id).limit(limit)
    return list(session.scalars(query.with_for_update()))


def texts_kept(session: Session, rules: Rules, now: datetime) -> Iterator[str]:
    """Yield the texts of all living notes that are not past retention."""
    query = sa.select(NoteTable.text).where(NoteTable.deleted_at.is_(None), sa.not_(rules.notes_past(now)))
    yield from session.scalars(query.execution_options(yield_per=_BATCH))


def forget_records(session: Session, rules: Rules, now: datetime) -> int:
    """Empty faults and refused rows past retention; return how many."""
    faults = list(session.scalars(sa.select(SetAsideTable).where(_faults_past(rules, now)).with_for_update()))
    settle(session, faults, FaultState.DISMISSED, RETENTION, now)
    for fault in faults:
        fault.reason, fault.external_id = ERASED, None
    emptied: dict[str, Any] = {"cells": {}, "message": ERASED, "external_id": None, "member": ""}
    refused = sa.update(ImportRefusalTable).where(_refusals_of(session, rules, now))
    count = session.scalars(refused.values(**emptied).returning(ImportRefusalTable.id)).all()
    return len(faults) + len(count)


def _faults_past(rules: Rules, now: datetime) -> sa.ColumnElement[bool]:
    past = rules.past(SetAsideTable.source, [SetAsideTable.received_at], now)
    return sa.and_(past, SetAsideTable.state == FaultState.OPEN)


def _refusals_of(session: Session, rules: Rules, now: datetime) -> sa.ColumnElement[bool]:
    """Return the condition that rows were refused by imports past retention."""
    past = []
    for row in session.execute(sa.select(ImportTable.id, ImportTable.options, ImportTable.created_at)):
        first = rules.first_kept(row.options.get("source") or IMPORTED, now)
        if first is not None and row.created_at < first:
            past.append(row.id)
    return sa.and_(ImportRefusalTable.import_id.in_(past), ImportRefusalTable.message != ERASED)


def applied_since(session: Session, since: datetime) -> bool:
    """Tell whether the rules were applied, or asked to be, since a time."""
    mine = (JobTable.kind == JobKind.APPLY_RETENTION, JobTable.created_at >= since, JobTable.state != JobState.FAILED)
    return session.scalar(sa.select(JobTable.id).where(*mine).limit(1)) is not None
