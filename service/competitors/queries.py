"""What is said where a competitor is named: the points on which it is ahead or behind, and how deals stand with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from models.types import Relation, Standing
from service.filters import NoteFilters, Period
from service.insights.measures import ITEM_COLUMNS, TABLES, About, item_conditions
from service.tables import CompetitorMentionTable, PassageTable
from service.thresholds import Voices, thresholds_of, voices_by

MAX_POINTS = 12
QUOTES = 2


@dataclass(slots=True)
class Point:
    """An objection type or a theme that is spoken of in the same passages as a competitor.

    Attributes:
        notes: Ids of the notes, by how the competitor stands in them.
        voices: Who said it, by the same; nothing where nobody did.
        findings: For each standing the latest objections or passages, one an account: row ids.
    """

    about: About
    key: Any
    notes: dict[Standing, set[int]] = field(default_factory=lambda: {standing: set() for standing in Standing})
    voices: dict[Standing, Voices] = field(default_factory=dict)
    findings: dict[Standing, dict[int, int]] = field(default_factory=lambda: {standing: {} for standing in Standing})

    @property
    def all_notes(self) -> set[int]:
        """Ids of all notes."""
        return set().union(*self.notes.values())

    @property
    def all_voices(self) -> Voices:
        """All who said it."""
        together = Voices()
        for voices in self.voices.values():
            together |= voices
        return together

    @property
    def accounts(self) -> set[int]:
        """Ids of all accounts."""
        return self.all_voices.accounts


def points_of(session: Session, filters: NoteFilters, period: Period, name_key: str) -> list[Point]:
    """Return the points on which a competitor is measured, those of most accounts first, withheld ones too."""
    points: dict[tuple[About, Any], Point] = {}
    for about in (About.OBJECTION, About.THEME):
        for row in _together(session, about, filters, period, name_key):
            item, standing, note_id, account_id, author_id, finding_id, _ = row
            point = points.setdefault((about, item), Point(about, item))
            point.notes[Standing(standing)].add(note_id)
            point.voices.setdefault(Standing(standing), Voices()).add(account_id, author_id)
            latest = point.findings[Standing(standing)]
            if len(latest) < QUOTES:
                latest.setdefault(account_id or 0, finding_id)
    return sorted(points.values(), key=lambda p: (-len(p.accounts), -len(p.all_notes), p.about, str(p.key)))


def _together(session: Session, about: About, filters: NoteFilters, period: Period, name_key: str) -> Iterable[Any]:
    """Return objections or themed passages in passages that name a competitor, the latest first."""
    mention = CompetitorMentionTable
    passage = aliased(PassageTable)
    found = passage if about is About.THEME else TABLES[about]
    item = passage.theme_id if about is About.THEME else ITEM_COLUMNS[about]
    query = (
        sa.select(
            item,
            mention.standing,
            mention.note_id,
            mention.account_id,
            mention.author_id,
            found.id,
            mention.occurred_on,
        )
        .select_from(mention)
        .join(passage, passage.note_id == mention.note_id)
        .where(
            *item_conditions(About.COMPETITOR, filters, period, [name_key]),
            passage.start <= mention.start,
            mention.start < passage.end,
            item.is_not(None),
        )
    )
    if about is not About.THEME:
        touching = sa.and_(found.note_id == passage.note_id, found.start < passage.end, passage.start < found.end)
        query = query.join(found, touching)
    return session.execute(query.distinct().order_by(mention.occurred_on.desc(), found.id.desc()))


def accounts_by_relation(
    session: Session, filters: NoteFilters, period: Period, name_keys: Sequence[str]
) -> dict[str, dict[Relation, int]]:
    """Return for each competitor at how many accounts it is the incumbent, evaluated, and so on.

    Relations that are withheld are left out.
    """
    mention = CompetitorMentionTable
    rows = session.execute(
        sa.select(mention.name_key, mention.relation, mention.account_id, mention.author_id)
        .where(*item_conditions(About.COMPETITOR, filters, period, name_keys))
        .distinct()
    )
    voices = voices_by(((key, Relation(relation)), account, author) for key, relation, account, author in rows)
    thresholds = thresholds_of(session)
    found = {}
    for key in name_keys:
        of_key = {relation: voices.get((key, relation), Voices()) for relation in Relation}
        hidden = thresholds.hidden_parts(
            {relation: who for relation, who in of_key.items() if (key, relation) in voices}
        )
        found[key] = {relation: len(who.accounts) for relation, who in of_key.items() if relation not in hidden}
    return found
