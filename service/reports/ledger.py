"""Which notes of a month had which items, kept with each edition: what the next report tells causes apart by.

A ledger holds row ids of notes, their revisions and readers, and the items found in them; no words.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.filters import Period, day_end, day_start
from service.insights.measures import ITEM_COLUMNS, TABLES, About
from service.tables import CorrectionTable, NoteTable, ThemeTable

ItemId = tuple[str, str]
"""Kind and public id of an item."""

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A note that was read: which revision, by which reader, with how many corrections, and its items."""

    revision: int
    reader: str
    corrections: int
    items: frozenset[ItemId]


Ledger = Mapping[int, Entry]


def read_ledger(session: Session, period: Period) -> dict[int, Entry]:
    """Write down the notes of a period as they are read and grouped now, by row id."""
    days = NoteTable.occurred_at.between(day_start(period.start), day_end(period.end))
    read = (days, NoteTable.deleted_at.is_(None), NoteTable.analysed_revision > 0)
    note = NoteTable.__table__.c
    # By the connection: a session looks at each of a hundred thousand rows once more.
    notes = (
        session.connection()
        .execute(sa.select(note.id, note.analysed_revision, note.analyzer_version).where(*read).order_by(note.id))
        .all()
    )
    counted = session.execute(
        sa.select(CorrectionTable.note_id, sa.func.count())
        .join(NoteTable, NoteTable.id == CorrectionTable.note_id)
        .where(*read)
        .group_by(CorrectionTable.note_id)
    )
    corrections = {note_id: count for note_id, count in counted}
    items = _items(session, period)
    return {
        note_id: Entry(revision, reader or "", corrections.get(note_id, 0), frozenset(items.get(note_id, ())))
        for note_id, revision, reader in notes
    }


def _items(session: Session, period: Period) -> dict[int, set[ItemId]]:
    keys: dict[Any, str] = {row.id: row.key for row in session.execute(sa.select(ThemeTable.id, ThemeTable.key))}
    found: defaultdict[int, set[ItemId]] = defaultdict(set)
    for about in About:
        table, column = TABLES[about].__table__.c, ITEM_COLUMNS[about].name
        item = table[column]
        in_period = (table.occurred_on.between(period.start, period.end), item.is_not(None))
        ids: dict[Any, ItemId | None] = {}
        for note_id, key in session.connection().execute(sa.select(table.note_id, item).where(*in_period)):
            if key not in ids:
                shown = keys.get(key) if about is About.THEME else str(key)
                ids[key] = (str(about), shown) if shown is not None else None
            named = ids[key]
            if named is not None:
                found[note_id].add(named)
    return found


def pack(ledger: Ledger) -> bytes:
    """Return a ledger as bytes, equal ones for equal ledgers."""
    items = sorted({item for entry in ledger.values() for item in entry.items})
    numbers = {item: number for number, item in enumerate(items)}
    readers = sorted({entry.reader for entry in ledger.values()})
    notes = [
        [
            note_id,
            entry.revision,
            readers.index(entry.reader),
            entry.corrections,
            *sorted(numbers[i] for i in entry.items),
        ]
        for note_id, entry in sorted(ledger.items())
    ]
    document = {"format": FORMAT, "items": items, "readers": readers, "notes": notes}
    return gzip.compress(json.dumps(document, separators=(",", ":")).encode(), mtime=0)


def unpack(content: bytes) -> dict[int, Entry]:
    """Return the ledger that was packed."""
    document = json.loads(gzip.decompress(content))
    items = [(about, shown) for about, shown in document["items"]]
    readers = document["readers"]
    return {
        note_id: Entry(revision, readers[reader], corrections, frozenset(items[number] for number in held))
        for note_id, revision, reader, corrections, *held in document["notes"]
    }
