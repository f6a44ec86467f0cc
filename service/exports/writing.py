"""Rows to CSV, XLSX and JSON, a row at a time: a long table takes no more memory than a short one.

Text is never a formula: a spreadsheet would run one that a customer wrote.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import IO, Any

from service.errors import InvalidInput

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
MAX_SHEET_ROWS = 1_048_575  # beside the headings
MAX_CELL_CHARS = 32_767
Row = dict[str, Any]


class Format(StrEnum):
    """How a table is written."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.JSON: "application/json",
}


def harmless(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula."""
    if value is None or isinstance(value, int | float):
        return value
    cell = value if isinstance(value, str) else str(plain(value))
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def plain(value: Any) -> Any:
    """Return what JSON has for a value of the database."""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


def write_csv(file: IO[bytes], headings: Mapping[str, str], rows: Iterator[Row], *, french: bool = False) -> None:
    """Write a CSV that Excel opens right: with a byte order mark; in French with `;` and decimal commas."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(text, delimiter=";" if french else ",")
    writer.writerow([harmless(heading) for heading in headings.values()])
    for row in rows:
        cells = [harmless(row[name]) for name in headings]
        writer.writerow([_decimal(cell) for cell in cells] if french else cells)
    text.flush()
    text.detach()


def _decimal(cell: Any) -> Any:
    return str(cell).replace(".", ",") if isinstance(cell, float) else cell


def write_json(file: IO[bytes], names: Sequence[str], rows: Iterator[Row]) -> None:
    """Write an array of objects."""
    file.write(b"[")
    for count, row in enumerate(rows):
        item = json.dumps({name: row[name] for name in names}, ensure_ascii=False, default=plain)
        file.write((",\n" if count else "\n").encode() + item.encode())
    file.write(b"\n]\n")


def write_xlsx(file: IO[bytes], title: str, headings: Mapping[str, str], rows: Iterator[Row]) -> None:
    """Write a workbook of one sheet; numbers, days and times have their types, and text stays text.

    Raises:
        InvalidInput: If a sheet can't hold so many rows.
    """
    from xlsxwriter import Workbook  # here: few processes write one

    workbook = Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = workbook.add_worksheet(title[:31])
    bold = workbook.add_format({"bold": True})
    styles = {
        datetime: workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        date: workbook.add_format({"num_format": "yyyy-mm-dd"}),
    }
    for column, heading in enumerate(headings.values()):
        sheet.set_column(column, column, max(12, min(40, len(heading) + 2)))
    for column, heading in enumerate(headings.values()):
        sheet.write_string(0, column, heading, bold)
    sheet.freeze_panes(1, 0)
    try:
        for number, row in enumerate(rows, start=1):
            if number > MAX_SHEET_ROWS:
                raise InvalidInput(
                    f"A sheet holds {MAX_SHEET_ROWS} rows and there are more: ask for csv or json, or filter.",
                    errors=[{"field": "format", "code": "too_many_rows", "message": "more rows than a sheet holds"}],
                )
            for column, name in enumerate(headings):
                _write_cell(sheet, number, column, row[name], styles)
    finally:
        workbook.close()  # its temporary files too


def _write_cell(sheet: Any, row: int, column: int, value: Any, styles: dict[type[date], Any]) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    elif isinstance(value, datetime):
        sheet.write_datetime(row, column, value.astimezone(UTC).replace(tzinfo=None), styles[datetime])
    elif isinstance(value, date):
        sheet.write_datetime(row, column, value, styles[date])
    else:
        text = str(value)
        sheet.write_string(row, column, text if len(text) <= MAX_CELL_CHARS else f"{text[: MAX_CELL_CHARS - 1]}…")
