"""Erasures in SQL: which notes go, and where else their words stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.erasures.tables import ErasedKeyTable, ErasureTable
from service.erasures.traces import Traces
from service.filters import name_key
from service.jobs.tables import JobTable
from service.notes.links import FINDINGS
from service.notes.queries import delete_findings
from service.notes.tables import NotePrintTable
from service.outgoing_tables import AttemptTable, EventTable, OutgoingTable
from service.source_tables import (
    ContactMergeTable,
    DeliveryTable,
    FetchTable,
    ImportRefusalTable,
    ImportTable,
    KeptDeliveryTable,
    NoteContactTable,
    SetAsideTable,
)
from service.tables import (
    AccountTable,
    AuthorTable,
    CorrectedNoteTable,
    CorrectionTable,
    DealTable,
    NoteTable,
    ThemeChangeTable,
    ThemeEventTable,
    ThemePinTable,
    ThemeTable,
)

_BATCH = 500

WRITTEN: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (ImportTable, ("name", "options", "found", "results", "failure")),
    (JobTable, ("params", "result", "failure")),
    (EventTable, ("data",)),
    (OutgoingTable, ("data", "failure")),
    (AttemptTable, ("failure",)),
    (ThemeEventTable, ("detail",)),
    (ThemeChangeTable, ("detail",)),
)
"""Tables that were written about notes, and their columns that may hold words."""


def notes_of(session: Session, condition: sa.ColumnElement[bool]) -> list[NoteTable]:
    """Return living notes for update."""
    query = sa.select(NoteTable).where(NoteTable.deleted_at.is_(None), condition)
    return list(session.scalars(query.order_by(NoteTable.id).with_for_update()))


def accounts_named(session: Session, name: str) -> list[AccountTable]:
    """Return the accounts with an id or a name."""
    same = sa.or_(AccountTable.key == name, AccountTable.name_key == name_key(name))
    return list(session.scalars(sa.select(AccountTable).where(same)))


def authors_named(session: Session, name: str) -> list[AuthorTable]:
    """Return the authors with an id or a name."""
    same = sa.or_(AuthorTable.key == name, AuthorTable.name == name)
    return list(session.scalars(sa.select(AuthorTable).where(same)))


def other_texts(session: Session, note_ids: Iterable[int]) -> Iterator[tuple[int, str]]:
    """Yield id and text of the living notes but some."""
    gone = set(note_ids)
    query = sa.select(NoteTable.id, NoteTable.text).where(NoteTable.deleted_at.is_(None))
    for row in session.execute(query.execution_options(yield_per=_BATCH)):
        if row.id not in gone:
            yield row.id, row.text


def all_rows(session: Session, table: Any) -> list[Any]:
    """Return the rows of a table."""
    return list(session.scalars(sa.select(table)))


def forget_links(session: Session, notes: Sequence[NoteTable], contacts: Sequence[tuple[str, str]]) -> None:
    """Delete what leads from notes to contacts, from sources to notes, and pinned passages."""
    for note in notes:
        of_note = (NoteContactTable.source == note.source, NoteContactTable.external_id == note.external_id)
        session.execute(sa.delete(NoteContactTable).where(*of_note))
        session.execute(sa.delete(ThemePinTable).where(ThemePinTable.note_id == note.id))
        of_id = DeliveryTable.key.contains(note.external_id, autoescape=True)
        session.execute(sa.delete(DeliveryTable).where(DeliveryTable.source == note.source, of_id))
        bare = note.external_id.rpartition(":")[2]
        fetched = (FetchTable.source == note.source, FetchTable.object_id.in_([bare, note.external_id]))
        session.execute(sa.delete(FetchTable).where(*fetched))
    for source, contact in contacts:
        table = NoteContactTable
        session.execute(sa.delete(table).where(table.source == source, table.contact == contact))
        merged = sa.or_(ContactMergeTable.contact == contact, ContactMergeTable.into == contact)
        session.execute(sa.delete(ContactMergeTable).where(ContactMergeTable.source == source, merged))


def delete_rows(session: Session, table: Any, ids: Sequence[int]) -> None:
    """Delete rows by id."""
    session.execute(sa.delete(table).where(table.id.in_(ids)))


def forget_accounts(session: Session, account_ids: Sequence[int]) -> None:
    """Delete accounts; deals forget whose they are."""
    of_deals = sa.update(DealTable).where(DealTable.account_id.in_(account_ids))
    session.execute(of_deals.values(account_id=None).execution_options(synchronize_session=False))
    delete_rows(session, AccountTable, account_ids)


def forget_findings(session: Session, note_id: int) -> None:
    """Delete what was found in a note that is to be read again, and by what it is known."""
    delete_findings(session, [note_id])
    for table in (NotePrintTable, CorrectedNoteTable):
        session.execute(sa.delete(table).where(table.note_id == note_id))


def forget_corrections(session: Session, note_id: int, traces: Traces) -> None:
    """Delete a note's corrections that hold traces."""
    for row in session.scalars(sa.select(CorrectionTable).where(CorrectionTable.note_id == note_id)).all():
        if any(map(traces.names_in, (row.quote, row.prefix, row.suffix, str(row.found), str(row.right)))):
            session.delete(row)


def detach_authors(session: Session, author_ids: Sequence[int]) -> None:
    """Take authors off their notes and findings, and delete them."""
    for table in (NoteTable, *FINDINGS):
        session.execute(sa.update(table).where(table.author_id.in_(author_ids)).values(author_id=None))
    delete_rows(session, AuthorTable, author_ids)


def sent_records(session: Session) -> tuple[list[KeptDeliveryTable], list[SetAsideTable], list[ImportRefusalTable]]:
    """Return what senders sent and nobody could take: deliveries, faults, refused rows."""
    return (
        all_rows(session, KeptDeliveryTable),
        all_rows(session, SetAsideTable),
        all_rows(session, ImportRefusalTable),
    )


def themes(session: Session) -> list[ThemeTable]:
    """Return all themes."""
    return all_rows(session, ThemeTable)


def list_erasures(session: Session) -> list[ErasureTable]:
    """Return the record of erasures, latest first."""
    return list(session.scalars(sa.select(ErasureTable).order_by(ErasureTable.id.desc())))


def lift(session: Session, erasure_id: int, now: datetime) -> ErasureTable | None:
    """Take the ids of an erasure again; None where there is no such erasure."""
    row = session.get(ErasureTable, erasure_id, with_for_update=True)
    if row is not None and row.lifted_at is None:
        session.execute(sa.delete(ErasedKeyTable).where(ErasedKeyTable.erasure_id == erasure_id))
        row.lifted_at = now
    return row
