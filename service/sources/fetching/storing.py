"""Storing what was fetched: in order with what deliveries brought of the same records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from service.filters import milliseconds
from service.notes.intake import RejectedNote, parse_note
from service.sources import queries
from service.sources.contract import Change, Connection, DealChange, Deleted, NoteChange
from service.sources.fetching.contract import Records
from service.sources.queries import NoteLinks
from service.sources.reading import from_ms, iso, moment
from service.sources.storing import store_changes

NOTHING: Mapping[str, int] = {}


def store_records(
    session: Session,
    connection: Connection,
    records: Records,
    now: datetime,
    *,
    stream: str,
    told_ms: Mapping[str, int] = NOTHING,
    history: bool = False,
) -> Counter[str]:
    """Store what was fetched; return how many items had each result.

    Args:
        session: An open transaction.
        connection: Whose records they are.
        records: What calls brought.
        now: The time.
        stream: Of which kind they are.
        told_ms: When an event said that a record changed, by its id: what is fetched after is at least as new.
        history: Whether the records come in bulk: they say nothing of how often notes come.
    """
    changes = _prepared(session, connection.source, records, told_ms)
    counts: Counter[str] = Counter()
    origins = {_external_id(change): key for key, changes in records.changes.items() if key for change in changes}
    for fault in store_changes(session, connection, changes, counts, now):
        if key := origins.get(fault.external_id):
            fault.again = {"object_type": stream, "object_id": key}
    latest = _latest(changes) if history else None
    created = counts["created"]
    queries.note_fetched(session, connection.source, connection.name, created, now, history_to=latest)
    return counts


def _latest(changes: Sequence[Change]) -> datetime | None:
    times = [moment(one.item.get("occurred_at")) for one in changes if isinstance(one, NoteChange)]
    return max((one for one in times if one), default=None)


def _prepared(session: Session, source: str, records: Records, told_ms: Mapping[str, int]) -> list[Change]:
    """Return the changes to store: notes ordered among their versions, no deletion of what is not known here."""
    flat = [(change, told_ms.get(key, 0)) for key, changes in records.changes.items() for change in changes]
    keys = [_external_id(change) for change, _ in flat]
    stored = queries.stored_notes(session, source, [key for key in keys if key])
    prepared: list[Change] = []
    for (change, told), key in zip(flat, keys, strict=True):
        if isinstance(change, NoteChange):
            prepared.append(_ordered(change, told, stored.get(key or "")))
        elif isinstance(change, Deleted):
            if key in stored:
                prepared.append(replace(change, at=_at_least(change.at, told)))
        elif isinstance(change, DealChange):  # one without notes too: what it became counts for those that come later
            prepared.append(replace(change, at=_at_least(change.at, told)))
        else:
            prepared.append(change)
    return prepared


def _external_id(change: Change) -> str | None:
    if isinstance(change, NoteChange):
        return str(change.item["external_id"])
    return change.external_id if isinstance(change, Deleted) else None


def _at_least(at: datetime | None, ms: int) -> datetime | None:
    return from_ms(ms) if ms and (at is None or milliseconds(at) < ms) else at


def _ordered(change: NoteChange, told: int, stored: NoteLinks | None) -> NoteChange:
    """Date a note: not before the event that asked for it, nor before what is stored where the words are the same.

    An event may be dated after the record's last change; what the record is linked to is news all the same.
    """
    at = _at_least(moment(change.item.get("updated_at")), told)
    if stored is not None and (at is None or milliseconds(at) < stored[0].version_ms):
        note = parse_note(change.item)
        if not isinstance(note, RejectedNote) and note.text == stored[0].text:
            at = from_ms(stored[0].version_ms)
    item = {key: value for key, value in change.item.items() if key != "updated_at"}
    if stored is not None and stored[1] and "author" not in item:
        item["author"] = {"id": stored[1]}  # an event told who wrote it, the record has no owner
    return replace(change, item={**item, "updated_at": iso(at)} if at else item)
