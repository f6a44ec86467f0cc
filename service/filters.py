"""The filters that every list of findings takes, and what they mean in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session, aliased

from models.types import ObjectionType
from service.errors import InvalidInput
from service.tables import (
    AccountTable,
    AuthorTable,
    CompetitorMentionTable,
    DealTable,
    NoteTable,
    ObjectionTable,
    PassageTable,
    ThemeTable,
)

DEFAULT_PERIOD_DAYS = 90


class Compare(StrEnum):
    """What a period is compared with."""

    PREVIOUS = "previous"
    NONE = "none"


class Outcome(StrEnum):
    """What became of a deal."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class NoteKind(StrEnum):
    """What kind of note it is."""

    CALL_NOTE = "call_note"
    MEETING_NOTE = "meeting_note"
    VISIT_REPORT = "visit_report"
    WEEKLY_REPORT = "weekly_report"
    EMAIL = "email"
    TRANSCRIPT = "transcript"
    DEBRIEF = "debrief"


Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2200, 12, 31))]
Text = Annotated[str | None, Field(max_length=200)]


class NoteFilters(BaseModel):
    """Filters on notes."""

    model_config = ConfigDict(populate_by_name=True)

    from_: Day | None = Field(None, alias="from", description="First day.", examples=["2026-07-01"])
    to: Day | None = Field(None, description="Last day, included.", examples=["2026-09-30"])
    language: Annotated[str | None, Field(pattern="^(en|fr|mixed|unknown)$")] = None
    team: Text = None
    author: Text = Field(None, description="The author's id.")
    segment: Text = None
    account: Text = Field(None, description="The account's id.")
    kind: NoteKind | None = None
    outcome: Outcome | None = Field(None, description="Of the note's deal.")
    source: Text = None
    competitor: Text = Field(None, description="Notes that name this competitor.")
    objection_type: ObjectionType | None = Field(None, description="Notes with an objection of this type.")
    theme: Text = Field(None, description="Notes with a passage of this theme (its id).")


class Filters(NoteFilters):
    """Filters on findings, with the period to compare with."""

    compare: Compare = Compare.PREVIOUS


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` to `end`, both included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """Length in days, at least 1."""
        return (self.end - self.start).days + 1

    @property
    def previous(self) -> Period:
        """The period of the same length just before."""
        return Period(self.start - timedelta(days=self.days), self.start - timedelta(days=1))


def resolve_period(session: Session, filters: NoteFilters) -> Period:
    """Return the period that filters mean.

    Without `to`, it ends on the day of the latest note; without `from`, it is 90 days long.

    Raises:
        InvalidInput: If it ends before it starts.
    """
    end = filters.to or _latest_day(session)
    start = filters.from_ or end - timedelta(days=DEFAULT_PERIOD_DAYS - 1)
    if end < start:
        raise InvalidInput(
            f"to ({end}) is before from ({start}): swap them.",
            errors=[{"field": "to", "code": "before_from", "message": "the period ends before it starts"}],
        )
    return Period(start, end)


def _latest_day(session: Session) -> date:
    latest: datetime | None = session.scalar(
        sa.select(sa.func.max(NoteTable.occurred_at)).where(NoteTable.deleted_at.is_(None))
    )
    return latest.date() if latest else date(1970, 1, 1) + timedelta(days=DEFAULT_PERIOD_DAYS)


def day_start(day: date) -> datetime:
    """Return midnight UTC at the start of a day."""
    return datetime.combine(day, time.min, UTC)


def day_end(day: date) -> datetime:
    """Return the last moment of a day, UTC."""
    return datetime.combine(day, time.max, UTC)


def note_conditions(filters: NoteFilters, *, few: bool = False) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of all filters but the period, on `notes`.

    Args:
        few: Look up what each note holds, for reading a few; else all notes that hold it are gathered first.
    """
    conditions: list[sa.ColumnElement[bool]] = [NoteTable.deleted_at.is_(None)]
    simple: list[tuple[Any, Any]] = [
        (NoteTable.language, filters.language),
        (NoteTable.kind, filters.kind),
        (NoteTable.source, filters.source),
    ]
    conditions += [column == value for column, value in simple if value is not None]
    conditions += dimension_conditions(filters, NoteTable)
    if filters.competitor is not None:
        conditions.append(_has_finding(CompetitorMentionTable, "name_key", name_key(filters.competitor), few=few))
    if filters.objection_type is not None:
        conditions.append(_has_finding(ObjectionTable, "type", filters.objection_type, few=few))
    if filters.theme is not None:
        theme = sa.select(ThemeTable.id).where(ThemeTable.key == filters.theme).scalar_subquery()
        conditions.append(_has_finding(PassageTable, "theme_id", theme, few=few))
    return conditions


def dimension_conditions(filters: NoteFilters, table: Any) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on account, author and deal, on `notes` or any table of findings."""
    conditions: list[sa.ColumnElement[bool]] = []
    dimensions: list[tuple[Any, Any, Any, Any]] = [
        (table.account_id, AccountTable, AccountTable.segment, filters.segment),
        (table.account_id, AccountTable, AccountTable.key, filters.account),
        (table.author_id, AuthorTable, AuthorTable.team, filters.team),
        (table.author_id, AuthorTable, AuthorTable.key, filters.author),
        (table.deal_id, DealTable, DealTable.outcome, filters.outcome),
    ]
    for column, dimension, attribute, value in dimensions:
        if value is not None:
            conditions.append(column.in_(sa.select(dimension.id).where(attribute == value)))
    return conditions


def needs_notes(filters: NoteFilters) -> bool:
    """Tell whether filters need more than what findings repeat of their note."""
    on_notes = (filters.language, filters.kind, filters.source)
    others = (filters.competitor, filters.objection_type, filters.theme)
    return any(value is not None for value in (*on_notes, *others))


def finding_conditions(
    filters: NoteFilters, table: Any, period: Period, *, few: bool = False
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of filters and period on a table of findings; no join is needed.

    Args:
        few: Look up each finding's own note, for reading a few; else the period's notes are gathered first.
    """
    conditions: list[sa.ColumnElement[bool]] = [table.occurred_on.between(period.start, period.end)]
    if not needs_notes(filters):
        return conditions + dimension_conditions(filters, table)
    if few:
        own_note = sa.exists().where(NoteTable.id == table.note_id, *note_conditions(filters, few=True))
        return [*conditions, own_note]
    notes = sa.select(NoteTable.id).where(
        NoteTable.occurred_at.between(day_start(period.start), day_end(period.end)), *note_conditions(filters)
    )
    return [*conditions, table.note_id.in_(notes)]


def _has_finding(table: Any, column: str, value: Any, *, few: bool) -> sa.ColumnElement[bool]:
    finding = aliased(table)
    condition = getattr(finding, column) == value
    if few:
        return sa.exists().where(finding.note_id == NoteTable.id, condition)
    return NoteTable.id.in_(sa.select(finding.note_id).where(condition))


def name_key(name: str) -> str:
    """Return a competitor's name without case and spaces: how names are compared."""
    return "".join(name.casefold().split())


FilterQuery = Annotated[Filters, Query()]
NoteFilterQuery = Annotated[NoteFilters, Query()]
