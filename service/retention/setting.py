"""Setting a rule: what it would erase is counted first, by setting it and rolling back."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.database import write_session
from service.jobs.queries import JobKind, request_job
from service.retention import queries
from service.retention.rules import EVERY, Rules
from service.retention.schemas import Past, Retention, RetentionChange, RetentionRule


def change_rule(engine: sa.Engine, change: RetentionChange, by: str, now: datetime) -> Retention:
    """Set a rule or take it back, and have what is past it erased; without `confirm` nothing is changed."""
    if not change.confirm:
        with Session(engine) as session:
            queries.set_rule(session, change.source or EVERY, change.days, by, now)
            told = read_retention(session, now)
            session.rollback()
        return told.model_copy(update={"confirmed": False})
    with write_session(engine) as session:
        queries.set_rule(session, change.source or EVERY, change.days, by, now)
        told = read_retention(session, now)
        if told.past.notes or told.past.records:
            request_job(session, JobKind.APPLY_RETENTION, by=by, now=now)
    return told


def read_retention(session: Session, now: datetime) -> Retention:
    """Return the rules, and what is past them."""
    rows = queries.list_rules(session)
    rules = Rules({row.source: row.days for row in rows})
    past = queries.count_past(session, rules, now)
    shown = []
    for row in rows:
        first = rules.first_kept(row.source, now)
        assert first is not None, "it has a rule"
        source = None if row.source == EVERY else row.source
        shown.append(
            RetentionRule(source=source, days=row.days, first_kept=first, set_by=row.set_by, set_at=row.set_at)
        )
    records = queries.count_records_past(session, rules, now)
    return Retention(rules=shown, past=Past(notes=sum(past.values()), by_source=past, records=records))
