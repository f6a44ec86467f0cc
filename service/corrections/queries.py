"""Corrections in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, object_session

from service.corrections.schemas import OF_OBJECTIONS, CorrectionKind, CorrectionState
from service.insights.measures import TABLES, About
from service.masks.view import shown_words
from service.tables import CorrectionTable, NoteTable


def list_corrections(
    session: Session,
    *,
    note_id: int | None,
    kind: CorrectionKind | None,
    state: CorrectionState | None,
    limit: int,
    before: int | None,
) -> tuple[list[CorrectionTable], int]:
    """Return one page of corrections, latest first, and how many there are in all.

    Args:
        before: Id of the last correction of the page before.
    """
    asked = [(CorrectionTable.note_id, note_id), (CorrectionTable.kind, kind), (CorrectionTable.state, state)]
    conditions = [column == value for column, value in asked if value is not None]
    total = session.scalar(sa.select(sa.func.count()).select_from(CorrectionTable).where(*conditions)) or 0
    query = sa.select(CorrectionTable).where(*conditions).order_by(CorrectionTable.id.desc()).limit(limit)
    if before is not None:
        query = query.where(CorrectionTable.id < before)
    return list(session.scalars(query)), total


def corrections_of(session: Session, note_id: int) -> list[CorrectionTable]:
    """Return a note's corrections in the order in which they were made."""
    query = sa.select(CorrectionTable).where(CorrectionTable.note_id == note_id).order_by(CorrectionTable.id)
    return list(session.scalars(query))


def shown(correction: CorrectionTable) -> tuple[str, dict[str, Any] | None]:
    """Return a correction's quote and its right values as its session may show them."""
    session = object_session(correction)
    note = session.get(NoteTable, correction.note_id) if session else None
    assert note is not None, "corrections go with their notes"
    right = correction.right
    if right and "quote" in right:
        right = right | {"quote": shown_words(note, right["start"], right["end"], right["quote"])}
    return shown_words(note, correction.start, correction.end, correction.quote), right


def has_corrections(session: Session, note_id: int) -> bool:
    """Tell whether a note has any correction."""
    return bool(corrected_among(session, [note_id]))


def corrected_among(session: Session, note_ids: Sequence[int]) -> set[int]:
    """Return those of the notes that have corrections."""
    query = sa.select(CorrectionTable.note_id).where(CorrectionTable.note_id.in_(note_ids)).distinct()
    return set(session.scalars(query))


def note_of_correction(session: Session, correction_id: int) -> int | None:
    """Return the note of a correction; None where there is no such correction."""
    return session.scalar(sa.select(CorrectionTable.note_id).where(CorrectionTable.id == correction_id))


def note_of_finding(session: Session, about: About, finding_id: int) -> int | None:
    """Return the note of a finding, or of one that a correction took away."""
    table = TABLES[about]
    found: int | None = session.scalar(sa.select(table.note_id).where(table.id == finding_id))
    if found is not None:
        return found
    kinds = [kind for kind in CorrectionKind if (kind in OF_OBJECTIONS) == (about is About.OBJECTION)]
    return session.scalar(
        sa.select(CorrectionTable.note_id)
        .where(CorrectionTable.finding_id == finding_id, CorrectionTable.kind.in_(kinds))
        .limit(1)
    )


def finding_rows(session: Session, note_id: int, about: About, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return some columns of a note's findings of one kind."""
    table = TABLES[about]
    columns = [getattr(table, name) for name in names]
    rows = session.execute(sa.select(*columns).where(table.note_id == note_id).order_by(table.start, table.id))
    return [dict(row._mapping) for row in rows]
