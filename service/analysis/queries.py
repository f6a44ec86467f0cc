"""The outbox of the analysis: which notes wait, what a batch reads, and the guarded write of what was found."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.types import NoteAnalysis, ThemeMatch
from service.corrections.storage import lay_again
from service.filters import name_key
from service.masks.storing import masks_by_note
from service.notes.queries import delete_findings, repeated_columns, requeue
from service.notes.twins import one_at_a_time, settle_twins
from service.tables import AccountTable, CompetitorMentionTable, NoteTable, ObjectionTable, PassageTable
from service.themes.storage import pin_again, theme_ids_by_key, themes_to_keep

MAX_ATTEMPTS = 3
MIN_NAME_PART = 4
MAX_RUN = 6
"""Words of an account's name that are looked at together."""


@dataclass(frozen=True, slots=True)
class Item:
    """A revision of a note to analyse."""

    note_id: int
    revision: int


@dataclass(frozen=True, slots=True)
class Found:
    """What was read in a note, with the theme of each of its passages."""

    analysis: NoteAnalysis
    themes: list[ThemeMatch | None]


def claim_waiting(session: Session, limit: int) -> list[list[Item]]:
    """Mark waiting notes as queued and return them in batches, the latest first.

    Notes that failed before come in batches of their own, so that one that kills its worker is parked alone.
    """
    waiting = (
        sa.select(NoteTable.id, NoteTable.revision, NoteTable.attempts)
        .where(NoteTable.queued_revision < NoteTable.revision)
        .order_by(NoteTable.id.desc())
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(waiting).all()
    if not rows:
        return []
    session.execute(
        sa.update(NoteTable)
        .where(NoteTable.id.in_([row.id for row in rows]))
        .values(queued_revision=NoteTable.revision)
        .execution_options(synchronize_session=False)
    )
    fresh = [Item(row.id, row.revision) for row in rows if row.attempts == 0]
    suspects = [[Item(row.id, row.revision)] for row in rows if row.attempts > 0]
    return ([fresh] if fresh else []) + suspects


def has_waiting(session: Session) -> bool:
    """Tell whether any note waits to be queued."""
    waiting = sa.select(NoteTable.id).where(NoteTable.queued_revision < NoteTable.revision)
    return session.scalar(waiting.limit(1)) is not None


def count_in_flight(session: Session) -> int:
    """Return how many notes are queued and not yet analysed."""
    return (
        session.scalar(
            sa.select(sa.func.count())
            .select_from(NoteTable)
            .where(
                NoteTable.analysed_revision < NoteTable.revision,
                NoteTable.queued_revision == NoteTable.revision,
                NoteTable.failure.is_(None),
            )
        )
        or 0
    )


def has_backlog_of(session: Session, most: int) -> bool:
    """Tell whether more notes than `most` wait for their analysis, parked ones left out; counts no further."""
    unanalysed = sa.and_(NoteTable.analysed_revision < NoteTable.revision, NoteTable.failure.is_(None))
    return session.scalar(sa.select(NoteTable.id).where(unanalysed).offset(most).limit(1)) is not None


def count_unanalysed(session: Session) -> int:
    """Return how many notes wait for their analysis, parked ones left out."""
    unanalysed = sa.and_(NoteTable.analysed_revision < NoteTable.revision, NoteTable.failure.is_(None))
    return session.scalar(sa.select(sa.func.count()).select_from(NoteTable).where(unanalysed)) or 0


def read_batch(session: Session, items: Sequence[Item]) -> list[tuple[Item, str, str]]:
    """Return item, text and kind of the notes whose revision is still the one to analyse."""
    revisions = {item.note_id: item.revision for item in items}
    rows = session.execute(
        sa.select(NoteTable.id, NoteTable.revision, NoteTable.text, NoteTable.kind)
        .where(
            NoteTable.id.in_(revisions),
            NoteTable.deleted_at.is_(None),
            NoteTable.analysed_revision < NoteTable.revision,
        )
        .order_by(NoteTable.id)
    )
    return [(Item(r.id, r.revision), r.text, r.kind) for r in rows if revisions[r.id] == r.revision]


def trace_parents(session: Session, note_ids: Sequence[int]) -> list[str]:
    """Return the spans of the requests that brought notes."""
    query = sa.select(NoteTable.traceparent).where(NoteTable.id.in_(note_ids), NoteTable.traceparent.is_not(None))
    return [parent for parent in session.scalars(query.distinct()) if parent]


def save_findings(session: Session, found: dict[Item, Found], version: str, now: datetime) -> int:
    """Replace the findings of notes whose revision has not changed meanwhile; return how many were written.

    The check and the write are one transaction, so that a batch may run twice, or late, and still count once. What
    people corrected is laid over what was found.
    """
    one_at_a_time(session)
    rows = {row.id: row for row in _lock_unanalysed(session, [item.note_id for item in found])}
    current = {
        item: f for item, f in found.items() if item.note_id in rows and rows[item.note_id].revision == item.revision
    }
    if not current:
        return 0
    former = themes_to_keep(session, [item.note_id for item in current])
    delete_findings(session, [item.note_id for item in current])
    masks = masks_by_note(
        session,
        [rows[item.note_id] for item in current],
        {item.note_id: one.analysis.personal for item, one in current.items()},
    )
    for item, one in current.items():
        row = rows[item.note_id]
        row.analysed_revision = item.revision
        row.analysed_at = now
        row.analyzer_version = version
        row.language = one.analysis.language
        row.masks = masks[row.id]
        row.failure = None
        row.attempts = 0
    twins = settle_twins(session, [rows[item.note_id] for item in current])
    counting = {item: one for item, one in current.items() if item.note_id not in twins}
    theme_ids = theme_ids_by_key(session)
    for table, values in _finding_rows(rows, counting, theme_ids, former).items():
        if values:
            session.execute(sa.insert(table), values)
    pin_again(session, [item.note_id for item in counting])
    lay_again(session, [rows[item.note_id] for item in counting])
    return len(current)


def _lock_unanalysed(session: Session, note_ids: Sequence[int]) -> list[NoteTable]:
    query = (
        sa.select(NoteTable)
        .where(
            NoteTable.id.in_(note_ids),
            NoteTable.analysed_revision < NoteTable.revision,
            NoteTable.deleted_at.is_(None),
        )
        .order_by(NoteTable.id)
        .with_for_update()
    )
    return list(session.scalars(query))


def _finding_rows(
    notes: dict[int, NoteTable],
    found: dict[Item, Found],
    theme_ids: dict[str, int],
    former: dict[tuple[int, int, int], int],
) -> dict[Any, list[dict[str, Any]]]:
    rows: dict[Any, list[dict[str, Any]]] = {ObjectionTable: [], CompetitorMentionTable: [], PassageTable: []}
    for item, one in found.items():
        repeated = repeated_columns(notes[item.note_id])
        rows[ObjectionTable] += [
            {
                **repeated,
                "start": o.start,
                "end": o.end,
                "quote": o.quote,
                "type": o.type,
                "status": o.status,
                "score": o.score,
                "origin": o.source,
            }
            for o in one.analysis.objections
        ]
        rows[CompetitorMentionTable] += [
            {
                **repeated,
                "start": c.start,
                "end": c.end,
                "quote": c.quote,
                "name": c.name,
                "name_key": name_key(c.name),
                "known": c.known,
                "relation": c.relation,
                "standing": c.standing,
                "score": c.score,
                "origin": c.source,
            }
            for c in one.analysis.competitors
        ]
        rows[PassageTable] += [
            {
                **repeated,
                "start": p.start,
                "end": p.end,
                "language": p.language,
                "vector": p.vector,
                "theme_vector": p.theme_vector,
                "theme_id": former.get((item.note_id, p.start, p.end), theme_ids.get(match.key) if match else None),
                "similarity": match.similarity if match else None,
            }
            for p, match in zip(one.analysis.passages, one.themes, strict=True)
        ]
    return rows


def customer_keys(session: Session, keys: Collection[str]) -> set[str]:
    """Return those of the name keys that are a customer's name, or whole words of one, four letters or more."""
    long = sorted(key for key in keys if len(key) >= MIN_NAME_PART)
    customers = set[str]()
    for begin in range(0, len(long), 100):  # SQLite takes no more than 1,000 terms in an expression
        part = long[begin : begin + 100]
        names = session.scalars(
            sa.select(AccountTable.name).where(
                sa.or_(*(AccountTable.name_key.contains(key, autoescape=True) for key in part))
            )
        )
        worded = set[str]().union(*(_runs_of_words(name) for name in names if name))
        customers |= {key for key in part if key in worded}
    return customers


def _runs_of_words(name: str) -> set[str]:
    """Return the keys of all runs of neighbouring words of a name: "Pearl" is none of "Pearlgate Group"."""
    spans = [match.span() for match in re.finditer(r"[^\W_]+", name)]
    return {name_key(name[start:end]) for i, (start, _) in enumerate(spans) for _, end in spans[i : i + MAX_RUN]}


def read_unmasked(session: Session) -> int:
    """Have notes read again of which it is not known what names persons: they were read before that was kept."""
    read = NoteTable.analysed_revision >= NoteTable.revision
    return requeue(session, [NoteTable.masks.is_(None), read])


def give_back(session: Session, items: Sequence[Item]) -> None:
    """Let notes wait again whose job could not go on; it counts as no attempt."""
    for item in items:
        session.execute(
            sa.update(NoteTable)
            .where(NoteTable.id == item.note_id, NoteTable.revision == item.revision)
            .where(NoteTable.analysed_revision < NoteTable.revision)
            .values(queued_revision=0)
        )


def record_failure(session: Session, item: Item, reason: str) -> None:
    """Count a failed attempt: the note waits again, or, after three, is parked with its reason."""
    row = session.scalar(
        sa.select(NoteTable)
        .where(NoteTable.id == item.note_id, NoteTable.revision == item.revision)
        .where(NoteTable.analysed_revision < NoteTable.revision)
        .with_for_update()
    )
    if row is None:
        return
    row.attempts += 1
    if row.attempts >= MAX_ATTEMPTS:
        row.failure = reason
    else:
        row.queued_revision = 0
