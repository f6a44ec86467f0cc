"""The filters that every list of findings takes, and what they mean in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import Session, aliased

from models.lexicon import fold_key
from models.types import ObjectionType
from service.errors import InvalidInput
from service.field_words import FOUND_LANGUAGE
from service.tables import (
    AccountTable,
    AuthorTable,
    CatalogNameTable,
    CompetitorMentionTable,
    DealTable,
    NoteTable,
    ObjectionTable,
    PassageTable,
    ThemeTable,
)

DEFAULT_PERIOD_DAYS = 90


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(moment: datetime) -> int:
    """Return whole milliseconds since 1970: exact, where a floating point number of seconds may lose one."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


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
    language: Annotated[str | None, Field(pattern=FOUND_LANGUAGE)] = None
    team: Text = None
    author: Text = Field(None, description="The author's id, as notes show it.")
    segment: Text = None
    account: Text = Field(None, description="The account's id.")
    kind: NoteKind | None = None
    outcome: Outcome | None = Field(None, description="Of the note's deal.")
    source: Text = None
    competitor: Text = Field(None, description="Notes that name this competitor, by any of its names in the catalogue.")
    objection_type: ObjectionType | None = Field(None, description="Notes with an objection of this type.")
    theme: Text = Field(None, description="Notes with a passage of this theme (its id).")

    @field_validator("*", mode="before")
    @classmethod
    def _not_blank(cls, value: Any) -> Any:
        """Refuse an empty filter: it would hold for nothing, and who sends it means no filter or forgot the value."""
        if isinstance(value, str) and not value.strip():
            raise PydanticCustomError("blank", "it is empty: give a value, or leave it out")
        return value


class Filters(NoteFilters):
    """Filters on findings, with the period to compare with."""

    compare: Annotated[
        Compare, Field(description="What trends are measured against; where there are none, it changes nothing.")
    ] = Compare.PREVIOUS


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
    def whole_months(self) -> int:
        """How many whole months of the calendar the period is; 0 where it is none."""
        if self.start.day != 1 or (self.end + timedelta(days=1)).day != 1:
            return 0
        return 12 * (self.end.year - self.start.year) + self.end.month - self.start.month + 1

    @property
    def previous(self) -> Period:
        """The period just before: as many whole months where this one is whole months, else as many days."""
        before = self.start - timedelta(days=1)
        if not self.whole_months:
            return Period(self.start - timedelta(days=self.days), before)
        number = 12 * self.start.year + self.start.month - 1 - self.whole_months
        return Period(date(number // 12, number % 12 + 1, 1), before)


def resolve_period(session: Session, filters: NoteFilters) -> Period:
    """Return the period that filters mean.

    Without `to`, it ends on the day of the latest note, those apart that are dated after they came; without `from`, it
    is 90 days long.

    Raises:
        InvalidInput: If it ends before it starts.
    """
    end = filters.to or _latest_day(session)
    start = filters.from_ or end - timedelta(days=DEFAULT_PERIOD_DAYS - 1)
    if not filters.to and end < start:
        raise InvalidInput(
            f"from ({start}) is after the latest note ({end}): choose an earlier day, or give to.",
            errors=[{"field": "from", "code": "after_latest", "message": "it is after the latest note"}],
        )
    return check_order(Period(start, end))


def check_order(period: Period) -> Period:
    """Return a period.

    Raises:
        InvalidInput: If it ends before it starts.
    """
    if period.end < period.start:
        raise InvalidInput(
            f"to ({period.end}) is before from ({period.start}): swap them.",
            errors=[{"field": "to", "code": "before_from", "message": "the period ends before it starts"}],
        )
    return period


def _latest_day(session: Session) -> date:
    """Return the day of the latest note, of those dated no later than they came where there are any.

    A single note with a wrong year would else move every list to a time in which nothing was said.
    """
    dated = sa.select(NoteTable.occurred_at).where(NoteTable.deleted_at.is_(None))
    latest_first = dated.order_by(NoteTable.occurred_at.desc()).limit(1)
    came_after = sa.func.date(NoteTable.occurred_at) <= sa.func.date(NoteTable.received_at)
    latest: datetime | None = session.scalar(latest_first.where(came_after)) or session.scalar(latest_first)
    return latest.date() if latest else date(1970, 1, 1) + timedelta(days=DEFAULT_PERIOD_DAYS)


def day_start(day: date) -> datetime:
    """Return midnight UTC at the start of a day."""
    return datetime.combine(day, time.min, UTC)


def day_end(day: date) -> datetime:
    """Return the last moment of a day, UTC."""
    return datetime.combine(day, time.max, UTC)


def day_conditions(filters: NoteFilters) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of `from` and `to` on `notes`, where one that is not set sets no limit.

    Raises:
        InvalidInput: If the period ends before it starts.
    """
    if filters.from_ and filters.to:
        check_order(Period(filters.from_, filters.to))
    conditions = [NoteTable.occurred_at >= day_start(filters.from_)] if filters.from_ else []
    return conditions + ([NoteTable.occurred_at <= day_end(filters.to)] if filters.to else [])


def note_conditions(filters: NoteFilters, *, period: Period | None = None) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of all filters but the period, on `notes`.

    Args:
        period: What the notes are limited to elsewhere; said again, it spares looking at findings of other times.
    """
    return [
        NoteTable.deleted_at.is_(None),
        *_attribute_conditions(filters),
        *dimension_conditions(filters, NoteTable),
        *_holding_conditions(filters, NoteTable.id, period),
    ]


def _attribute_conditions(filters: NoteFilters) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on what only `notes` has."""
    attributes: list[tuple[Any, Any]] = [
        (NoteTable.language, filters.language),
        (NoteTable.kind, filters.kind),
        (NoteTable.source, filters.source),
    ]
    return [column == value for column, value in attributes if value is not None]


def _holding_conditions(filters: NoteFilters, note_id: Any, period: Period | None) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that a note holds certain findings, on a column with its id."""
    theme = sa.select(ThemeTable.id).where(ThemeTable.key == filters.theme).scalar_subquery()
    findings: list[tuple[Any, str, Any, Any]] = [
        (CompetitorMentionTable, "name_key", filters.competitor, name_key(filters.competitor or "")),
        (ObjectionTable, "type", filters.objection_type, filters.objection_type),
        (PassageTable, "theme_id", filters.theme, theme),
    ]
    conditions: list[sa.ColumnElement[bool]] = []
    for table, column, asked, value in findings:
        if asked is None:
            continue
        finding = aliased(table)
        wanted = [getattr(finding, column) == value]
        if period:
            wanted.append(finding.occurred_on.between(period.start, period.end))
        conditions.append(note_id.in_(sa.select(finding.note_id).where(*wanted)))
    return conditions


def _dimensions(filters: NoteFilters) -> list[tuple[str, Any, sa.ColumnElement[bool]]]:
    """Return the column of notes and findings that each set filter is about, its table, and its condition there."""
    author = sa.or_(AuthorTable.key == filters.author, AuthorTable.pseudonym == filters.author)
    dimensions: list[tuple[str, Any, sa.ColumnElement[bool], str | None]] = [
        ("account_id", AccountTable, AccountTable.segment == filters.segment, filters.segment),
        ("account_id", AccountTable, AccountTable.key == filters.account, filters.account),
        ("author_id", AuthorTable, AuthorTable.team == filters.team, filters.team),
        ("author_id", AuthorTable, author, filters.author),
        ("deal_id", DealTable, DealTable.outcome == filters.outcome, filters.outcome),
    ]
    return [(column, table, condition) for column, table, condition, value in dimensions if value is not None]


def dimension_conditions(filters: NoteFilters, table: Any) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on account, author and deal, on `notes` or any table of findings."""
    return [
        getattr(table, column).in_(sa.select(dimension.id).where(condition))
        for column, dimension, condition in _dimensions(filters)
    ]


def dimension_ids(session: Session, filters: NoteFilters, column: str) -> frozenset[int] | None:
    """Return the row ids that filters leave of accounts, authors or deals; None where they leave all.

    Args:
        column: `account_id`, `author_id` or `deal_id`.
    """
    left: frozenset[int] | None = None
    for name, dimension, condition in _dimensions(filters):
        if name == column:
            ids = frozenset(session.scalars(sa.select(dimension.id).where(condition)))
            left = ids if left is None else left & ids
    return left


def finding_conditions(filters: NoteFilters, table: Any, period: Period) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of filters and period on a table of findings; no join is needed."""
    conditions = [
        table.occurred_on.between(period.start, period.end),
        *dimension_conditions(filters, table),
        *_holding_conditions(filters, table.note_id, period),
    ]
    attributes = _attribute_conditions(filters)
    if attributes:
        days = NoteTable.occurred_at.between(day_start(period.start), day_end(period.end))
        notes = sa.select(NoteTable.id).where(days, NoteTable.deleted_at.is_(None), *attributes)
        conditions.append(table.note_id.in_(notes))
    return conditions


def name_key(name: str) -> str:
    """Return a competitor's name without case and spaces: how names are compared."""
    return "".join(name.casefold().split())


_LISTED = CatalogNameTable.role == "competitor"


def competitor_key(session: Session, name: str) -> str:
    """Return the key that a competitor's mentions have, whichever of its names in the catalogue is given.

    Names are compared as in notes: without case, accents and signs. A name that the catalogue lacks is its own.
    """
    key = name_key(name)
    if is_listed(session, key):
        return key
    folded = fold_key(name)
    rows = session.execute(
        sa.select(CatalogNameTable.name_key, CatalogNameTable.name, CatalogNameTable.aliases)
        .where(_LISTED)
        .order_by(CatalogNameTable.id)
    )
    return next((row.name_key for row in rows if folded and folded in map(fold_key, (row.name, *row.aliases))), key)


def is_listed(session: Session, key: str) -> bool:
    """Tell whether a key is that of a competitor of the catalogue."""
    return session.scalar(sa.select(CatalogNameTable.id).where(_LISTED, CatalogNameTable.name_key == key)) is not None


AnyFilters = TypeVar("AnyFilters", bound=NoteFilters)


def resolve_names(session: Session, filters: AnyFilters) -> AnyFilters:
    """Return filters with the competitor under the name that its mentions have; whoever takes filters in does it."""
    if filters.competitor is None:
        return filters
    return filters.model_copy(update={"competitor": competitor_key(session, filters.competitor)})


def stored_filters(session: Session, kept: Mapping[str, Any]) -> Filters:
    """Read filters that were stored; empty ones, which could be stored once, filter nothing."""
    return resolve_names(session, Filters.model_validate({name: value for name, value in kept.items() if value != ""}))
