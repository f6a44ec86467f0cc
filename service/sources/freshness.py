"""When a source is late."""

from __future__ import annotations

from datetime import datetime, timedelta

from service.source_tables import SourceActivityTable

LATE_GAPS = 4
LATE_AT_LEAST = timedelta(hours=1)


def is_late(row: SourceActivityTable, now: datetime) -> bool:
    """Tell whether a connection is silent for over four of its usual gaps, and an hour."""
    if row.gap_seconds is None or row.last_note_at is None:
        return False
    return now - row.last_note_at > max(LATE_AT_LEAST, timedelta(seconds=LATE_GAPS * row.gap_seconds))
