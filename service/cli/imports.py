"""`binome import`: notes from a JSON Lines or CSV file, row by row, whatever its size."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import sqlalchemy as sa
import typer

from service.cli.output import AsJson, console, print_json, progress_bar
from service.database import write_session
from service.errors import BadRequest, BinomeError
from service.notes.intake import RejectedNote, load_json, parse_note
from service.notes.queries import store_notes
from service.notes.schemas import IncomingNote, NoteError, Result
from service.settings import load_settings
from service.start import open_database

CHUNK_ROWS = 500
MAX_CELL_CHARS = 2_000_000
MAX_SHOWN = 20
_NESTED = {"author": ("id", "name", "team"), "account": ("id", "name", "segment")} | {
    "deal": ("id", "amount", "currency", "stage", "outcome")
}
_PLAIN = ("external_id", "id", "source", "kind", "language", "occurred_at", "updated_at", "text", "deleted")


class Format(StrEnum):
    """How the file is written."""

    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: its line, how far the file is read, and the note, or why there is none."""

    line: int
    offset: int
    note: IncomingNote | RejectedNote


@dataclass(slots=True)
class Outcome:
    """What became of a file."""

    results: dict[str, int] = field(default_factory=lambda: {result.value: 0 for result in Result})
    refused: list[dict[str, Any]] = field(default_factory=list)


def import_file(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file.")],
    form: Annotated[
        Format | None, typer.Option("--format", help="jsonl or csv; told by the file's ending if left out.")
    ] = None,
    source: Annotated[str, typer.Option(help="Source of notes that name none.")] = "import",
    as_json: AsJson = False,
) -> None:
    """Take in notes from JSON Lines (the annotation guide's format) or CSV with a header.

    CSV columns: external_id, kind, language, occurred_at, updated_at, text, author.id, author.name, author.team,
    account.id, account.name, account.segment, deal.id, deal.amount, deal.currency, deal.stage, deal.outcome, source.
    Rows that can't be taken are listed and the others kept; importing a file again doubles nothing.
    """
    read = {Format.JSONL: _json_rows, Format.CSV: _csv_rows}[form or _format(path)]
    outcome = Outcome()
    with open_database(load_settings()) as engine, path.open("rb") as file, progress_bar() as progress:
        task = progress.add_task(f"importing {path.name}", total=path.stat().st_size)
        rows = read(file, source)
        while chunk := list(islice(rows, CHUNK_ROWS)):
            _store(engine, chunk, outcome)
            progress.update(task, completed=chunk[-1].offset)
    if as_json:
        print_json({"results": outcome.results, "refused": outcome.refused})
    else:
        _tell(outcome)
    if outcome.refused:
        raise typer.Exit(1)


def _format(path: Path) -> Format:
    endings = {".jsonl": Format.JSONL, ".ndjson": Format.JSONL, ".csv": Format.CSV}
    if path.suffix.lower() not in endings:
        raise BinomeError(f"{path.name}: say --format jsonl or --format csv; the ending does not tell.")
    return endings[path.suffix.lower()]


def _store(engine: sa.Engine, chunk: list[Row], outcome: Outcome) -> None:
    notes = [row.note for row in chunk if isinstance(row.note, IncomingNote)]
    with write_session(engine) as session:
        for stored in store_notes(session, notes, datetime.now(UTC)):
            outcome.results[stored.result] += 1
    for row in chunk:
        if isinstance(row.note, RejectedNote):
            outcome.results[Result.REJECTED] += 1
            outcome.refused.append(
                {"line": row.line, "external_id": row.note.external_id, **row.note.error.model_dump()}
            )


def _tell(outcome: Outcome) -> None:
    print(", ".join(f"{count} {name}" for name, count in outcome.results.items() if count) or "The file has no rows.")
    for refused in outcome.refused[:MAX_SHOWN]:
        console.print(f"line {refused['line']}: {refused['field']}: {refused['message']}", markup=False)
    if len(outcome.refused) > MAX_SHOWN:
        console.print(f"... and {len(outcome.refused) - MAX_SHOWN} more; --json lists all.")


def _json_rows(file: BinaryIO, source: str) -> Iterator[Row]:
    offset = 0
    for number, line in enumerate(file, start=1):
        offset += len(line)
        if not line.strip():
            continue
        try:
            item = load_json(line.removeprefix(b"\xef\xbb\xbf"))
            note = parse_note({"source": source, **item} if isinstance(item, dict) else item)
        except BadRequest as error:
            note = _refused("line", error.code, error.detail.replace("The body", "the line"))
        yield Row(number, offset, note)


def _refused(field_name: str, code: str, message: str) -> RejectedNote:
    return RejectedNote(None, NoteError(field=field_name, code=code, message=message))


def _csv_rows(file: BinaryIO, source: str) -> Iterator[Row]:
    csv.field_size_limit(MAX_CELL_CHARS)
    offset = 0

    def lines() -> Iterator[str]:
        nonlocal offset
        for line in file:
            offset += len(line)
            yield line.decode("utf-8", "surrogateescape")

    reader = csv.reader(_without_mark(lines()), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Row(reader.line_num, offset, _csv_note(header, cells, source))
    except csv.Error as error:
        yield Row(
            reader.line_num, offset, _refused("line", "invalid_csv", f"is not CSV ({error}); the rest is not read")
        )


def _without_mark(lines: Iterable[str]) -> Iterator[str]:
    for index, line in enumerate(lines):
        yield line.removeprefix("\ufeff") if index == 0 else line


def _check_header(header: list[str]) -> None:
    known = {*_PLAIN, *(f"{name}.{part}" for name, parts in _NESTED.items() for part in parts)}
    unknown = [name for name in header if name.replace("_", ".", 1) not in known and name not in known]
    if unknown or "text" not in header:
        fault = f"unknown column {unknown[0]!r}" if unknown else "no column text"
        raise BinomeError(f"{fault[0].upper()}{fault[1:]}: the columns are {', '.join(sorted(known))}.")


def _csv_note(header: list[str], cells: list[str], source: str) -> IncomingNote | RejectedNote:
    if len(cells) > len(header):
        return _refused("line", "too_many_cells", f"has {len(cells)} cells, the header {len(header)}")
    if any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
        return _refused("line", "invalid_utf8", "is not UTF-8: save the file as CSV UTF-8")
    item: dict[str, Any] = {"source": source}
    for name, cell in zip(header, cells, strict=False):
        if cell.strip():
            _put(item, name, cell)
    return parse_note(item)


def _put(item: dict[str, Any], name: str, cell: str) -> None:
    """Put a cell where JSON has it: `deal.amount` (or `deal_amount`) is `amount` of `deal`, a number."""
    outer, _, inner = name.partition(".") if "." in name else name.partition("_")
    if outer not in _NESTED or inner not in _NESTED[outer]:
        item[name] = cell.strip().lower() == "true" if name == "deleted" else cell if name == "text" else cell.strip()
        return
    item.setdefault(outer, {})[inner] = _number(cell) if inner == "amount" else cell.strip()


def _number(cell: str) -> Any:
    try:
        return json.loads(cell)
    except ValueError:
        return cell
