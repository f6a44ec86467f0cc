"""Storing what deliveries say: all of a delivery in one transaction."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from service.erasures.memory import ErasedKind, erased_contacts, remember
from service.errors import Unauthorized
from service.notes.intake import RejectedNote, parse_note
from service.notes.queries import store_notes
from service.notes.schemas import AccountInput, AuthorInput, DealInput, IncomingNote
from service.retention.rules import PAST_RETENTION, read_rules
from service.source_tables import SetAsideTable
from service.sources import queries
from service.sources.contract import (
    AccountChange,
    Aside,
    Change,
    Connection,
    ContactErased,
    ContactsMerged,
    DealChange,
    Deleted,
    Delivery,
    Event,
    FetchWanted,
    NoteChange,
    Skipped,
)
from service.sources.faults.keeping import ERASED_CONTACT, keep
from service.sources.faults.queries import forget_notes, set_aside

FOREVER = datetime(2200, 1, 1, tzinfo=UTC)


def store_deliveries(
    session: Session, connection: Connection, deliveries: Sequence[tuple[Delivery, Sequence[Event]]], now: datetime
) -> Counter[str]:
    """Store all events of deliveries; one that came before is left out.

    Returns:
        How many items had each result.

    Raises:
        Unauthorized: If a key that counts once comes with another content.
    """
    counts: Counter[str] = Counter()
    for delivery, events in deliveries:
        changes: list[Change] = []
        for event in events:
            if event.key and _is_repeat(session, connection, event, now):
                counts["duplicate"] += 1
            else:
                changes += event.changes
        keep(session, connection, delivery, store_changes(session, connection, changes, counts, now))
    taken = sum(counts[result] for result in ("created", "updated", "unchanged", "deleted"))
    queries.note_activity(session, connection.source, connection.name, taken, now)
    return counts


def store_changes(
    session: Session, connection: Connection, changes: Sequence[Change], counts: Counter[str], now: datetime
) -> list[SetAsideTable]:
    """Store changes and count what became of them; return those that can't be taken."""
    notes, asides = _notes(session, connection, changes, counts, now)
    for stored in store_notes(session, notes, now):
        counts[stored.result] += 1
    forget_notes(session, connection.source, [one.external_id for one in changes if isinstance(one, Deleted)], now)
    for change in changes:
        if isinstance(change, DealChange):
            queries.change_deal(session, change, now)
            counts["deal"] += 1
        elif isinstance(change, AccountChange):
            queries.change_account(session, change, now)
            counts["account"] += 1
        elif isinstance(change, FetchWanted):
            queries.request_fetch(session, connection.source, connection.name, change, now)
            counts["to_fetch"] += 1
        elif isinstance(change, Aside):
            asides.append(change)
        elif isinstance(change, Skipped):
            counts["skipped"] += 1
    if asides:
        counts["set_aside"] += len(asides)
    return [set_aside(session, connection.source, connection.name, one, now) for one in asides]


def _is_repeat(session: Session, connection: Connection, event: Event, now: datetime) -> bool:
    key = f"{connection.name}:{event.key}"[:500]  # two senders may number their events alike
    before = queries.is_first(session, connection.source, key, event.digest, now)
    if before is not None and event.digest and before != event.digest:
        raise Unauthorized("This token was used for another message.", code="replayed")
    return before is not None


def _notes(
    session: Session, connection: Connection, changes: Sequence[Change], counts: Counter[str], now: datetime
) -> tuple[list[IncomingNote], list[Aside]]:
    """Return the notes and tombstones that changes mean, in order, and what the operator is to know.

    Notes past retention are counted and left: a synchronisation may bring years of them.
    """
    rules = read_rules(session)
    notes: list[IncomingNote] = []
    asides: list[Aside] = []
    first: dict[str, IncomingNote] = {}
    for change in changes:
        if isinstance(change, NoteChange):
            note = parse_note(change.item)
            if isinstance(note, RejectedNote):
                reason = f"{note.error.field}: {note.error.message}"
                asides.append(Aside(note.error.code, reason, None, note.external_id))
                continue
            if erased_contacts(session, connection.source, change.contacts):
                notes += _tombstone(connection.source, Deleted(str(note.external_id), None, final=True))
                asides.append(Aside(ERASED_CONTACT, "it is about a contact who was erased: its words are not kept"))
                continue
            note = _completed(session, note, change, first)
            if rules.refusal(note.source, note.occurred_at, now):
                counts[PAST_RETENTION] += 1
                continue
            queries.link_contacts(session, note.source, str(note.external_id), change.contacts)
            notes.append(note)
        elif isinstance(change, Deleted):
            notes += _tombstone(connection.source, change)
        elif isinstance(change, ContactsMerged):
            queries.merge_contacts(session, connection.source, change.merged, change.into)
            counts["merged"] += 1
            if erased_contacts(session, connection.source, [change.into]):  # before it took others up
                notes += _erased(session, connection.source, change.into)
        elif isinstance(change, ContactErased):
            gone = _erased(session, connection.source, change.contact)
            notes += gone
            reason = f"contact {change.contact[:100]} asks for erasure: their {len(gone)} known notes are erased"
            asides.append(Aside("privacy_deletion", reason, None, change.contact))
    return notes, asides


def _erased(session: Session, source: str, contact: str) -> list[IncomingNote]:
    """Return the tombstones of all notes about a contact, and about those that were merged into it; remember them."""
    whole = queries.contacts_merged_into(session, source, contact)
    remember(session, ErasedKind.CONTACT, [(source, one, None) for one in whole])
    found = queries.notes_of_contacts(session, source, whole)
    return [one for external_id in found for one in _tombstone(source, Deleted(external_id, None, final=True))]


def _tombstone(source: str, change: Deleted) -> list[IncomingNote]:
    item: dict[str, Any] = {"source": source, "external_id": change.external_id, "deleted": True}
    if change.final:
        item["updated_at"] = FOREVER.isoformat()
    elif change.at:  # of an edit and a deletion at the same moment, the deletion is the later
        item["updated_at"] = (change.at + timedelta(milliseconds=not change.emptied)).isoformat()
    note = parse_note(item)
    return [note] if isinstance(note, IncomingNote) else []


def _completed(
    session: Session, note: IncomingNote, change: NoteChange, first: dict[str, IncomingNote]
) -> IncomingNote:
    """Keep what a partial edit does not tell; give mail with other content under a known id an id of its own."""
    if not change.partial and not change.apart:
        return note
    external_id = str(note.external_id)
    found = queries.stored_notes(session, note.source, [external_id]).get(external_id)
    if change.apart:
        known = found[0].content_hash if found else None
        if external_id in first:
            known = first[external_id].content_hash()
        first.setdefault(external_id, note)
        if known is None or known == note.content_hash():
            return note
        digest = hashlib.sha256(note.content_hash().encode()).hexdigest()[:12]
        return note.model_copy(update={"external_id": f"{external_id[:450]}~{digest}"})
    kept: dict[str, Any] = {}
    if found:
        row, author, account, deal = found
        kept["occurred_at"] = row.occurred_at
        if author and (note.author is None or note.author.id != author):
            kept["author"] = AuthorInput(id=author)
        if account and note.account is None:
            named = account.key.startswith("name:")
            kept["account"] = AccountInput(id=None if named else account.key, name=account.name if named else None)
        if deal and note.deal is None:
            kept["deal"] = DealInput(id=deal)
    elif external_id in first:
        kept["occurred_at"] = first[external_id].occurred_at
    first.setdefault(external_id, note)
    return note.model_copy(update=kept)
