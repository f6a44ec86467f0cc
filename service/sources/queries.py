"""Sources in SQL: connections, deliveries, what is set aside, what is to be fetched, freshness."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.database import insert_ignoring
from service.filters import milliseconds, name_key
from service.notes.links import FINDINGS, adopt, link_account
from service.notes.schemas import AccountInput
from service.source_tables import (
    ConnectionTable,
    ContactMergeTable,
    DeliveryTable,
    FetchTable,
    MailboxTable,
    NoteContactTable,
    SourceActivityTable,
)
from service.sources.contract import AccountChange, DealChange, FetchWanted
from service.tables import AccountTable, AuthorTable, DealTable, NoteTable

DELIVERIES_KEPT = timedelta(days=14)  # senders repeat for 3 days at most, by hand for longer
ROTATION = timedelta(days=1)
LONGEST_HOLD = timedelta(minutes=10)  # of a mailbox by the worker that reads it
_SMOOTHING = 0.2


def list_connections(session: Session, source: str | None = None) -> list[ConnectionTable]:
    """Return the connections, of one source or all, oldest first."""
    query = sa.select(ConnectionTable).order_by(ConnectionTable.id)
    return list(session.scalars(query.where(ConnectionTable.source == source) if source else query))


def find_connection(session: Session, connection_id: int) -> ConnectionTable | None:
    """Return a connection for update."""
    return session.scalar(sa.select(ConnectionTable).where(ConnectionTable.id == connection_id).with_for_update())


def named_connection(session: Session, source: str, name: str) -> ConnectionTable | None:
    """Return the connection of a source with this name."""
    return session.scalar(
        sa.select(ConnectionTable).where(ConnectionTable.source == source, ConnectionTable.name == name)
    )


def create_connection(
    session: Session, source: str, name: str, secret: str, options: dict[str, Any], now: datetime
) -> ConnectionTable:
    """Store a connection; the caller has checked it."""
    row = ConnectionTable(source=source, name=name, secret=secret, options=options, created_at=now)
    session.add(row)
    session.flush()
    return row


def rotate(session: Session, row: ConnectionTable, secret: str, now: datetime) -> None:
    """Put another secret in force; the one before counts for a day more."""
    row.previous_secret, row.previous_until, row.secret = row.secret, now + ROTATION, secret


def delete_connection(session: Session, row: ConnectionTable) -> None:
    """Forget a connection and its secrets; its notes stay."""
    session.delete(row)


def is_first(session: Session, source: str, key: str, digest: str, now: datetime) -> str | None:
    """Remember an event by its key.

    Returns:
        None where it is new; else the digest of the one that came before.
    """
    session.execute(sa.delete(DeliveryTable).where(DeliveryTable.received_at < now - DELIVERIES_KEPT))
    values = {"source": source, "key": key, "digest": digest, "received_at": now}
    statement = insert_ignoring(session, DeliveryTable, ("source", "key")).values(values)
    if session.scalar(statement.returning(DeliveryTable.id)) is not None:
        return None
    return (
        session.scalar(sa.select(DeliveryTable.digest).where(DeliveryTable.source == source, DeliveryTable.key == key))
        or ""
    )


def request_fetch(session: Session, source: str, connection: str, wanted: FetchWanted, now: datetime) -> None:
    """Have a record fetched by API; one that waits already waits once, one that was fetched is fetched again."""
    key = {
        "source": source,
        "connection": connection,
        "object_type": wanted.object_type[:100],
        "object_id": wanted.object_id,
    }
    version = milliseconds(wanted.at) if wanted.at else 0
    fresh = {"state": "waiting", "attempts": 0, "next_at": now, "updated_at": now, "reason": wanted.reason[:100]}
    statement = insert_ignoring(session, FetchTable, tuple(key)).values(
        **key, **fresh, version_ms=version, created_at=now
    )
    if session.scalar(statement.returning(FetchTable.id)) is None:
        conditions = [getattr(FetchTable, name) == value for name, value in key.items()]
        latest = sa.case((FetchTable.version_ms < version, version), else_=FetchTable.version_ms)
        session.execute(sa.update(FetchTable).where(*conditions).values(**fresh, failure=None, version_ms=latest))


def change_deal(session: Session, change: DealChange, now: datetime) -> None:
    """Bring a deal up to date, for all its notes; an older change does nothing."""
    version = milliseconds(change.at or now)
    session.execute(insert_ignoring(session, DealTable, ("key",)).values(key=change.deal, outcome="open", version_ms=0))
    row = session.scalars(sa.select(DealTable).where(DealTable.key == change.deal).with_for_update()).one()
    late = version < row.version_ms
    if change.account and (not late or row.account_id is None):
        row.account_id = link_account(session, AccountInput.model_validate(dict(change.account)))
        _give_account(session, row)
    if late:
        return
    row.version_ms = version
    told = {
        "amount": change.amount,
        "currency": change.currency,
        "stage": change.stage,
        "outcome": change.outcome,
    }
    for name, value in told.items():
        if value is not None:
            setattr(row, name, value)


def _give_account(session: Session, deal: DealTable) -> None:
    """Give the notes of a deal that have no account, and their findings, the deal's."""
    alone = (NoteTable.deal_id == deal.id, NoteTable.account_id.is_(None), NoteTable.deleted_at.is_(None))
    ids = list(session.scalars(sa.select(NoteTable.id).where(*alone).with_for_update()))
    for table, column in [(NoteTable, NoteTable.id), *((one, one.note_id) for one in FINDINGS)] if ids else []:
        session.execute(sa.update(table).where(column.in_(ids)).values(account_id=deal.account_id))


def change_account(session: Session, change: AccountChange, now: datetime) -> None:
    """Call an account what it is called now, also before its first note; an older change does nothing."""
    version, values = milliseconds(change.at or now), {"name": change.name, "name_key": name_key(change.name)}
    session.execute(insert_ignoring(session, AccountTable, ("key",)).values(key=change.account, named_ms=0))
    not_older = (AccountTable.key == change.account, AccountTable.named_ms <= version)
    session.execute(sa.update(AccountTable).where(*not_older).values(named_ms=version, **values))
    adopt(session, {name_key(change.name)})


def link_contacts(session: Session, source: str, external_id: str, contacts: Iterable[str]) -> None:
    """Remember whom a note is about."""
    values = [{"source": source, "external_id": external_id, "contact": one} for one in sorted(set(contacts))]
    if values:
        key = ("source", "external_id", "contact")
        session.execute(insert_ignoring(session, NoteContactTable, key), values)


def merge_contacts(session: Session, source: str, merged: Iterable[str], into: str) -> None:
    """Remember that contacts became another one: notes about them, also those that come later, are about it."""
    values = [{"source": source, "contact": one, "into": into} for one in sorted(set(merged) - {into})]
    if values:
        session.execute(insert_ignoring(session, ContactMergeTable, ("source", "contact", "into")), values)


def contacts_merged_into(session: Session, source: str, contact: str) -> list[str]:
    """Return a contact with all that were merged into it."""
    merge = ContactMergeTable
    whole, fresh = {contact}, [contact]
    while fresh:  # a merged contact may have taken others up before
        found = session.scalars(sa.select(merge.contact).where(merge.source == source, merge.into.in_(fresh)))
        fresh = sorted(set(found) - whole)
        whole |= set(fresh)
    return sorted(whole)


def notes_of_contacts(session: Session, source: str, contacts: Sequence[str]) -> list[str]:
    """Return the ids of the notes about contacts."""
    table = NoteContactTable
    query = sa.select(table.external_id).distinct().where(table.source == source, table.contact.in_(contacts))
    return list(session.scalars(query.order_by(table.external_id)))


NoteLinks = tuple[NoteTable, str | None, AccountTable | None, str | None]


def stored_notes(session: Session, source: str, external_ids: Sequence[str]) -> dict[str, NoteLinks]:
    """Return notes that are stored and not erased, with author's key, account and deal's key."""
    query = (
        sa.select(NoteTable, AuthorTable.key, AccountTable, DealTable.key)
        .outerjoin(AuthorTable, AuthorTable.id == NoteTable.author_id)
        .outerjoin(AccountTable, AccountTable.id == NoteTable.account_id)
        .outerjoin(DealTable, DealTable.id == NoteTable.deal_id)
        .where(NoteTable.source == source, NoteTable.external_id.in_(external_ids), NoteTable.deleted_at.is_(None))
    )
    return {row[0].external_id: (row[0], row[1], row[2], row[3]) for row in session.execute(query)}


def knows_author(session: Session, key: str) -> bool:
    """Tell whether an author with this id wrote before."""
    return session.scalar(sa.select(AuthorTable.id).where(AuthorTable.key == key)) is not None


def knows_account(session: Session, key: str) -> bool:
    """Tell whether an account has this name, given without case and spaces."""
    return session.scalar(sa.select(AccountTable.id).where(AccountTable.name_key == key).limit(1)) is not None


def note_activity(session: Session, source: str, connection: str, notes: int, now: datetime) -> None:
    """Count a delivery and its notes; the usual gap is a running mean of the gaps between deliveries with notes."""
    key = {"source": source, "connection": connection}
    session.execute(
        insert_ignoring(session, SourceActivityTable, tuple(key)).values(
            **key, deliveries=0, notes=0, last_delivery_at=now
        )
    )
    row = session.scalars(
        sa.select(SourceActivityTable)
        .where(SourceActivityTable.source == source, SourceActivityTable.connection == connection)
        .with_for_update()
    ).one()
    row.deliveries += 1
    row.last_delivery_at = now
    if not notes:
        return
    row.notes += notes
    _close_gap(row, now)


def _close_gap(row: SourceActivityTable, now: datetime) -> None:
    if row.last_note_at is not None:
        gap = max((now - row.last_note_at).total_seconds(), 0.0)
        row.gap_seconds = gap if row.gap_seconds is None else row.gap_seconds + _SMOOTHING * (gap - row.gap_seconds)
    row.last_note_at = now


def note_fetched(
    session: Session, source: str, connection: str, created: int, now: datetime, *, history_to: datetime | None = None
) -> None:
    """Count notes that were fetched.

    Args:
        history_to: Where old notes come in bulk: when the latest of them happened. They say nothing of the usual gap.
    """
    if not created:
        return
    key = {"source": source, "connection": connection}
    statement = insert_ignoring(session, SourceActivityTable, tuple(key))
    session.execute(statement.values(**key, deliveries=0, notes=0, last_delivery_at=now))
    find = sa.select(SourceActivityTable).filter_by(**key).with_for_update()
    row = session.scalars(find).one()
    row.notes += created
    if history_to is not None:
        row.last_note_at = max(row.last_note_at or history_to, min(history_to, now))
        return
    _close_gap(row, now)


def activity(session: Session) -> list[SourceActivityTable]:
    """Return how fresh each connection is."""
    return list(
        session.scalars(
            sa.select(SourceActivityTable).order_by(SourceActivityTable.source, SourceActivityTable.connection)
        )
    )


def due_mailboxes(session: Session, boxes: Mapping[str, str], now: datetime, checked_before: datetime) -> list[str]:
    """Return which of the connections, with the folders that they read, are neither held nor looked at lately."""
    rows = {(row.connection, row.folder): row for row in mailboxes(session)}
    due = []
    for connection, folder in boxes.items():
        row = rows.get((connection, folder))
        held = row is not None and row.held_until is not None and now <= row.held_until <= now + LONGEST_HOLD
        fresh = row is not None and row.checked_at is not None and checked_before <= row.checked_at <= now
        if not held and not fresh:
            due.append(connection)
    return due


def hold_mailbox(
    session: Session, connection: str, folder: str, now: datetime, checked_before: datetime, until: datetime
) -> bool:
    """Hold a mailbox for the one who is to read it; False where it is held, or was looked at."""
    key = {"connection": connection, "folder": folder}
    session.execute(insert_ignoring(session, MailboxTable, tuple(key)).values(**key, last_uid=0))
    table = MailboxTable
    statement = sa.update(table).where(
        table.connection == connection,
        table.folder == folder,
        # what lies in the future was written before the clock was set back
        sa.or_(table.held_until.is_(None), sa.not_(table.held_until.between(now, now + LONGEST_HOLD))),
        sa.or_(table.checked_at.is_(None), sa.not_(table.checked_at.between(checked_before, now))),
    )
    return session.scalar(statement.values(held_until=until).returning(table.connection)) is not None


def release_mailbox(session: Session, connection: str, failure: str | None, now: datetime) -> None:
    """Let go of a connection's mailbox, and keep why it could not be read."""
    table = MailboxTable
    its = sa.update(table).where(table.connection == connection)
    session.execute(its.values(held_until=None, checked_at=now, failure=failure))


def mailbox_position(session: Session, connection: str, folder: str, validity: int) -> int:
    """Return the last UID that was read; 0 where the folder has another UIDVALIDITY than then."""
    key = {"connection": connection, "folder": folder}
    session.execute(insert_ignoring(session, MailboxTable, tuple(key)).values(**key, last_uid=0))
    row = session.get_one(MailboxTable, (connection, folder), with_for_update=True)
    if row.uid_validity != validity:
        row.uid_validity, row.last_uid = validity, 0
    return row.last_uid


def advance_mailbox(
    session: Session, connection: str, folder: str, validity: int, uid: int, held_until: datetime
) -> None:
    """Remember up to which message a folder is read, in the transaction that stores the messages."""
    table = MailboxTable
    here = (table.connection == connection, table.folder == folder, table.uid_validity == validity)
    session.execute(sa.update(table).where(*here, table.last_uid < uid).values(last_uid=uid, held_until=held_until))


def mailboxes(session: Session) -> list[MailboxTable]:
    """Return how far each mailbox is read."""
    return list(session.scalars(sa.select(MailboxTable).order_by(MailboxTable.connection, MailboxTable.folder)))


def waiting_by_source(session: Session) -> dict[str, int]:
    """Return how many records wait to be fetched, by source."""
    query = sa.select(FetchTable.source, sa.func.count()).where(FetchTable.state == "waiting")
    return {row[0]: row[1] for row in session.execute(query.group_by(FetchTable.source))}
