"""Erasing: what it takes along is found in one pass over the notes; all of it goes in one transaction.

The bytes follow: SQLite's pages are overwritten and its log is cut; PostgreSQL's tables are written anew.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.audit.queries import change_salt
from service.database import is_sqlite
from service.erasures import queries
from service.erasures.memory import ErasedKind, remember
from service.erasures.schemas import ErasureCounts, ErasureRequest, Subject
from service.erasures.tables import ErasureTable
from service.erasures.traces import ERASED, Traces
from service.errors import NotFound
from service.filters import milliseconds
from service.notes.queries import erase, requeue
from service.outgoing_tables import AnnouncedTable
from service.reports.withdrawing import Cause, follow_erasures
from service.saved_filters.tables import SavedFilterTable
from service.schema import METADATA
from service.search.queries import forget_words
from service.source_tables import KeptDeliveryTable
from service.sources.queries import contacts_merged_into, notes_of_contacts
from service.tables import NoteTable


@dataclass(frozen=True, slots=True)
class _Found:
    """Rows that go, and by what they are known elsewhere."""

    notes: Sequence[NoteTable]
    names: Sequence[str]
    account_ids: Sequence[int] = ()
    author_ids: Sequence[int] = ()
    contacts: Sequence[tuple[str, str]] = ()


def preview(engine: sa.Engine, request: ErasureRequest, now: datetime) -> ErasureCounts:
    """Return what an erasure would take along: it is done, counted and rolled back.

    Raises:
        NotFound: If there is nothing of that id.
    """
    with Session(engine) as session:
        counts = _erase(session, request, now, None)
        session.rollback()
    return counts


def perform(session: Session, request: ErasureRequest, by: str, now: datetime) -> ErasureTable:
    """Erase, and write down that it was done.

    Raises:
        NotFound: If there is nothing of that id.
    """
    row = ErasureTable(kind=request.kind, requested_by=by, created_at=now, counts={})
    session.add(row)
    session.flush()
    row.counts = _erase(session, request, now, row.id).model_dump()
    session.flush()
    return row


def clean_bytes(engine: sa.Engine) -> None:
    """Make what was deleted leave the files of the database; no other write goes on meanwhile."""
    with Session(engine) as session, session.begin():
        forget_words(session)
        sqlite = is_sqlite(session)
    connection = engine.raw_connection()
    driver: Any = connection.driver_connection
    try:
        if sqlite:
            driver.execute("pragma wal_checkpoint(truncate)")
        else:
            driver.autocommit = True  # VACUUM runs in no transaction
            driver.execute(f"vacuum full {', '.join(METADATA.tables)}, note_words")
            driver.autocommit = False
    finally:
        connection.close()


def _erase(session: Session, request: ErasureRequest, now: datetime, erasure_id: int | None) -> ErasureCounts:
    found = _find(session, request)
    traces = Traces([*found.names, *request.also], [note.text for note in found.notes])
    struck = [note_id for note_id, text in _others(session, found, traces) if traces.names_in(text)]
    remember(session, ErasedKind.CONTACT, [(source, one, None) for source, one in found.contacts], erasure_id)
    _bury_all(session, found.notes, found.contacts, now, erasure_id)
    _strike_notes(session, struck, traces)
    session.flush()
    queries.detach_authors(session, found.author_ids)
    queries.forget_accounts(session, found.account_ids)
    records = _strike_records(session, traces) + _strike_written(session, traces)
    counts = ErasureCounts(
        notes=len(found.notes),
        struck_notes=len(struck),
        records=records,
        reports=follow_erasures(session, now, traces=traces),
        themes=_strike_themes(session, traces),
    )
    change_salt(session)
    session.flush()
    return counts


def erase_past(
    session: Session, notes: Sequence[NoteTable], stays: Collection[str], now: datetime, erasure_id: int
) -> ErasureCounts:
    """Erase notes that are past retention, with what they alone said wherever it was written.

    Args:
        session: A transaction that holds the notes for update.
        notes: Which.
        stays: The words that notes which stay say.
        now: The time.
        erasure_id: The record of this erasure.
    """
    traces = Traces(_ids_sent(notes), [note.text for note in notes])
    traces.words.difference_update(stays)
    _bury_all(session, notes, (), now, erasure_id)
    session.flush()
    records = _strike_records(session, traces) + _strike_written(session, traces)
    reports = follow_erasures(session, now, cause=Cause.RETENTION, traces=traces)
    themes = _strike_themes(session, traces)
    session.flush()
    return ErasureCounts(notes=len(notes), records=records, reports=reports, themes=themes)


def _ids_sent(notes: Sequence[NoteTable]) -> list[str]:
    return [note.external_id for note in notes if not note.external_id.isdecimal()]


def _others(session: Session, found: _Found, traces: Traces) -> list[tuple[int, str]]:
    """Return the notes that stay and have a name; the words of those that stay are no traces."""
    named = []
    for note_id, text in queries.other_texts(session, [note.id for note in found.notes]):
        traces.keep_words_of(traces.strike_names(text))
        if traces.names_in(text):
            named.append((note_id, text))
    return named


def _find(session: Session, request: ErasureRequest) -> _Found:
    match request.kind:
        case Subject.NOTE:
            wanted = int(request.id) if request.id.isdecimal() and len(request.id) < 19 else 0
            found = _Found(queries.notes_of(session, NoteTable.id == wanted), ())
        case Subject.ACCOUNT:
            accounts = queries.accounts_named(session, request.id)
            ids = [account.id for account in accounts]
            names = [name for account in accounts for name in (account.name, account.key) if name]
            found = _Found(queries.notes_of(session, NoteTable.account_id.in_(ids)), names, account_ids=ids)
        case Subject.AUTHOR:
            authors = queries.authors_named(session, request.id)
            names = [name for author in authors for name in (author.name, author.key) if name]
            found = _Found((), names, author_ids=[author.id for author in authors])
        case Subject.CONTACT:
            source = request.source or "hubspot"
            contacts = contacts_merged_into(session, source, request.id)
            about = notes_of_contacts(session, source, contacts)
            same = sa.and_(NoteTable.source == source, NoteTable.external_id.in_(about))
            return _Found(queries.notes_of(session, same), (), contacts=[(source, one) for one in contacts])
        case Subject.PERSON:
            return _Found((), [request.id])
    if not (found.notes or found.account_ids or found.author_ids):
        raise NotFound(f"There is no {request.kind} of this id: nothing to erase.")
    return _Found(found.notes, [*found.names, *_ids_sent(found.notes)], found.account_ids, found.author_ids)


def _bury_all(
    session: Session,
    notes: Sequence[NoteTable],
    contacts: Sequence[tuple[str, str]],
    now: datetime,
    erasure_id: int | None,
) -> None:
    """Leave tombstones, by which the notes are known when they come again."""
    tombstones = [(note.source, note.external_id, note.id) for note in notes]
    remember(session, ErasedKind.NOTE, tombstones, erasure_id)
    queries.forget_links(session, notes, contacts)
    for note in notes:
        _bury(session, note, now)


def _bury(session: Session, note: NoteTable, now: datetime) -> None:
    """Leave a tombstone that does not tell the note's id in its source."""
    note.version_ms = max(note.version_ms, milliseconds(now))
    note.content_hash = ""
    note.revision += 1
    erase(session, note, now)
    note.external_id = f"{ERASED}{note.id}"
    note.deal_id = note.declared_language = note.language = None


def _strike_notes(session: Session, note_ids: Sequence[int], traces: Traces) -> None:
    """Take names out of texts; they are read again. The content's hash stays: the same sent again changes nothing."""
    for note in queries.notes_of(session, NoteTable.id.in_(note_ids)):
        note.text = traces.strike_names(note.text)
        note.revision += 1
        queries.forget_corrections(session, note.id, traces)
        queries.forget_findings(session, note.id)
    requeue(session, [NoteTable.id.in_(note_ids)])


def _strike_records(session: Session, traces: Traces) -> int:
    """Empty what senders sent that holds traces; return how many rows."""
    kept, faults, refusals = queries.sent_records(session)
    gone = [row.id for row in kept if traces.in_record(_told(row.headers, row.body))]
    count = len(gone)
    for fault in faults:
        words = [fault.payload, fault.reason, fault.external_id or "", json.dumps(fault.again)]
        if fault.kept_id in gone or any(map(traces.in_record, words)):
            fault.payload, fault.again, fault.reason, fault.external_id, fault.kept_id = "", {}, ERASED, None, None
            count += 1
    for refusal in refusals:
        words = [json.dumps(refusal.cells), refusal.message, refusal.external_id or "", refusal.member]
        if any(map(traces.in_record, words)):
            refusal.cells, refusal.message, refusal.external_id, refusal.member = {}, ERASED, None, ""
            count += 1
    session.flush()
    queries.delete_rows(session, KeptDeliveryTable, gone)
    return count


def _told(headers: dict[str, Any], body: bytes) -> str:
    return "\n".join([*map(str, headers.values()), body.decode("utf-8", "replace")])


def _strike_written(session: Session, traces: Traces) -> int:
    count = 0
    for table, columns in queries.WRITTEN:
        for row in queries.all_rows(session, table):
            values = {name: getattr(row, name) for name in columns}
            changed = {name: new for name, old in values.items() if (new := traces.strike_in(old)) != old}
            for name, value in changed.items():
                setattr(row, name, value)
            count += bool(changed)
    gone = [row.id for row in queries.all_rows(session, AnnouncedTable) if traces.strike(row.key) != row.key]
    queries.delete_rows(session, AnnouncedTable, gone)
    saved = [
        row.id
        for row in queries.all_rows(session, SavedFilterTable)
        if traces.strike_in([row.name, row.filters]) != [row.name, row.filters]
    ]
    queries.delete_rows(session, SavedFilterTable, saved)
    return count + len(gone) + len(saved)


def _strike_themes(session: Session, traces: Traces) -> int:
    """Take erased words out of labels and descriptions; a keyword that has one goes whole."""
    count = 0
    for theme in queries.themes(session):
        before = (theme.label_en, theme.label_fr, theme.description, theme.keywords)
        theme.label_en, theme.label_fr = traces.strike(theme.label_en), traces.strike(theme.label_fr)
        theme.description = traces.strike(theme.description) if theme.description else theme.description
        theme.keywords = {
            language: [word for word in words if traces.strike(word) == word]
            for language, words in theme.keywords.items()
        }
        count += before != (theme.label_en, theme.label_fr, theme.description, theme.keywords)
    return count
