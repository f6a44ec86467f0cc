"""Imports in SQL: what was sent in, how far it is, what was refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.filters import name_key
from service.imports.records import Record
from service.imports.refused import to_mend
from service.jobs.queries import JobState
from service.jobs.tables import JobTable
from service.notes.intake import RejectedNote, refuse_ambiguous
from service.notes.queries import store_notes
from service.notes.schemas import IncomingNote, Result
from service.source_tables import ImportRefusalTable, ImportTable
from service.tables import AccountTable, AuthorTable

MAX_REFUSALS_KEPT = 20_000
SKIPPED = "skipped"
WARNED = "warned"

ImportRow = tuple[ImportTable, JobTable | None]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that is no note, or (`taken`) what of a note was left out."""

    record: Record
    reason: RejectedNote
    taken: bool = False


def no_results() -> dict[str, int]:
    """Return the counts of an import that has not begun."""
    return {**{result.value: 0 for result in Result}, SKIPPED: 0, WARNED: 0}


def store_records(session: Session, records: Sequence[Record], now: datetime) -> tuple[dict[str, int], list[LeftOut]]:
    """Store the notes of a batch.

    Returns:
        How many came to which result, and what was refused, skipped or left out of a note.
    """
    results = no_results()
    checked = refuse_ambiguous([record.note for record in records])
    stored = iter(store_notes(session, [note for note in checked if isinstance(note, IncomingNote)], now))
    left_out = []
    for record, note in zip(records, checked, strict=True):
        became = None if isinstance(note, RejectedNote) else next(stored)
        if became and became.error:  # past retention: what it says is not kept
            results[Result.REJECTED] += 1
            left_out.append(LeftOut(replace(record, cells=()), RejectedNote(became.external_id, became.error)))
            continue
        if became:
            results[became.result] += 1
        if isinstance(note, RejectedNote):
            results[SKIPPED if record.skipped else Result.REJECTED] += 1
            left_out.append(LeftOut(record, note))
        elif record.warnings:
            results[WARNED] += 1
            left_out += [LeftOut(record, RejectedNote(note.external_id, one), taken=True) for one in record.warnings]
    return results, left_out


def save_batch(session: Session, row: ImportTable, records: Sequence[Record], now: datetime) -> None:
    """Store a batch of an import with what it refuses, and move its cursor, all in the caller's transaction."""
    results, left_out = store_records(session, records, now)
    kept = row.results[Result.REJECTED] + row.results[SKIPPED] + row.results.get(WARNED, 0)
    row.results = {name: row.results.get(name, 0) + count for name, count in results.items()}
    row.records += len(records)
    for one in left_out[: max(0, MAX_REFUSALS_KEPT - kept)]:
        session.add(_refusal(row.id, one))


def _refusal(import_id: int, left_out: LeftOut) -> ImportRefusalTable:
    record, reason = left_out.record, left_out.reason
    return ImportRefusalTable(
        import_id=import_id,
        number=record.number,
        member=_storable(record.member[:500]),
        external_id=reason.external_id,
        field=reason.error.field,
        code=reason.error.code,
        message=reason.error.message,
        cells=named_cells(record),
        skipped=record.skipped,
        taken=left_out.taken,
    )


def named_cells(record: Record) -> dict[str, str]:
    """Return a row's cells by column; the second column of a name is called `NAME (2)`."""
    named: dict[str, str] = {}
    for name, cell in zip(record.columns, record.cells, strict=False):
        count = 1
        key = name
        while key in named:
            count += 1
            key = f"{name} ({count})"
        named[_storable(key)] = _storable(cell)
    return named


def _storable(text: str) -> str:
    """Return what a database takes: it can't hold U+0000 and bytes that are no text."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def has_account(session: Session, name: str) -> bool:
    """Tell whether an account of this name is known."""
    return (
        session.scalar(sa.select(AccountTable.id).where(AccountTable.name_key == name_key(name)).limit(1)) is not None
    )


def has_author(session: Session, name: str) -> bool:
    """Tell whether somebody who writes notes has this name, as it is written or in other case."""
    bare = " ".join(name.split())
    same = sa.or_(AuthorTable.name == bare, sa.func.lower(AuthorTable.name) == bare.lower(), AuthorTable.key == bare)
    return session.scalar(sa.select(AuthorTable.id).where(same).limit(1)) is not None


def find_duplicate(session: Session, fingerprint: str) -> ImportRow | None:
    """Return the import of the same bytes read in the same way, unless it failed."""
    query = (
        _with_job()
        .where(ImportTable.fingerprint == fingerprint, ImportTable.failure.is_(None))
        .where(sa.or_(JobTable.id.is_(None), JobTable.state != JobState.FAILED))
        .order_by(ImportTable.id.desc())
        .limit(1)
    )
    return _row(session.execute(query).one_or_none())


def _with_job() -> sa.Select[ImportTable, JobTable]:
    return sa.select(ImportTable, JobTable).outerjoin(JobTable, JobTable.id == ImportTable.job_id)


def _row(found: Any) -> ImportRow | None:
    return (found[0], found[1]) if found else None


def get_import(session: Session, import_id: int) -> ImportRow | None:
    """Return an import with its job."""
    return _row(session.execute(_with_job().where(ImportTable.id == import_id)).one_or_none())


def list_imports(session: Session, *, limit: int, before: int | None) -> tuple[list[ImportRow], int]:
    """Return one page of imports, latest first, and how many there are."""
    query = _with_job().order_by(ImportTable.id.desc()).limit(limit)
    if before is not None:
        query = query.where(ImportTable.id < before)
    total = session.scalar(sa.select(sa.func.count()).select_from(ImportTable)) or 0
    return [(found[0], found[1]) for found in session.execute(query)], total


def list_refusals(
    session: Session, import_id: int, *, limit: int, after: int = 0
) -> tuple[list[ImportRefusalTable], int]:
    """Return one page of what an import left out, in order, and how many are kept."""
    condition = ImportRefusalTable.import_id == import_id
    query = sa.select(ImportRefusalTable).where(condition, ImportRefusalTable.id > after)
    query = query.order_by(ImportRefusalTable.id).limit(limit)
    total = session.scalar(sa.select(sa.func.count()).select_from(ImportRefusalTable).where(condition)) or 0
    return list(session.scalars(query)), total


def every_refusal(session: Session, import_id: int) -> Iterator[ImportRefusalTable]:
    """Give all that an import left out, in order, a few at a time."""
    after = 0
    while page := list_refusals(session, import_id, limit=500, after=after)[0]:
        yield from page
        after = page[-1].id
        session.expunge_all()


def each_refusal(session: Session, import_id: int) -> Iterator[ImportRefusalTable]:
    """Give all of an import that can be mended, in order, a few at a time."""
    for one in every_refusal(session, import_id):
        if to_mend(one.code, one.cells, skipped=one.skipped, taken=one.taken):
            yield one
