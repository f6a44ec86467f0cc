"""Where a person stands in the database, found as the erasure of a name finds it: one shows what the other takes.

What a person did is known by their account's name: what they imported, corrected, decided.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.audit.tables import AuditEventTable
from service.auth.tables import SessionTable, UserTable
from service.erasures.queries import WRITTEN, all_rows, authors_named, other_texts, sent_records
from service.erasures.tables import ErasureTable
from service.erasures.traces import Traces
from service.jobs.tables import JobTable
from service.outgoing_tables import EndpointTable, SubscriptionTable
from service.reports.tables import ReportTable
from service.retention.tables import RetentionRuleTable
from service.saved_filters.tables import SavedFilterTable
from service.source_tables import ImportTable, SetAsideTable
from service.sources.queries import contacts_merged_into, notes_of_contacts
from service.tables import AuthorTable, CorrectionTable, NoteTable, ThemeChangeTable, ThemeTable
from service.users.queries import find_user

DONE: tuple[tuple[Any, str, tuple[str, ...]], ...] = (
    (ImportTable, "requested_by", ("name", "created_at", "results")),
    (JobTable, "requested_by", ("kind", "created_at", "state")),
    (CorrectionTable, "created_by", ("kind", "note_id", "quote", "found", "right", "created_at")),
    (ThemeChangeTable, "made_by", ("kind", "detail", "made_at")),
    (SetAsideTable, "settled_by", ("source", "state", "settled_at")),
    (ErasureTable, "requested_by", ("kind", "counts", "created_at")),
    (RetentionRuleTable, "set_by", ("source", "days", "set_at")),
    (ReportTable, "created_by", ("month", "edition", "created_at")),
    (SubscriptionTable, "created_by", ("name", "address", "created_at")),
    (EndpointTable, "created_by", ("description", "created_at")),
)
"""Tables that tell who did something: the column with the name, and what to show."""
_NAMING: tuple[tuple[Any, tuple[str, ...]], ...] = (
    *WRITTEN,
    (CorrectionTable, ("quote", "prefix", "suffix", "found", "right")),
    (ThemeTable, ("label_en", "label_fr", "description", "keywords")),
    (SavedFilterTable, ("name", "filters")),
    (SubscriptionTable, ("name", "address", "filters")),
    (ReportTable, ("content", "reason", "differences")),
)


def authors_of(session: Session, names: Collection[str]) -> list[AuthorTable]:
    """Return the authors with these ids or names."""
    found = {author.id: author for name in names for author in authors_named(session, name)}
    return [found[row_id] for row_id in sorted(found)]


def user_of(session: Session, email: str | None) -> UserTable | None:
    """Return the account of an e-mail address."""
    return find_user(session, email) if email else None


def sessions_of(session: Session, user_id: int) -> list[SessionTable]:
    """Return the sessions of an account."""
    query = sa.select(SessionTable).where(SessionTable.user_id == user_id)
    return list(session.scalars(query.order_by(SessionTable.id)))


def acts_of(session: Session, actor: str) -> list[AuditEventTable]:
    """Return what somebody did, the latest first."""
    query = sa.select(AuditEventTable).where(AuditEventTable.actor == actor)
    return list(session.scalars(query.order_by(AuditEventTable.id.desc())))


def notes_written(session: Session, author_ids: Sequence[int]) -> list[int]:
    """Return the ids of the living notes of authors."""
    mine = (NoteTable.deleted_at.is_(None), NoteTable.author_id.in_(author_ids))
    return list(session.scalars(sa.select(NoteTable.id).where(*mine)))


def notes_about(session: Session, source: str, contact: str) -> list[int]:
    """Return the ids of the living notes about a contact, or about one that was merged into it."""
    known = notes_of_contacts(session, source, contacts_merged_into(session, source, contact))
    same = (NoteTable.source == source, NoteTable.external_id.in_(known), NoteTable.deleted_at.is_(None))
    return list(session.scalars(sa.select(NoteTable.id).where(*same)))


def notes_mentioning(session: Session, traces: Traces) -> list[int]:
    """Return the ids of the living notes whose texts have a name."""
    return [note_id for note_id, text in other_texts(session, ()) if traces.names_in(text)]


def notes_with(session: Session, note_ids: Collection[int]) -> list[NoteTable]:
    """Return notes, oldest first."""
    query = sa.select(NoteTable).where(NoteTable.id.in_(note_ids))
    return list(session.scalars(query.order_by(NoteTable.occurred_at, NoteTable.id)))


def records_done(session: Session, name: str, actor: str) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield table, id and content of what somebody did, and of the filters that they saved."""
    for table, column, shown in DONE:
        for row in session.scalars(sa.select(table).where(getattr(table, column) == name).order_by(table.id)):
            yield table.__tablename__, row.id, _content(row, shown)
    for row in session.scalars(sa.select(SavedFilterTable).where(SavedFilterTable.owner == actor)):
        yield "saved_filters", row.id, _content(row, ("name", "filters", "created_at"))


def records_naming(session: Session, traces: Traces) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield table, id and content of all but notes that has a name: what was sent, and what was written."""
    kept, faults, refusals = sent_records(session)
    sent: list[tuple[str, Any, dict[str, Any]]] = []
    for one in kept:
        told = {"headers": one.headers, "body": one.body.decode("utf-8", "replace")}
        sent.append(("kept_deliveries", one, {**_content(one, ("source", "connection", "received_at")), **told}))
    for fault in faults:
        sent.append(("set_aside", fault, _content(fault, ("source", "code", "reason", "external_id", "payload"))))
    for refusal in refusals:
        shown = _content(refusal, ("import_id", "number", "member", "field", "message", "external_id", "cells"))
        sent.append(("import_refusals", refusal, shown))
    for kind, row, content in sent:
        if any(traces.in_record(str(value)) for value in content.values()):
            yield kind, row.id, content
    for table, columns in _NAMING:
        for row in all_rows(session, table):
            content = _content(row, columns)
            if traces.strike_in(content) != content:
                yield table.__tablename__, row.id, _shown(row, content)


def _content(row: Any, columns: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in columns}


def _shown(row: Any, content: dict[str, Any]) -> dict[str, Any]:
    """Return what is shown of a row; of a report, which one it is."""
    return _content(row, ("month", "edition")) if isinstance(row, ReportTable) else content
