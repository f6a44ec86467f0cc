"""Notes in SQL: storing revisions, reading back, erasing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from service.database import insert_ignoring
from service.erasures.memory import erased_notes
from service.filters import NoteFilters, day_conditions, note_conditions
from service.notes.links import FINDINGS, Links, link, version_ms
from service.notes.schemas import AnalysisState, IncomingNote, NoteError, Result
from service.notes.tables import NotePrintTable
from service.operation.instruments import COUNTED_SOURCES, NOTES_TAKEN
from service.retention.rules import read_rules
from service.tables import (
    AccountTable,
    AuthorTable,
    CorrectedNoteTable,
    CorrectionTable,
    DealTable,
    NoteTable,
)
from service.tracing import traceparent


@dataclass(frozen=True, slots=True)
class StoredNote:
    """What became of an incoming note; one that is rejected has no id, and an error."""

    external_id: str
    id: int | None
    result: Result
    error: NoteError | None = None


def store_notes(session: Session, notes: Sequence[IncomingNote], now: datetime) -> list[StoredNote]:
    """Insert or update notes, in order.

    A note is the same as one stored when `source` and `external_id` are. The newer version wins, by `updated_at` or
    else by arrival; a version whose content is the same still moves the stored version forward, so that an edit that
    comes late can't overwrite it. One that was erased for good stays away, as stale; one that is past retention is
    rejected.

    Returns:
        What became of each note, in order.
    """
    gone = erased_notes(session, {_key(note) for note in notes})
    rules = read_rules(session)
    past = [None if note.deleted else rules.refusal(note.source, note.occurred_at, now) for note in notes]
    taken = [note for note, error in zip(notes, past, strict=True) if _key(note) not in gone and not error]
    stored = iter(_store(session, taken, now))
    results = []
    for note, error in zip(notes, past, strict=True):
        key = _key(note)
        if key in gone:
            results.append(StoredNote(key[1], gone[key], Result.STALE))
        else:
            results.append(StoredNote(key[1], None, Result.REJECTED, error) if error else next(stored))
    return results


def _store(session: Session, notes: Sequence[IncomingNote], now: datetime) -> list[StoredNote]:
    # Deals and accounts are locked before notes, always: who finds a note locked already holds what its holder needs.
    links = link(session, [note for note in notes if not note.deleted], now)
    rows = _lock(session, sorted({_key(note) for note in notes}))
    new = {_key(note): note for note in reversed(notes) if _key(note) not in rows}  # the first note of each new key
    created = _insert(session, new, links, now)
    again = {key for key in new if key not in created} | {_key(n) for n in notes if n is not new.get(_key(n), n)}
    rows |= _lock(session, sorted(again - rows.keys()))
    stored = []
    for note in notes:
        key = _key(note)
        if key in created and note is new[key]:
            stored.append(StoredNote(key[1], created[key], Result.DELETED if note.deleted else Result.CREATED))
        else:
            stored.append(StoredNote(key[1], rows[key].id, _apply(session, rows[key], note, links, now)))
    results = Counter((note.source, one.result) for note, one in zip(notes, stored, strict=True))
    event.listen(session, "after_commit", lambda _session: _count(results), once=True)
    return stored


def _count(results: Counter[tuple[str, Result]]) -> None:
    for (source, result), count in results.items():
        NOTES_TAKEN.labels(source if source in COUNTED_SOURCES else "other", result).inc(count)


def _key(note: IncomingNote) -> tuple[str, str]:
    return note.source, str(note.external_id)


def _lock(session: Session, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], NoteTable]:
    """Read the notes with these keys for update; on SQLite the transaction holds the write lock already."""
    found: dict[tuple[str, str], NoteTable] = {}
    by_source: dict[str, list[str]] = {}
    for source, external_id in keys:
        by_source.setdefault(source, []).append(external_id)
    for source, external_ids in by_source.items():
        query = (
            sa.select(NoteTable)
            .where(NoteTable.source == source, NoteTable.external_id.in_(external_ids))
            .order_by(NoteTable.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        found |= {(row.source, row.external_id): row for row in session.scalars(query)}
    return found


def _insert(
    session: Session, new: dict[tuple[str, str], IncomingNote], links: Links, now: datetime
) -> dict[tuple[str, str], int]:
    """Insert notes; return the ids of those that no other transaction inserted first, by key."""
    if not new:
        return {}
    values = [
        {
            "source": source,
            "external_id": external_id,
            "occurred_at": now,
            "received_at": now,
            "revision": 1,
            "analysed_revision": int(note.deleted),
            "queued_revision": int(note.deleted),
            **_content(note, links, now),
        }
        for (source, external_id), note in sorted(new.items())
    ]
    statement = insert_ignoring(session, NoteTable, ("source", "external_id"))
    returned = session.execute(statement.returning(NoteTable.id, NoteTable.source, NoteTable.external_id), values)
    return {(row.source, row.external_id): row.id for row in returned}


def _content(note: IncomingNote, links: Links, now: datetime) -> dict[str, Any]:
    """Return the columns that a revision of a note sets."""
    content = {
        "content_hash": note.content_hash(),
        "version_ms": version_ms(note, now),
        "updated_at": now,
        "deleted_at": now if note.deleted else None,
        "kind": note.kind,
        "text": note.text,
        "declared_language": note.language,
        "author_id": links.authors.get(note.author.id) if note.author else None,
        "account_id": links.account_of(note),
        "deal_id": links.deals.get(note.deal.id) if note.deal else None,
        "traceparent": traceparent(),
    }
    return content | ({"occurred_at": note.occurred_at} if note.occurred_at else {})


def _apply(session: Session, row: NoteTable, note: IncomingNote, links: Links, now: datetime) -> Result:
    content = _content(note, links, now)
    if note.updated_at is None:  # newer than what is stored, whichever of two requests looked at its clock first
        content["version_ms"] = max(content["version_ms"], row.version_ms)
    if content["version_ms"] < row.version_ms:
        return Result.STALE
    row.version_ms = content["version_ms"]
    if row.content_hash == content["content_hash"]:
        return Result.UNCHANGED
    row.content_hash = content["content_hash"]
    row.revision += 1
    if note.deleted:
        erase(session, row, now)
        return Result.DELETED
    for name, value in content.items():
        setattr(row, name, value)
    row.failure = None
    row.attempts = 0
    return Result.UPDATED


def erase(session: Session, row: NoteTable, now: datetime) -> None:
    """Leave a tombstone: key and version stay, so that old versions do not revive it.

    Text, links, findings and corrections go.
    """
    row.text = ""
    row.account_id = row.author_id = row.deal_id = None
    row.updated_at = row.deleted_at = now
    row.queued_revision = row.analysed_revision = row.revision
    row.failure = row.duplicate_of = None
    delete_findings(session, [row.id])
    session.execute(sa.delete(NotePrintTable).where(NotePrintTable.note_id == row.id))
    release_twins(session, NoteTable.duplicate_of == row.id)
    for table in (CorrectionTable, CorrectedNoteTable):
        session.execute(sa.delete(table).where(table.note_id == row.id))


def release_twins(session: Session, condition: sa.ColumnElement[bool]) -> None:
    """Have notes read again that another one counted for: it is gone, or tells something else now."""
    requeue(session, [NoteTable.duplicate_of.is_not(None), condition])


def repeated_columns(note: NoteTable) -> dict[str, Any]:
    """Return the columns that every finding repeats from its note."""
    return {
        "note_id": note.id,
        "occurred_on": note.occurred_at.date(),
        "account_id": note.account_id,
        "author_id": note.author_id,
        "deal_id": note.deal_id,
    }


def delete_findings(session: Session, note_ids: Sequence[int]) -> None:
    """Delete all findings of notes."""
    for table in FINDINGS:
        session.execute(sa.delete(table).where(table.note_id.in_(note_ids)))


def state_condition(state: AnalysisState) -> sa.ColumnElement[bool]:
    """Return the condition on `notes` that a state of the analysis means."""
    return {
        AnalysisState.DONE: sa.and_(
            NoteTable.analysed_revision >= NoteTable.revision, NoteTable.duplicate_of.is_(None)
        ),
        AnalysisState.DUPLICATE: sa.and_(
            NoteTable.analysed_revision >= NoteTable.revision, NoteTable.duplicate_of.is_not(None)
        ),
        AnalysisState.FAILED: sa.and_(NoteTable.failure.is_not(None), NoteTable.analysed_revision < NoteTable.revision),
        AnalysisState.PENDING: sa.and_(NoteTable.failure.is_(None), NoteTable.analysed_revision < NoteTable.revision),
    }[state]


def analysis_state(note: NoteTable) -> AnalysisState:
    """Return the state of a note's analysis."""
    if note.analysed_revision >= note.revision:
        return AnalysisState.DONE if note.duplicate_of is None else AnalysisState.DUPLICATE
    return AnalysisState.FAILED if note.failure else AnalysisState.PENDING


NoteRow = tuple[NoteTable, AuthorTable | None, AccountTable | None, DealTable | None]


def list_notes(
    session: Session,
    filters: NoteFilters,
    *,
    state: AnalysisState | None,
    external_id: str | None,
    limit: int,
    before: tuple[datetime, int] | None,
) -> tuple[list[NoteRow], int]:
    """Return one page of notes, latest first, and how many there are in all.

    Args:
        before: `occurred_at` and id of the last note of the page before.
    """
    conditions = [*note_conditions(filters), *day_conditions(filters)]
    if state:
        conditions.append(state_condition(state))
    if external_id is not None:
        conditions.append(NoteTable.external_id == external_id)
    total = session.scalar(sa.select(sa.func.count()).select_from(NoteTable).where(*conditions)) or 0
    query = with_links().where(*conditions)
    if before:
        at, note_id = before
        query = query.where(
            sa.or_(NoteTable.occurred_at < at, sa.and_(NoteTable.occurred_at == at, NoteTable.id < note_id))
        )
    query = query.order_by(NoteTable.occurred_at.desc(), NoteTable.id.desc()).limit(limit)
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(query)], total


def with_links() -> sa.Select[NoteTable, AuthorTable, AccountTable, DealTable]:
    """Return the query of notes with author, account and deal."""
    return (
        sa.select(NoteTable, AuthorTable, AccountTable, DealTable)
        .outerjoin(AuthorTable, AuthorTable.id == NoteTable.author_id)
        .outerjoin(AccountTable, AccountTable.id == NoteTable.account_id)
        .outerjoin(DealTable, DealTable.id == NoteTable.deal_id)
    )


def get_note(session: Session, note_id: int) -> NoteRow | None:
    """Return a note that is not deleted, with its author, account and deal."""
    row = session.execute(with_links().where(NoteTable.id == note_id, NoteTable.deleted_at.is_(None))).one_or_none()
    return (row[0], row[1], row[2], row[3]) if row else None


def other_origins(session: Session, note: NoteTable) -> list[NoteTable]:
    """Return the same note as other sources brought it, oldest first."""
    original = note.duplicate_of or note.id
    same = sa.or_(NoteTable.id == original, NoteTable.duplicate_of == original)
    query = sa.select(NoteTable).where(same, NoteTable.id != note.id, NoteTable.deleted_at.is_(None))
    return list(session.scalars(query.order_by(NoteTable.id)))


def lock_note(session: Session, note_id: int) -> NoteTable | None:
    """Return a note that is not deleted, for update."""
    query = sa.select(NoteTable).where(NoteTable.id == note_id, NoteTable.deleted_at.is_(None)).with_for_update()
    return session.scalar(query)


def findings_of(session: Session, note_id: int, table: Any) -> list[Any]:
    """Return a note's findings of one table, in order of place."""
    return list(session.scalars(sa.select(table).where(table.note_id == note_id).order_by(table.start, table.id)))


def requeue(session: Session, conditions: Sequence[sa.ColumnElement[bool]]) -> int:
    """Have notes that are not deleted analysed again; return how many.

    A failed note starts afresh; one that is analysed keeps its findings until the new ones replace them.
    """
    statement = (
        sa.update(NoteTable)
        .where(NoteTable.deleted_at.is_(None), *conditions)
        .values(revision=NoteTable.revision + 1, failure=None, attempts=0)
        .execution_options(synchronize_session=False)
    )
    result = session.execute(statement)
    assert isinstance(result, sa.CursorResult)
    return int(result.rowcount)
