"""Corrections as they are made, undone, and laid over a new analysis.

A note that has corrections keeps what the analyser found beside them (`corrected_notes`); its rows in the tables of
findings, which all counting reads, are always the two laid together. So undoing is forgetting, and a new analysis is
another thing to lay the same corrections over. The note's row is locked meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.types import Catalog, ObjectionStatus, Relation, Standing
from service.catalog.queries import dismissed_keys, read_catalog
from service.corrections import queries
from service.corrections.overlay import Laid, Place, Row, context, lay_over, settle, shares_half, span_of
from service.corrections.schemas import (
    ADDITIONS,
    DENIALS,
    NEEDED,
    OF_OBJECTIONS,
    OPTIONAL,
    CorrectionKind,
    CorrectionState,
    NewCorrection,
)
from service.errors import Conflict, InvalidInput
from service.filters import name_key
from service.insights.measures import TABLES, About
from service.masks.view import shown_words
from service.notes.queries import lock_note, repeated_columns
from service.tables import CorrectedNoteTable, CorrectionTable, NoteTable

VALUES = {About.OBJECTION: ("type", "status"), About.COMPETITOR: ("name", "known", "relation", "standing")}
_COLUMNS = ("id", "start", "end", "quote", "score", "origin")


def about_of(kind: str) -> About:
    """Return the kind of finding that a correction is about."""
    return About.OBJECTION if kind in OF_OBJECTIONS else About.COMPETITOR


def correct(session: Session, wanted: NewCorrection, *, by: str, now: datetime) -> tuple[CorrectionTable, bool]:
    """Store a correction and change what counts.

    A correction of the same kind at the same place is replaced.

    Args:
        by: Who corrects.

    Returns:
        The correction, and whether it is new: the same one again is the one that is there.

    Raises:
        InvalidInput: If a field is missing, does not belong to the kind, or says what can't be; it is named.
        Conflict: If the note or its findings have changed, or another finding stands in the way.
    """
    _check_fields(wanted)
    note = _lock(session, wanted)
    about = about_of(wanted.kind)
    corrections = _corrections_of(session, note, about)
    laid = lay_over(_found(session, note)[about], corrections)
    right = _right(wanted, note.text, read_catalog(session))
    same = [c for c in corrections if c.kind == wanted.kind and c.right == right]
    own = next((one for one in laid if one.row and one.id == wanted.finding_id), None)
    if own is None and wanted.kind not in ADDITIONS:
        return _made_before(wanted, corrections, laid, same), False
    place = own.place if own else _span(wanted, note.text)
    earlier = next((c for c in corrections if c.kind == wanted.kind and (c.start, c.end) == place), None)
    if earlier and earlier in same:
        return earlier, False
    _check(session, wanted, note, own, laid, right, replaced=earlier is not None)
    if earlier:
        session.delete(earlier)
    prefix, suffix = context(note.text, place)
    correction = CorrectionTable(
        note_id=note.id,
        kind=wanted.kind,
        finding_id=wanted.finding_id,
        start=place[0],
        end=place[1],
        quote=note.text[place[0] : place[1]],
        prefix=prefix,
        suffix=suffix,
        found={name: own.found[name] for name in VALUES[about]} if own and own.found else None,
        right=right,
        state=CorrectionState.APPLIED,
        created_by=by,
        created_at=now,
    )
    session.add(correction)
    _keep_found(session, note)
    session.flush()
    _write(session, note, about)
    return correction, True


def undo(session: Session, correction_id: int) -> bool:
    """Forget a correction: what the analyser found counts again; False where there is no such correction."""
    note_id = queries.note_of_correction(session, correction_id)
    note = lock_note(session, note_id) if note_id else None
    correction = session.get(CorrectionTable, correction_id)
    if correction is None or note is None:
        return False
    about = about_of(correction.kind)
    session.delete(correction)
    session.flush()
    _write(session, note, about)
    if not queries.has_corrections(session, note.id):
        session.execute(sa.delete(CorrectedNoteTable).where(CorrectedNoteTable.note_id == note.id))
    return True


def lay_again(session: Session, notes: Sequence[NoteTable]) -> None:
    """Lay the corrections of notes over their new findings; the notes are locked, their findings just written."""
    corrected = queries.corrected_among(session, [note.id for note in notes])
    for note in notes:
        if note.id not in corrected:
            continue
        session.execute(sa.delete(CorrectedNoteTable).where(CorrectedNoteTable.note_id == note.id))
        _keep_found(session, note)
        for about in VALUES:
            settle(_corrections_of(session, note, about), note.text)
        session.flush()
        for about in VALUES:
            _write(session, note, about)


def _check_fields(wanted: NewCorrection) -> None:
    """Refuse a correction that lacks a field of its kind, or has one of another kind."""
    given = wanted.model_dump(exclude_none=True).keys() - {"kind", "quote"}
    needed, allowed = set(NEEDED[wanted.kind]), {*NEEDED[wanted.kind], *OPTIONAL.get(wanted.kind, ())}
    for field in sorted(needed - given):
        raise _invalid(field, "missing", f"{wanted.kind} needs it")
    for field in sorted(given - allowed):
        raise _invalid(field, "extra_forbidden", f"{wanted.kind} takes {', '.join(sorted(allowed))}")


def _invalid(field: str, code: str, message: str) -> InvalidInput:
    return InvalidInput(f"{field}: {message}.", errors=[{"field": field, "code": code, "message": message}])


def _lock(session: Session, wanted: NewCorrection) -> NoteTable:
    """Lock the note that a correction is about."""
    if wanted.kind in ADDITIONS:
        note = lock_note(session, wanted.note_id or 0)
        if note is None:
            raise _invalid("note_id", "unknown_note", f"there is no note {wanted.note_id}")
        if note.duplicate_of is not None:
            raise Conflict(f"Note {note.id} is the same as note {note.duplicate_of}, which counts: correct that one.")
        return note
    note_id = queries.note_of_finding(session, about_of(wanted.kind), wanted.finding_id or 0)
    note = lock_note(session, note_id) if note_id else None
    if note is None:
        raise _unknown_finding(wanted)
    return note


def _unknown_finding(wanted: NewCorrection) -> InvalidInput:
    named = "objection" if wanted.kind in OF_OBJECTIONS else "competitor mention"
    return _invalid(
        "finding_id", "unknown_finding", f"there is no {named} {wanted.finding_id}; a new analysis gives other ids"
    )


def _corrections_of(session: Session, note: NoteTable, about: About) -> list[CorrectionTable]:
    return [c for c in queries.corrections_of(session, note.id) if about_of(c.kind) is about]


def _made_before(
    wanted: NewCorrection,
    corrections: Sequence[CorrectionTable],
    laid: Sequence[Laid],
    same: Sequence[CorrectionTable],
) -> CorrectionTable:
    """Return the correction that this one repeats: the finding that it names counts no more, or has another id now."""
    for correction in same:
        if correction.finding_id == wanted.finding_id:
            return correction
    denied = next((one for one in laid if one.id == wanted.finding_id), None)
    if denied is None:
        raise _unknown_finding(wanted)
    (denial,) = (c for c in corrections if c.kind in DENIALS and (c.start, c.end) == denied.place)
    raise Conflict(f"Correction {denial.id} says that there is no such thing here: undo it first.")


def _span(wanted: NewCorrection, text: str) -> Place:
    """Return the span that a correction gives."""
    assert wanted.start is not None
    assert wanted.end is not None
    if wanted.end > len(text):
        raise _invalid("end", "outside_text", f"the note's text has {len(text)} characters")
    if wanted.end <= wanted.start:
        raise _invalid("end", "before_start", "it is not after start")
    if not text[wanted.start : wanted.end].strip():
        raise _invalid("start", "blank", "there are only spaces between start and end")
    return wanted.start, wanted.end


def _right(wanted: NewCorrection, text: str, catalog: Catalog) -> dict[str, Any] | None:
    """Return the values that a correction gives, as columns of the finding."""
    if wanted.kind in DENIALS:
        return None
    right = wanted.model_dump(mode="json", include={"type", "status", "relation", "standing"}, exclude_none=True)
    if wanted.start is not None:
        start, end = _span(wanted, text)
        right |= {"start": start, "end": end, "quote": text[start:end]}
    if wanted.kind is CorrectionKind.MISSED_OBJECTION:
        return {"status": ObjectionStatus.OPEN.value} | right
    if wanted.kind in {CorrectionKind.MISSED_COMPETITOR, CorrectionKind.WRONG_NAME}:
        name = wanted.name or right["quote"].strip()
        right["name"] = listed_name(catalog, name) or name
    if wanted.kind is CorrectionKind.MISSED_COMPETITOR:
        return {"relation": Relation.MENTIONED.value, "standing": Standing.NEUTRAL.value} | right
    return right


def listed_name(catalog: Catalog, name: str) -> str | None:
    """Return the catalogue's name of a competitor that it has under any name; None where it has none."""
    key = name_key(name)
    return next((c.name for c in catalog.competitors if key in {name_key(n) for n in (c.name, *c.aliases)}), None)


def _check(
    session: Session,
    wanted: NewCorrection,
    note: NoteTable,
    own: Laid | None,
    laid: Sequence[Laid],
    right: dict[str, Any] | None,
    *,
    replaced: bool,
) -> None:
    """Refuse a correction that changes nothing, or that the note's text or another finding speaks against."""
    row = own.row if own else None
    if row and note.text[row["start"] : row["end"]] != row["quote"]:
        raise Conflict(f"Note {note.id} has changed and is being read again: try again with its new findings.")
    place = right if right and "quote" in right else row
    words = shown_words(note, place["start"], place["end"], place["quote"]) if place else ""
    if wanted.quote is not None and wanted.quote != words:
        raise _invalid("quote", "other_words", "the note says other words there; offsets are code points")
    if row and right and not replaced and all(row[name] == value for name, value in right.items()):
        field = NEEDED[wanted.kind][1]
        raise _invalid(field, "unchanged", "the finding says so already")
    if wanted.kind is CorrectionKind.MISSED_COMPETITOR and wanted.name is None and place and words != place["quote"]:
        raise _invalid("start", "hidden", "these words are hidden from this caller: give the name, or mark others")
    if wanted.kind is CorrectionKind.WRONG_NAME:
        _check_listed(session, wanted)
    if right and "quote" in right:
        _check_free(wanted, (right["start"], right["end"]), [one for one in laid if one is not own])
    if wanted.kind is CorrectionKind.MISSED_COMPETITOR and right:
        _check_not_dismissed(session, right["name"])


def _check_listed(session: Session, wanted: NewCorrection) -> None:
    if listed_name(read_catalog(session), wanted.name or "") is None:
        raise _invalid("name", "unknown_competitor", "not in the catalogue: add it there first")


def _check_not_dismissed(session: Session, name: str) -> None:
    if listed_name(read_catalog(session), name) is None and name_key(name) in dismissed_keys(session):
        raise Conflict(f"{name!r} was dismissed as no competitor: add it to the catalogue first.")


def _check_free(wanted: NewCorrection, span: Place, others: Sequence[Laid]) -> None:
    """Refuse a span where something stands, or was denied: one place, one finding."""
    for other in others:
        if not shares_half(span, other.place if other.row is None else span_of(other.row)):
            continue
        if other.row is None:
            raise Conflict("A correction says that there is no such thing here: undo it first.")
        named = "Objection" if wanted.kind in OF_OBJECTIONS else "Competitor mention"
        raise Conflict(f"{named} {other.id} stands there already: correct it, or mark other words.")


def _found(session: Session, note: NoteTable) -> Mapping[str, Sequence[Row]]:
    """Return what the analyser found in a note, by kind."""
    kept = session.get(CorrectedNoteTable, note.id, populate_existing=True)
    if kept:
        return kept.found
    return {about: queries.finding_rows(session, note.id, about, _names(about)) for about in VALUES}


def _names(about: About) -> tuple[str, ...]:
    return (*_COLUMNS, *VALUES[about])


def _keep_found(session: Session, note: NoteTable) -> None:
    """Keep what the analyser found, unless it is kept already."""
    if session.get(CorrectedNoteTable, note.id, populate_existing=True) is None:
        found = {str(about): rows for about, rows in _found(session, note).items()}
        session.add(CorrectedNoteTable(note_id=note.id, found=found))
        session.flush()


def _write(session: Session, note: NoteTable, about: About) -> None:
    """Make a note's rows of one kind what was found with its corrections laid over."""
    corrections = _corrections_of(session, note, about)
    rows = [one.row for one in lay_over(_found(session, note)[about], corrections) if one.row]
    table = TABLES[about]
    session.execute(sa.delete(table).where(table.note_id == note.id))
    values = [{**repeated_columns(note), "corrected": False, **row} for row in rows]
    if about is About.COMPETITOR:
        values = _named(session, values)
    numbered = [row for row in values if row["id"] is not None]
    if numbered:
        session.execute(sa.insert(table), numbered)
    for row in values:
        if row["id"] is None:
            added = session.scalar(
                sa.insert(table).values({k: v for k, v in row.items() if k != "id"}).returning(table.id)
            )
            _number(corrections, span_of(row), added)


def _number(corrections: Sequence[CorrectionTable], span: Place, finding_id: int | None) -> None:
    """Give an addition the id of its row, which it keeps whenever the row is written again."""
    for correction in corrections:
        if (
            correction.kind in ADDITIONS
            and correction.finding_id is None
            and (correction.start, correction.end) == span
        ):
            correction.finding_id = finding_id


def _named(session: Session, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give mentions the catalogue's names, and drop those that it lacks and a person dismissed."""
    catalog, dismissed = read_catalog(session), dismissed_keys(session)
    for row in rows:
        if row["corrected"]:
            listed = listed_name(catalog, row["name"])
            row |= {"name": listed or row["name"], "known": listed is not None}
        row["name_key"] = name_key(row["name"])
    return [row for row in rows if row["known"] or row["name_key"] not in dismissed]
