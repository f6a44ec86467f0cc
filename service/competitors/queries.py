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

MAX_POINTS = 12
QUOTES = 2


@dataclass(slots=True)
class Point:
    """An objection type or a theme that is spoken of in the same passages as a competitor.

    Attributes:
        notes: Ids of the notes, by how the competitor stands in them.
        accounts: Ids of their accounts.
        findings: For each standing the latest objections or passages, one an account: row ids.
    """

    about: About
    key: Any
    notes: dict[Standing, set[int]] = field(default_factory=lambda: {standing: set() for standing in Standing})
    accounts: set[int] = field(default_factory=set)
    findings: dict[Standing, dict[int, int]] = field(default_factory=lambda: {standing: {} for standing in Standing})

    @property
    def all_notes(self) -> set[int]:
        """Ids of all notes."""
        return set().union(*self.notes.values())


def points_of(session: Session, filters: NoteFilters, period: Period, name_key: str) -> list[Point]:
    """Return the points on which a competitor is measured, those of most accounts first."""
    points: dict[tuple[About, Any], Point] = {}
    for about in (About.OBJECTION, About.THEME):
        for item, standing, note_id, account_id, finding_id, _ in _together(session, about, filters, period, name_key):
            point = points.setdefault((about, item), Point(about, item))
            point.notes[Standing(standing)].add(note_id)
            if account_id is not None:
                point.accounts.add(account_id)
            latest = point.findings[Standing(standing)]
            if len(latest) < QUOTES:
                latest.setdefault(account_id or 0, finding_id)
    ordered = sorted(points.values(), key=lambda p: (-len(p.accounts), -len(p.all_notes), p.about, str(p.key)))
    return ordered[:MAX_POINTS]


def _together(session: Session, about: About, filters: NoteFilters, period: Period, name_key: str) -> Iterable[Any]:
    """Return objections or themed passages in passages that name a competitor, the latest first."""
    mention = CompetitorMentionTable
    passage = aliased(PassageTable)
    found = passage if about is About.THEME else TABLES[about]
    item = passage.theme_id if about is About.THEME else ITEM_COLUMNS[about]
    query = (
        sa.select(item, mention.standing, mention.note_id, mention.account_id, found.id, mention.occurred_on)
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
    """Return for each competitor at how many accounts it is the incumbent, evaluated, and so on."""
    mention = CompetitorMentionTable
    rows = session.execute(
        sa.select(mention.name_key, mention.relation, sa.func.count(sa.distinct(mention.account_id)))
        .where(*item_conditions(About.COMPETITOR, filters, period, name_keys))
        .group_by(mention.name_key, mention.relation)
    )
    counts = {(key, relation): accounts for key, relation, accounts in rows}
    return {key: {relation: counts.get((key, relation), 0) for relation in Relation} for key in name_keys}
