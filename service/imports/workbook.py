"""XLSX: the values of each sheet that has a column of text; macros, formulas, links and drawings are not looked at."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import chain, islice
from typing import Any, BinaryIO

import openpyxl
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from service.imports.columns import Columns, map_columns
from service.imports.delimited import check_columns
from service.imports.packages import check_package
from service.imports.records import DateOrder, FileRefused, Format, Options, Reading, Record
from service.imports.tables import MAX_COLUMNS, Table, table_records
from service.imports.values import as_time, proven_order

_HEADER_ROWS = 20  # a title and empty rows may stand above the header
_SAMPLE_ROWS = 5_000
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})
_DAMAGED = "The workbook is damaged: open it in a spreadsheet program and save it again as XLSX, or as CSV."

Row = tuple[int, Sequence[str]]


def read_workbook(file: BinaryIO, options: Options) -> Reading:
    """Read a workbook.

    Raises:
        FileRefused: If it is damaged, unsafe, or no sheet has a column of text.
    """
    check_package(file)
    sheets = [(name, _header(rows, options)) for name, rows in _sheets(file)]
    tables = [(name, found) for name, found in sheets if found and found[1].usable]
    if not tables:
        check_columns(next((found[1] for _, found in sheets if found), Columns((), (), ())))
    described = []
    plans = {}
    for name, (header_row, columns) in tables:
        order, proven, ambiguous = _date_order(file, name, header_row, columns, options)
        plans[name] = header_row, Table(columns, order, options)
        dates = {"order": order, "proven": proven, "ambiguous": ambiguous}
        described.append({"sheet": name, "header_row": header_row, "columns": columns.described(), "dates": dates})
    left_out = [name for name, _ in sheets if name not in plans]
    found = {"columns": described[0]["columns"], "dates": described[0]["dates"], "sheets": described}
    return Reading(Format.XLSX, {**found, "sheets_left_out": left_out}, _records(file, plans))


def _sheets(file: BinaryIO) -> Iterator[tuple[str, Iterator[Row]]]:
    """Give the visible sheets of cells with their rows; the sizes that they declare are not believed."""
    file.seek(0)
    try:
        # values alone: cached results of formulas; no links to other files
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except Exception:  # whatever a hostile or broken file makes the library raise
        raise FileRefused("damaged", _DAMAGED) from None
    try:
        for sheet in book.worksheets:
            if isinstance(sheet, ReadOnlyWorksheet) and sheet.sheet_state == "visible":
                yield sheet.title, _rows(sheet)
    finally:
        book.close()


def _rows(sheet: ReadOnlyWorksheet) -> Iterator[Row]:
    sheet.reset_dimensions()
    try:
        for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
            if any(value is not None for value in values):
                yield number, [_cell(value) for value in values[: MAX_COLUMNS + 1]]
    except zipfile.BadZipFile:
        raise FileRefused("damaged", _DAMAGED) from None
    except Exception:
        raise FileRefused("damaged", _DAMAGED) from None


def _cell(value: Any) -> str:
    """Return a cell as text: dates in RFC 3339, whole numbers without point."""
    if value is None or (isinstance(value, str) and value in _ERRORS):
        return ""
    if isinstance(value, datetime | date):
        return as_time(value)
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def _header(rows: Iterator[Row], options: Options) -> tuple[int, Columns] | None:
    """Return the first row that names a column of text, else the first row that holds anything."""
    first = None
    for number, cells in islice(rows, _HEADER_ROWS):
        while cells and not cells[-1].strip():
            cells = cells[:-1]
        columns = map_columns(cells, options.mapping)
        if columns.usable:
            return number, columns
        first = first or (number, columns)
    return first


def _date_order(
    file: BinaryIO, sheet: str, header_row: int, columns: Columns, options: Options
) -> tuple[DateOrder, bool, bool]:
    places = columns.of("occurred_at") + columns.of("updated_at")
    if not places:
        return options.dates or DateOrder.DAY_FIRST, False, False
    rows = chain.from_iterable(rows for name, rows in _sheets(file) if name == sheet)
    sample = islice((cells for number, cells in rows if number > header_row), _SAMPLE_ROWS)
    proven, ambiguous = proven_order(cells[place] for cells in sample for place in places if place < len(cells))
    return options.dates or proven or DateOrder.DAY_FIRST, proven is not None, ambiguous


def _records(file: BinaryIO, plans: dict[str, tuple[int, Table]]) -> Iterator[Record]:
    for name, rows in _sheets(file):
        if name in plans:
            header_row, table = plans[name]
            yield from table_records((row for row in rows if row[0] > header_row), table)
