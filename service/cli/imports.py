"""`binome import`: notes from a file, record by record, whatever its size."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer

from service.cli.database import opened as opened_database
from service.cli.output import AsJson, console, print_json, progress_bar
from service.database import write_session
from service.errors import BinomeError
from service.imports.columns import check_mapping
from service.imports.queries import SKIPPED, named_cells, no_results, store_records
from service.imports.records import DateOrder, Format, Options, Record
from service.imports.refused import Refused, column_names, csv_lines, to_mend
from service.imports.running import batches, first_records, knowing, opened
from service.imports.schemas import ImportPreview, preview_of
from service.imports.storage import PREVIEW_RECORDS
from service.notes.schemas import Result

MAX_SHOWN = 20


@dataclass(slots=True)
class Outcome:
    """What became of a file: counts, what was refused, and the cells of refused rows where a file of them is wanted."""

    results: Counter[str] = field(default_factory=lambda: Counter(no_results()))
    refused: list[dict[str, Any]] = field(default_factory=list)
    rows: list[Refused] = field(default_factory=list)


def import_file(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file.")],
    form: Annotated[Format | None, typer.Option("--format", help="Told by the file's content if left out.")] = None,
    source: Annotated[
        str | None, typer.Option(help="Source of notes that name none; import, or mail for messages, if left out.")
    ] = None,
    mapping: Annotated[
        str | None, typer.Option(help='Columns as JSON: {"Compte rendu": "text", "Budget": null}.')
    ] = None,
    dates: Annotated[DateOrder | None, typer.Option(help="How 03/02/2026 is meant.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Show how it would be read; store nothing.")] = False,
    refused: Annotated[
        Path | None, typer.Option(help="Write refused rows to this CSV file, to be mended and imported again.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take in a file: CSV, XLSX, HTML, JSON Lines, DOCX, PDF, EML, MBOX, VTT, SRT, TXT, Markdown, ZIP of these.

    Columns are found by name, in English and French: note, compte rendu, date, client, commercial, montant ... or by
    the note format's own: external_id, kind, language, occurred_at, updated_at, text, author.id, author.name,
    author.team, account.id, account.name, account.segment, deal.id, deal.amount, deal.currency, deal.stage,
    deal.outcome, source. Rows that can't be taken are listed and the others kept; importing a file again doubles
    nothing.
    """
    options = Options(
        source=source,
        mapping=_mapping(mapping),
        dates=dates,
        name=path.name,
        format=form or (Format.JSONL if path.suffix.lower() in {".jsonl", ".ndjson"} else None),
    )
    if preview:
        with path.open("rb") as file:
            reading, records = first_records(file, options, PREVIEW_RECORDS)
        _show_preview(preview_of(reading, records), as_json=as_json)
        return
    outcome = _import(path, options, keep_cells=refused is not None)
    if refused is not None:
        with refused.open("w", encoding="utf-8", newline="") as target:
            target.writelines(csv_lines(column_names(outcome.rows, options.mapping), outcome.rows, options.mapping))
    if as_json:
        print_json({"results": outcome.results, "refused": outcome.refused})
    else:
        _tell(outcome)
    if outcome.results[Result.REJECTED]:
        raise typer.Exit(1)


def _mapping(given: str | None) -> dict[str, str | None]:
    try:
        return check_mapping(json.loads(given)) if given else {}
    except (ValueError, RecursionError):
        raise BinomeError("--mapping is not JSON.") from None


def _import(path: Path, options: Options, *, keep_cells: bool) -> Outcome:
    outcome = Outcome()
    size = path.stat().st_size
    with opened_database("import") as engine, path.open("rb") as file, progress_bar() as progress:
        task = progress.add_task(f"importing {path.name}", total=size)
        with opened(file, knowing(engine, options)) as reading:
            for batch in batches(reading.records):
                _store(engine, batch, outcome, keep_cells=keep_cells)
                progress.update(task, completed=min(file.tell(), size))
    return outcome


def _store(engine: sa.Engine, batch: list[Record], outcome: Outcome, *, keep_cells: bool) -> None:
    with write_session(engine) as session:
        results, left_out = store_records(session, batch, datetime.now(UTC))
    outcome.results.update(results)
    for one in left_out:
        record, fault = one.record, one.reason.error
        place = {"line": record.number, **({"file": record.member} if record.member else {})}
        marks = {name: True for name, is_so in ((SKIPPED, record.skipped), ("taken", one.taken)) if is_so}
        outcome.refused.append({**place, "external_id": one.reason.external_id, **fault.model_dump(), **marks})
        if keep_cells and to_mend(fault.code, record.cells, skipped=record.skipped, taken=one.taken):
            taken_as = (one.reason.external_id or "") if one.taken else ""
            cells = named_cells(record)
            outcome.rows.append(Refused(record.number, record.member, fault.field, fault.message, cells, taken_as))


def _tell(outcome: Outcome) -> None:
    print(", ".join(f"{count} {name}" for name, count in outcome.results.items() if count) or "The file has no rows.")
    for refused in outcome.refused[:MAX_SHOWN]:
        place = f"{refused['file']}, row {refused['line']}" if "file" in refused else f"row {refused['line']}"
        console.print(f"{place}: {refused['field']}: {refused['message']}", markup=False)
    if len(outcome.refused) > MAX_SHOWN:
        console.print(f"... and {len(outcome.refused) - MAX_SHOWN} more; --json lists all.")


def _show_preview(preview: ImportPreview, *, as_json: bool) -> None:
    if as_json:
        print_json(preview.model_dump(mode="json"))
        return
    print(f"format: {preview.format}")
    for name in ("encoding", "separator", "speakers", "members"):
        if preview.found.get(name):
            print(f"{name}: {preview.found[name]}")
    for column in preview.found.get("columns", []):
        print(f"column {column['column']!r}: {column['field'] or 'left out'}")
    for row in preview.rows:
        said = f"{row.error.field}: {row.error.message}" if row.error else "taken"
        print(f"row {row.row}: {said}")
    for problem in preview.problems:
        console.print(problem, markup=False)
