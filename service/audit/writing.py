"""The log as JSON Lines, CSV or a sheet, a part at a time: a long one takes no more memory than a short one."""

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
    XLSX = "xlsx"


MEDIA_TYPES = {LogFormat.JSONL: "application/x-ndjson", LogFormat.CSV: "text/csv; charset=utf-8"}
"""Of the forms that are text."""


def lines(engine: sa.Engine, wanted: Wanted, form: LogFormat) -> Iterator[str]:
    """Yield the log's lines, the latest act first; no cell of a CSV is a formula."""
    if form is LogFormat.CSV:
        yield "\ufeff" + _csv_line(COLUMNS)
    for event in _events(engine, wanted):
        yield _line(event.model_dump(mode="json"), form)


def rows(engine: sa.Engine, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Yield the rows of a sheet, the latest act first."""
    for event in _events(engine, wanted):
        yield {name: _cell(value) for name, value in event.model_dump().items()}


def _events(engine: sa.Engine, wanted: Wanted) -> Iterator[AuditEvent]:
    before = None
    while True:
        with read_session(engine) as session:
            found = [audit_event(row) for row in queries.list_events(session, wanted, limit=AT_ONCE, before=before)]
        yield from found
        if len(found) < AT_ONCE:
            return
        before = int(found[-1].id)


def written(events: Iterable[dict[str, Any]], form: LogFormat) -> str:
    """Return events as the log has them, for the OpenAPI document."""
    body = "".join(_line(event, form) for event in events)
    return _csv_line(COLUMNS) + body if form is LogFormat.CSV else body


def _line(event: dict[str, Any], form: LogFormat) -> str:
    return _csv_line(event.values()) if form is LogFormat.CSV else json.dumps(event, ensure_ascii=False) + "\n"


def _csv_line(values: Any) -> str:
    line = io.StringIO(newline="")
    csv.writer(line).writerow([harmless(_cell(value)) for value in values])
    return line.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
