"""What resolved objections: the words that followed them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.types import ObjectionStatus, ObjectionType
from service.filters import NoteFilters, Period
from service.insights.evidence import Quote, read_quotes
from service.insights.measures import About, item_conditions
from service.masks.view import shown_text
from service.tables import NoteTable, ObjectionTable

LONGEST = 280  # characters of an answer
_END_OF_SENTENCE = re.compile(r"[.!?…]+[\"'»”)]*(?=\s|$)|\n")


@dataclass(frozen=True, slots=True)
class Answer:
    """An objection that was resolved, and what followed it in its note.

    Attributes:
        objection: The objection.
        start: Where the words that followed begin.
        end: Where they end.
        text: The words.
    """

    objection: Quote
    start: int
    end: int
    text: str


def answers_to(
    session: Session, filters: NoteFilters, period: Period, kind: ObjectionType, *, limit: int
) -> list[Answer]:
    """Return the latest resolved objections of a type with what followed them, one an account first."""
    table = ObjectionTable
    turn = sa.func.row_number().over(
        partition_by=table.account_id, order_by=(table.occurred_on.desc(), table.id.desc())
    )
    resolved = [*item_conditions(About.OBJECTION, filters, period, [kind]), table.status == ObjectionStatus.RESOLVED]
    ranked = sa.select(table.id, table.occurred_on, turn.label("turn")).where(*resolved).subquery()
    ids = sa.select(ranked.c.id).order_by(ranked.c.turn, ranked.c.occurred_on.desc(), ranked.c.id.desc()).limit(limit)
    quotes = read_quotes(session, About.OBJECTION, list(session.scalars(ids)))
    note_ids = {quote.note_id for quote in quotes}
    notes = session.scalars(sa.select(NoteTable).where(NoteTable.id.in_(note_ids)))
    texts = {note.id: shown_text(note) for note in notes}
    answers = []
    for quote in quotes:
        text = texts[quote.note_id]
        start, end = following(text, quote.end)
        if start < end:
            answers.append(Answer(quote, start, end, text[start:end]))
    return answers


def following(text: str, after: int) -> tuple[int, int]:
    """Return where the words that follow a place stand: to the end of its sentence, and two sentences more.

    Args:
        text: A note.
        after: Where an objection ends.
    """
    ends = [found.end() for found in _END_OF_SENTENCE.finditer(text, after)]
    own = ends[0] if ends else len(text)
    further = [end for end in ends[1:] if text[own:end].strip(" .\n")]
    end = min(further[1] if len(further) > 1 else len(text), after + LONGEST)
    if end == after + LONGEST and end < len(text):
        end = max(text.rfind(" ", after, end), after)
    words = text[after:end]
    start = after + len(words) - len(words.lstrip(" \n\t.,;:!?…"))
    return start, max(start, after + len(words.rstrip()))
