"""Imports as JSON."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import object_session

from service.imports.queries import ImportRow
from service.imports.records import Format, Reading, Record
from service.jobs.queries import JobState
from service.masks.view import sees_personal
from service.notes.intake import RejectedNote
from service.notes.schemas import NoteError
from service.source_tables import ImportRefusalTable

MAX_SHOWN = 100


class ImportState(StrEnum):
    """How far an import is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ImportResults(BaseModel):
    """How many records of a file came to what; `skipped` are left out by rule, such as automatic replies.

    `warned` were taken but for a cell: they count among the others too.
    """

    created: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    stale: int = 0
    rejected: int = 0
    skipped: int = 0
    warned: int = 0


_EXAMPLE_REFUSED: dict[str, Any] = {
    "row": 43,
    "file": None,
    "external_id": "V-42",
    "field": "occurred_at",
    "code": "invalid_date",
    "message": "is not a date: write 2026-12-31 or 31/12/2026; day first is how this file is read",
    "skipped": False,
    "taken": False,
    "cells": {"Date": "31/02/2026", "Compte rendu": "Trop cher."},
}


class RefusedRow(BaseModel):
    """A row, line or message that is no note: where it stands, which field is wrong, and its original cells."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE_REFUSED]})

    row: int = Field(description="Row, line or message, from 1, as a spreadsheet counts: cells may hold several lines.")
    file: str | None = Field(description="The file within an archive or message.")
    external_id: str | None
    field: str
    code: str
    message: str
    skipped: bool
    taken: bool = Field(False, description="The row is a note, but for what the message says.")
    cells: dict[str, str] = Field(description="empty for who lacks the scope personal")


_EXAMPLE: dict[str, Any] = {
    "id": "5",
    "name": "visites-2026.csv",
    "state": "done",
    "duplicate": False,
    "format": "csv",
    "found": {"encoding": "cp1252", "separator": "semicolon"},
    "remarks": ["No column names the account: the notes count for none."],
    "size": 18_220,
    "bytes_read": 18_220,
    "records": 212,
    "results": {"created": 211, "rejected": 1},
    "refused": [_EXAMPLE_REFUSED],
    "failure": None,
    "job_id": None,
    "requested_by": "dashboard",
    "created_at": "2026-09-14T10:20:00Z",
    "finished_at": "2026-09-14T10:20:01Z",
}


class ImportSummary(BaseModel):
    """A file that was sent in.

    Attributes:
        duplicate: The same bytes came before; this is what came of them then.
        found: What was found out about the file: encoding, separator, columns.
        remarks: What was assumed where the file does not say it, and what was left out.
        records: Rows, lines or messages worked off.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{k: v for k, v in _EXAMPLE.items() if k != "refused"}]})

    id: str
    name: str
    state: ImportState
    duplicate: bool = False
    format: Format | None
    found: dict[str, Any]
    remarks: list[str]
    size: int
    bytes_read: int
    records: int
    results: ImportResults
    failure: NoteError | None
    job_id: str | None
    requested_by: str
    created_at: datetime
    finished_at: datetime | None


class ImportOutput(ImportSummary):
    """An import with the first 100 rows that it refused; `/refused` lists all, `/refused.csv` gives them to mend."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    refused: list[RefusedRow]


_EXAMPLE_PREVIEW: dict[str, Any] = {
    "preview": True,
    "format": "csv",
    "found": {"encoding": "cp1252", "separator": "semicolon"},
    "rows": [
        {
            "row": 2,
            "file": None,
            "note": {"source": "import", "external_id": "V-41", "text": "They like the demo."},
            "error": None,
        },
        {
            "row": 43,
            "file": None,
            "note": None,
            "error": {name: _EXAMPLE_REFUSED[name] for name in ("field", "code", "message")},
        },
    ],
    "problems": ["1 of the first 2 rows can't be taken; each says why."],
}


class PreviewRow(BaseModel):
    """A row as it would be taken: the note, or why there is none."""

    row: int
    file: str | None
    note: dict[str, Any] | None
    error: NoteError | None


class ImportPreview(BaseModel):
    """How a file would be read; nothing is stored.

    Attributes:
        problems: What its sender should look at before importing it.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE_PREVIEW]})

    preview: bool = True
    format: Format
    found: dict[str, Any]
    rows: list[PreviewRow]
    problems: list[str]


def import_summary(row: ImportRow, *, duplicate: bool = False) -> dict[str, Any]:
    """Return the fields of an import's summary."""
    stored, job = row
    failure = stored.failure or (job.failure if job and job.state == JobState.FAILED else None)
    return {
        "id": str(stored.id),
        "name": stored.name,
        "state": _state(row, failure),
        "duplicate": duplicate,
        "format": stored.format,
        "found": stored.found,
        "remarks": _remarks(stored.found),
        "size": stored.size,
        "bytes_read": stored.bytes_read,
        "records": stored.records,
        "results": ImportResults.model_validate(stored.results),
        "failure": NoteError(field="file", code=stored.failure_code or "failed", message=failure) if failure else None,
        "job_id": str(job.id) if job else None,
        "requested_by": stored.requested_by,
        "created_at": stored.created_at,
        "finished_at": stored.finished_at,
    }


def _state(row: ImportRow, failure: str | None) -> ImportState:
    stored, job = row
    if failure:
        return ImportState.FAILED
    if stored.finished_at:
        return ImportState.DONE
    return ImportState.RUNNING if job and job.state == JobState.RUNNING else ImportState.WAITING


def refused_row(refusal: ImportRefusalTable) -> RefusedRow:
    """Return a refused row as JSON has it."""
    return RefusedRow(
        row=refusal.number,
        file=refusal.member or None,
        external_id=refusal.external_id,
        field=refusal.field,
        code=refusal.code,
        message=refusal.message,
        skipped=refusal.skipped,
        taken=refusal.taken,
        cells=refusal.cells if sees_personal(object_session(refusal)) else {},
    )


def preview_of(reading: Reading, records: list[Record]) -> ImportPreview:
    """Return how a file would be read, with the problems in words."""
    rows = [
        PreviewRow(
            row=record.number,
            file=record.member or None,
            note=None if isinstance(record.note, RejectedNote) else record.note.model_dump(mode="json"),
            error=record.note.error if isinstance(record.note, RejectedNote) else None,
        )
        for record in records
    ]
    return ImportPreview(format=reading.format, found=reading.found, rows=rows, problems=_problems(reading, records))


def _remarks(found: dict[str, Any]) -> list[str]:
    """Return what a file was taken for where it does not say it itself."""
    problems = []
    columns = found.get("columns", [])
    ignored = [column["column"] for column in columns if column["field"] is None and column["column"]]
    if ignored:
        names = ", ".join(repr(name[:60]) for name in ignored[:20])
        problems.append(f"These columns are left out: {names}. A mapping can name their field.")
    problems += _dates_remark(found.get("dates", {}))
    fields = {column["field"] for column in columns}
    if columns and "occurred_at" not in fields:
        problems.append("No column tells when it happened: the notes count as of the day of the import.")
    if columns and not fields & {"account.name", "account.id"}:
        problems.append("No column names the account: the notes count for none.")
    if fields & {"deal.amount", "deal.stage", "deal.outcome"} and "deal.id" not in fields:
        problems.append("No column names the deal: amounts and outcomes count for one deal an account.")
    if columns and "external_id" not in fields:
        problems.append("No column holds an id: a row that is edited later comes as another note.")
    if found.get("sheets_left_out"):
        problems.append(f"These sheets have no column of text: {', '.join(found['sheets_left_out'][:20])}.")
    return problems


_GROUNDS = {
    "other_columns": "by the dates of other columns",
    "other_sheets": "by the dates of other sheets",
    "clock": "as the United States write them, by their AM and PM",
}


def _dates_remark(dates: dict[str, Any]) -> list[str]:
    if not dates.get("ambiguous") or dates.get("by") in {"asked", "dates"}:
        return []
    order = str(dates["order"]).replace("_", " ")
    ground = _GROUNDS.get(str(dates.get("by")))
    why = f" {ground}" if ground else ""
    return [f"No date of the notes proves the order of day and month; they are read {order}{why}: say dates= if not."]


def _problems(reading: Reading, records: list[Record]) -> list[str]:
    problems = _remarks(reading.found)
    problems += [f"Row {record.number}: {one.field} {one.message}." for record in records for one in record.warnings]
    refused = sum(isinstance(record.note, RejectedNote) for record in records)
    if refused:
        problems.append(f"{refused} of the first {len(records)} rows can't be taken; each says why.")
    return problems
