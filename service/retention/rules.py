"""Until when a note is kept.

Days are counted from when a note happened, which is what people remember it by and what all figures are counted by: to
send an old note again does not make it young. A note that is dated after its arrival counts from its arrival.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.notes.schemas import NoteError
from service.retention.tables import RetentionRuleTable
from service.tables import NoteTable

EVERY = "*"
PAST_RETENTION = "past_retention"


@dataclass(frozen=True, slots=True)
class Rules:
    """Days that notes are kept, by source; `*` for every source that has no rule of its own."""

    days: Mapping[str, int]

    def first_kept(self, source: str, now: datetime) -> datetime | None:
        """Return the midnight (UTC) from which on notes of a source are kept; None where all are."""
        days = self.days.get(source, self.days.get(EVERY))
        return None if days is None else _midnight(now) - timedelta(days=days)

    def refusal(self, source: str, occurred_at: datetime | None, now: datetime) -> NoteError | None:
        """Return why a note that comes in is not taken; None where it is."""
        first = self.first_kept(source, now)
        if first is None or occurred_at is None or occurred_at >= first:
            return None
        message = f"is before {first.date()}: notes of {source[:100]} are not kept that long"
        return NoteError(field="occurred_at", code=PAST_RETENTION, message=message)

    def past(self, source: Any, moments: list[Any], now: datetime) -> sa.ColumnElement[bool]:
        """Return the condition that rows are past retention.

        Args:
            source: The column with the source.
            moments: The columns with times, of which the earliest counts.
            now: The time.
        """
        conditions = []
        for name in self.days:
            mine = source.not_in([one for one in self.days if one != EVERY]) if name == EVERY else source == name
            first = self.first_kept(name, now)
            conditions += [sa.and_(mine, moment < first) for moment in moments]
        return sa.or_(sa.false(), *conditions)

    def notes_past(self, now: datetime) -> sa.ColumnElement[bool]:
        """Return the condition that living notes are past retention."""
        past = self.past(NoteTable.source, [NoteTable.occurred_at, NoteTable.received_at], now)
        return sa.and_(NoteTable.deleted_at.is_(None), past)


def _midnight(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC).date(), time.min, UTC)


def read_rules(session: Session) -> Rules:
    """Return the rules in force."""
    rows = session.execute(sa.select(RetentionRuleTable.source, RetentionRuleTable.days))
    return Rules({row.source: row.days for row in rows})
