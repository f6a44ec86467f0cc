"""The forms by which people correct what was found in a note, mark what was missed, and take either back."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from service.catalog.queries import read_catalog
from service.corrections import storage
from service.corrections.schemas import CorrectionKind, NewCorrection
from service.database import write_session
from service.dependencies import Caller, Now, get_engine, refuse_single_notes
from service.errors import Conflict, InvalidInput, NotFound
from service.insights.measures import TABLES, About
from service.masks.view import read_for, shown_text
from service.notes.queries import get_note
from service.pages.answers import PageRoute
from service.pages.sign_in import CuratingVisitor, FormFields, inside, may_curate

MAX_QUOTE_CHARS = 2_000
MAX_UNDONE = 10
router = APIRouter(route_class=PageRoute, include_in_schema=False)

_KINDS = {
    About.OBJECTION: {"type": CorrectionKind.WRONG_TYPE, "status": CorrectionKind.WRONG_STATUS},
    About.COMPETITOR: {
        "name": CorrectionKind.WRONG_NAME,
        "relation": CorrectionKind.WRONG_RELATION,
        "standing": CorrectionKind.WRONG_STANDING,
    },
}
_DENIALS = {About.OBJECTION: CorrectionKind.NOT_AN_OBJECTION, About.COMPETITOR: CorrectionKind.NOT_A_COMPETITOR}
_MISSED = {
    About.OBJECTION: (CorrectionKind.MISSED_OBJECTION, ("type", "status")),
    About.COMPETITOR: (CorrectionKind.MISSED_COMPETITOR, ("name", "relation", "standing")),
}


def competitor_names(session: Session, visitor: Caller) -> list[str] | None:
    """Return the names that a mention can be given; None where the visitor may not correct."""
    return sorted(c.name for c in read_catalog(session).competitors) if may_curate(visitor) else None


@router.post("/corrections")
def post_correction(request: Request, fields: FormFields, now: Now, visitor: CuratingVisitor) -> Response:
    """Correct a finding: what the form says otherwise than the finding does, or that there is no such thing."""
    about, finding_id = _about(fields), _number(fields.get("finding", ""))
    with write_session(get_engine(request)) as session:
        wanted = _wanted(session, about, finding_id, fields)
        made = [storage.correct(session, one, by=visitor.name, now=now)[0].id for one in wanted]
    return back(fields, changed=made)


def _wanted(session: Session, about: About, finding_id: int, fields: dict[str, str]) -> list[NewCorrection]:
    if fields.get("do") == "deny":
        return [NewCorrection(kind=_DENIALS[about], finding_id=finding_id)]
    row = session.get(TABLES[about], finding_id)
    if row is None:
        raise Conflict("The note was read again meanwhile.")
    changed = {
        name: fields[name] for name in _KINDS[about] if fields.get(name) and fields[name] != str(getattr(row, name))
    }
    return [_checked(kind=_KINDS[about][name], finding_id=finding_id, **{name: v}) for name, v in changed.items()]


@router.post("/notes/{note_id}/missed")
def post_missed(note_id: str, request: Request, fields: FormFields, now: Now, visitor: CuratingVisitor) -> Response:
    """Add a finding that was missed: the words that stand in the note, and what they are."""
    refuse_single_notes(request, visitor)
    about = _about(fields)
    kind, names = _MISSED[about]
    with write_session(get_engine(request)) as session:
        row = get_note(session, _number(note_id))
        if row is None:
            raise NotFound("There is no such note.")
        read_for(session, request.state)
        place = find_words(shown_text(row[0]), fields.get("quote", ""), _number(fields.get("start", "")))
        if place is None:
            return back(fields, fault="missed")
        given = {name: fields[name] for name in names if fields.get(name)}
        wanted = _checked(kind=kind, note_id=row[0].id, start=place[0], end=place[1], **given)
        try:
            made = storage.correct(session, wanted, by=visitor.name, now=now)[0].id
        except Conflict:
            return back(fields, fault="stands")
    return back(fields, changed=[made])


def find_words(text: str, words: str, near: int) -> tuple[int, int] | None:
    """Return where words stand in a text, spaces and line ends apart; of several places the nearest one."""
    parts = words[:MAX_QUOTE_CHARS].split()
    if not parts:
        return None
    pattern = r"\s+".join(re.escape(part) for part in parts)
    places = [match.span() for match in re.finditer(pattern, text, re.IGNORECASE)]
    return min(places, key=lambda place: abs(place[0] - near), default=None)


@router.post("/corrections/undo")
def post_undo(request: Request, fields: FormFields, _visitor: CuratingVisitor) -> Response:
    """Take corrections back, the latest first; those that are gone already are passed over."""
    numbers = [_number(number) for number in fields.get("corrections", "").split(",")[:MAX_UNDONE]]
    with write_session(get_engine(request)) as session:
        for number in sorted(numbers, reverse=True):
            storage.undo(session, number)
    return back(fields, undone="yes")


def back(fields: dict[str, str], *, changed: list[int] | None = None, **told: str) -> Response:
    """Lead back to the page that a form was on, which says what was done."""
    if changed:
        told["changed"] = ",".join(str(number) for number in changed)
    address = inside(fields.get("here", ""))
    at = fields.get("at", "")
    address += f"{'&' if '?' in address else '?'}{urlencode(told)}" if told else ""
    return RedirectResponse(address + (f"#{at}" if re.fullmatch(r"[\w-]{1,60}", at, re.ASCII) else ""), 303)


def _about(fields: dict[str, str]) -> About:
    about = fields.get("about", "")
    if about not in {About.OBJECTION, About.COMPETITOR}:
        raise InvalidInput("about: objection or competitor.")
    return About(about)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _checked(**values: Any) -> NewCorrection:
    try:
        return NewCorrection.model_validate(values)
    except ValidationError:
        raise InvalidInput("Some fields of the correction are wrong.") from None
