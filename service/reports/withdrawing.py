"""Following erasures into frozen reports.

Where an edition holds what is erased, a new edition is made without it that says so, and the old one is withdrawn: its
files and all its quotes are gone, its figures can still be listed. An edition that was made because notes passed their
retention loses those that pass later in place: else a month would have an edition a day.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.database import read_session, write_session
from service.erasures.traces import Traces
from service.insights.schemas import Label
from service.reports import queries
from service.reports.editions import frozen
from service.reports.schemas import Difference, ReportContent
from service.reports.tables import ReportLedgerTable, ReportQuoteTable, ReportTable

_PROSE = ("account", "en", "fr", "name", "reason", "team", "text")  # fields with names, or words of notes


class Cause(StrEnum):
    """Why words leave a report; it stands as the maker of the new edition."""

    ERASURE = "erasure"
    RETENTION = "retention"


_WHY = {
    Cause.ERASURE: Label(en="Why: an erasure; quotes that went", fr="Cause : un effacement ; citations retirées"),
    Cause.RETENTION: Label(
        en="Why: notes are kept no longer; quotes that went",
        fr="Cause : notes arrivées à leur terme ; citations retirées",
    ),
}


@dataclass(frozen=True, slots=True)
class _Rest:
    """What is left of an edition without what is erased.

    Attributes:
        notes: Ids of the erased notes that it quotes.
        quotes: How many quotes of these it had.
    """

    document: dict[str, Any]
    differences: list[Any]
    reason: str | None
    notes: set[int]
    quotes: int


def follow_erasures(
    session: Session,
    now: datetime,
    *,
    cause: Cause = Cause.ERASURE,
    traces: Traces | None = None,
    months: Sequence[str] | None = None,
) -> int:
    """Take quotes of erased notes out of reports, and erased names and words where there are traces of them.

    Args:
        session: The transaction that erases, or a later one.
        now: The time.
        cause: Why.
        traces: Of what is erased; without them quotes alone are looked at.
        months: Whose reports; all without them.

    Returns:
        How many editions lost something.
    """
    queries.lock_reports(session)
    wanted = [ReportTable.month.in_(months)] if months is not None else []
    rows = session.scalars(sa.select(ReportTable).where(*wanted).order_by(ReportTable.month, ReportTable.edition))
    count = 0
    for _month, editions in groupby(rows.all(), key=lambda row: row.month):
        count += _follow(session, list(editions), traces, cause, now)
    return count


def _follow(
    session: Session, editions: Sequence[ReportTable], traces: Traces | None, cause: Cause, now: datetime
) -> int:
    """Follow into a month's editions, in their order."""
    found = [(row, rest) for row in editions if (rest := _rest(session, row, traces))]
    last, replaced_by = editions[-1], editions[-1].edition
    for row, rest in reversed(found):
        in_place = row is last and cause == row.created_by == Cause.RETENTION
        if row is last and not in_place:
            replaced_by = _new_edition(session, row, rest, cause, now).edition
        _rewrite(session, row, rest, withdrawn=not in_place)
        if not in_place:
            row.withdrawn_at, row.replaced_by = row.withdrawn_at or now, replaced_by
    session.flush()
    return len(found)


def _rest(session: Session, row: ReportTable, traces: Traces | None) -> _Rest | None:
    """Return what is left of an edition; None where it holds nothing that is erased."""
    document = json.loads(row.content)
    notes = queries.quoted_and_erased(session, row.id)
    quotes = _strike(document, {str(note_id) for note_id in notes}) if notes else 0
    differences, reason = row.differences, row.reason
    before = (document, differences, reason)
    if traces:
        document, differences = traces.strike_in(document, _PROSE), traces.strike_in(differences, _PROSE)
        reason = traces.strike_in(reason)
    if quotes or (document, differences, reason) != before:
        return _Rest(document, differences, reason, notes, quotes)
    queries.forget_quotes(session, row.id, sorted(notes))
    return None


def _new_edition(session: Session, row: ReportTable, rest: _Rest, cause: Cause, now: datetime) -> ReportTable:
    why = Difference(about=_WHY[cause], before=None, after=rest.quotes)
    fresh = ReportTable(
        month=row.month,
        edition=row.edition + 1,
        **frozen(ReportContent.model_validate(rest.document)),
        differences=[why.model_dump(mode="json")],
        created_by=cause,
        created_at=now,
        erased=row.erased + rest.quotes,
    )
    session.add(fresh)
    session.flush()
    ledger = queries.find_ledger(session, row.id)
    if ledger is not None:
        session.add(ReportLedgerTable(report_id=fresh.id, content=ledger))
    quoted = queries.quoted_notes(session, row.id) - rest.notes
    session.add_all(ReportQuoteTable(report_id=fresh.id, note_id=note_id) for note_id in sorted(quoted))
    session.flush()
    return fresh


def _rewrite(session: Session, row: ReportTable, rest: _Rest, *, withdrawn: bool) -> None:
    """Write an edition over without what is erased; one that is withdrawn loses all its quotes and its files."""
    if withdrawn:
        _strike(rest.document, None)
    for name, value in frozen(ReportContent.model_validate(rest.document)).items():
        setattr(row, name, value)
    row.differences, row.reason, row.erased = rest.differences, rest.reason, row.erased + rest.quotes
    gone = queries.quoted_notes(session, row.id) if withdrawn else rest.notes
    queries.forget_quotes(session, row.id, sorted(gone))
    queries.drop_files(session, row.id)


def _strike(value: Any, note_ids: Collection[str] | None) -> int:
    """Remove the quotes of notes, or all, from a document in place; return how many."""
    if isinstance(value, list):
        quotes = [one for one in value if isinstance(one, dict) and "followed_by" in one]
        gone = [one for one in quotes if note_ids is None or one["note_id"] in note_ids]
        for one in gone:
            value.remove(one)
        return len(gone) + sum(_strike(one, note_ids) for one in value)
    return sum(_strike(one, note_ids) for one in value.values()) if isinstance(value, dict) else 0


def read_edition(engine: sa.Engine, month: str, edition: int | None = None) -> ReportTable | None:
    """Return an edition, the latest without a number, without the words of notes that are erased by now."""
    with read_session(engine) as session:
        row = queries.find_report(session, month, edition)
        stale = row is not None and bool(queries.quoted_and_erased(session, row.id))
    if stale:
        with write_session(engine) as session:
            follow_erasures(session, datetime.now(UTC), months=[month])
        with read_session(engine) as session:
            row = queries.find_report(session, month, edition)
    return row
