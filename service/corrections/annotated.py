"""Corrected notes in the annotation guide's format (section 4), for training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.types import Catalog
from service.catalog.queries import read_catalog
from service.corrections.queries import corrections_of, finding_rows
from service.corrections.schemas import DENIALS, CorrectionState
from service.corrections.storage import VALUES, about_of
from service.insights.measures import About
from service.notes.queries import NoteRow, get_note
from service.tables import CorrectionTable, NoteTable, PassageTable, ThemeTable

_SPAN = ("start", "end", "quote")


def annotated_notes(session: Session) -> Iterator[dict[str, Any]]:
    """Yield every note that has a correction, as it counts now.

    Beside the guide's fields: `confirmed` of a mark, whether a person corrected or added it; `denied`, the places where
    a person said that there is no such thing; `catalog`, our names and the competitors that the note's marks name.
    """
    catalog = read_catalog(session)
    applied = CorrectionTable.state == CorrectionState.APPLIED
    query = sa.select(CorrectionTable.note_id).where(applied).distinct().order_by(CorrectionTable.note_id)
    for note_id in list(session.scalars(query)):
        row = get_note(session, note_id)
        if row:
            yield _annotated(session, row, catalog)


def _annotated(session: Session, row: NoteRow, catalog: Catalog) -> dict[str, Any]:
    note, author, account, deal = row
    corrections = [c for c in corrections_of(session, note.id) if c.state == CorrectionState.APPLIED]
    objections, competitors = (_marks(session, note, about) for about in (About.OBJECTION, About.COMPETITOR))
    denied = [c for c in corrections if c.kind in DENIALS and _stands(note.text, c.start, c.end, c.quote)]
    names = {mark["name"] for mark in competitors} | {(c.found or {}).get("name") for c in denied}
    return {
        "id": f"{note.source}/{note.external_id}",
        "language": note.language,
        "kind": note.kind,
        "occurred_at": note.occurred_at,
        "author": {"id": author.key, "team": author.team} if author else None,
        "account": {"id": account.key, "name": account.name, "segment": account.segment} if account else None,
        "deal": {name: getattr(deal, name) for name in ("amount", "currency", "stage", "outcome")} | {"id": deal.key}
        if deal
        else None,
        "text": note.text,
        "objections": objections,
        "competitors": competitors,
        "passages": _passages(session, note),
        "denied": [
            {"finding": str(about_of(c.kind)), "start": c.start, "end": c.end, "quote": c.quote} for c in denied
        ],
        "catalog": {
            "us": list(catalog.us),
            "competitors": [
                {"name": c.name, "aliases": list(c.aliases)} for c in catalog.competitors if c.name in names
            ],
        },
    }


def _marks(session: Session, note: NoteTable, about: About) -> list[dict[str, Any]]:
    names = (*_SPAN, *VALUES[about], "corrected")
    rows = finding_rows(session, note.id, about, names)
    return [
        {**{name: row[name] for name in names[:-1]}, "confirmed": row["corrected"]}
        for row in rows
        if _stands(note.text, row["start"], row["end"], row["quote"])
    ]


def _stands(text: str, start: int, end: int, quote: str) -> bool:
    """Tell whether a text still says what was found: an edit keeps its old findings until it is read again."""
    return text[start:end] == quote


def _passages(session: Session, note: NoteTable) -> Sequence[dict[str, Any]]:
    if note.analysed_revision != note.revision:
        return []
    rows = session.execute(
        sa.select(PassageTable.start, PassageTable.end, ThemeTable.key)
        .join(ThemeTable, ThemeTable.id == PassageTable.theme_id)
        .where(PassageTable.note_id == note.id)
        .order_by(PassageTable.start)
    )
    return [{"start": start, "end": end, "theme": key} for start, end, key in rows]
