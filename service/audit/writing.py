"""The log as JSON Lines or CSV, a part at a time: a long one takes no more memory than a short one."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from service.audit import queries
from service.audit.queries import Wanted
from service.audit.schemas import AuditEvent, audit_event
from service.database import read_session
from service.exports.writing import harmless

AT_ONCE = 1000
COLUMNS = tuple(AuditEvent.model_fields)


class LogFormat(StrEnum):
    """How the log is written."""

    JSONL = "jsonl"
    CSV = "csv"


MEDIA_TYPES = {LogFormat.JSONL: "application/x-ndjson", LogFormat.CSV: "text/csv; charset=utf-8"}


def lines(engine: sa.Engine, wanted: Wanted, form: LogFormat) -> Iterator[str]:
    """Yield the log's lines, the latest act first; no cell of a CSV is a formula."""
    if form is LogFormat.CSV:
        yield "\ufeff" + _csv_line(COLUMNS)
    before = None
    while True:
        with read_session(engine) as session:
            rows = queries.list_events(session, wanted, limit=AT_ONCE, before=before)
            found = [audit_event(row).model_dump(mode="json") for row in rows]
        for event in found:
            yield _line(event, form)
        if len(found) < AT_ONCE:
            return
        before = int(found[-1]["id"])


def written(events: Iterable[dict[str, Any]], form: LogFormat) -> str:
    """Return events as the log has them, for the OpenAPI document."""
    body = "".join(_line(event, form) for event in events)
    return _csv_line(COLUMNS) + body if form is LogFormat.CSV else body


def _line(event: dict[str, Any], form: LogFormat) -> str:
    return _csv_line(event.values()) if form is LogFormat.CSV else json.dumps(event, ensure_ascii=False) + "\n"


def _csv_line(values: Any) -> str:
    line = io.StringIO(newline="")
    cells = [json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value for value in values]
    csv.writer(line).writerow([harmless(cell) for cell in cells])
    return line.getvalue()
