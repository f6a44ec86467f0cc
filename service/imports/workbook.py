"""XLSX: the values of each sheet that has a column of text; macros, formulas, links and drawings are not looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from itertools import chain, islice
from typing import Any, BinaryIO

from openpyxl.reader.excel import ExcelReader
from openpyxl.utils import column_index_from_string
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from service.imports.columns import TITLE, Columns, find_header
from service.imports.delimited import check_columns
from service.imports.orders import Reckoning, reckon, reckon_together
from service.imports.packages import check_package
from service.imports.records import FileRefused, Format, Options, Reading, Record
from service.imports.tables import MAX_COLUMNS, Table, row_record
from service.imports.values import as_time
from service.notes.intake import RejectedNote
from service.notes.schemas import NoteError

_SAMPLE_ROWS = 5_000
_MAX_ROW = 1_048_576  # a row that says to be the billionth has as many empty ones above
_MAX_MERGED = 100_000
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^<>]*?\bref=[\"']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})[\"']")
_CHUNK = 256 * 1024
_OF_ONE_ROW = frozenset({"text", TITLE, "external_id", "deleted"})
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})
_NO_RESULT = "is a formula whose result the file does not hold: open it in a spreadsheet program and save it"
_DAMAGED = "The workbook is damaged: open it in a spreadsheet program and save it again as XLSX, or as CSV."

_CELL_OF_FORMULA = re.compile(
    rb"<(?:\w+:)?c\s(?P<attributes>[^<>]*)>\s*<(?:\w+:)?f\b(?:[^<>]*/>|[^<>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?P<value><(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_PLACE = re.compile(rb"\br=[\"']([A-Z]{1,3})(\d{1,7})[\"']")
_TAIL = 40_000  # a formula is not longer
_MAX_FORMULAS = 200_000
_NEEDED = frozenset({"text", "external_id", "occurred_at", "updated_at"})

Row = tuple[int, Sequence[str]]
Merged = tuple[int, int, int]  # first row, last row, column from 0


class _Reader(ExcelReader):  # type: ignore[misc]
    """Reads the sheets of cells alone: the library fails on some sheets of charts."""

    def read_chartsheet(self, _sheet: Any, _rel: Any) -> None:
        """Leave a sheet out that is a chart."""


def read_workbook(file: BinaryIO, options: Options) -> Reading:
    """Read a workbook.

    Raises:
        FileRefused: If it is damaged, unsafe, or no sheet has a column of text.
    """
    check_package(file)
    sheets = [(name, find_header(_trimmed(rows), options.mapping)) for name, rows in _sheets(file)]
    tables = [(name, found) for name, found in sheets if found[1].usable]
    if not tables:
        check_columns(next((found[1] for _, found in sheets if found[1].header), Columns((), (), ())))
    described = []
    plans = {}
    reckoned = reckon_together([_dates(file, name, *found, options) for name, found in tables])
    for (name, (header_row, columns)), dates in zip(tables, reckoned, strict=True):
        plans[name] = header_row, Table(columns, dates.order, options)
        about = {"columns": columns.described(), "dates": dates.described()}
        described.append({"sheet": name, "header_row": header_row, **about})
    left_out = [name for name, _ in sheets if name not in plans]
    found = {"columns": described[0]["columns"], "dates": described[0]["dates"], "sheets": described}
    return Reading(Format.XLSX, {**found, "sheets_left_out": left_out}, _records(file, plans))


def _sheets(file: BinaryIO) -> Iterator[tuple[str, Iterator[Row]]]:
    """Give the visible sheets of cells with their rows; the sizes that they declare are not believed."""
    for sheet in _worksheets(file):
        yield sheet.title, _rows(sheet)


def _worksheets(file: BinaryIO) -> Iterator[ReadOnlyWorksheet]:
    file.seek(0)
    try:
        # values alone: cached results of formulas; no links to other files
        reader = _Reader(file, read_only=True, data_only=True, keep_links=False)
        reader.read()
        book = reader.wb
    except Exception:  # whatever a hostile or broken file makes the library raise
        raise FileRefused("damaged", _DAMAGED) from None
    try:
        for sheet in book.worksheets:
            if isinstance(sheet, ReadOnlyWorksheet) and sheet.sheet_state == "visible":
                yield sheet
    finally:
        book.close()


def _rows(sheet: ReadOnlyWorksheet) -> Iterator[Row]:
    sheet.reset_dimensions()
    try:
        for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
            if number > _MAX_ROW:
                raise FileRefused("damaged", _DAMAGED)
            if any(value is not None for value in values):
                yield number, [_cell(value) for value in values[: MAX_COLUMNS + 1]]
    except FileRefused:
        raise
    except Exception:  # whatever a hostile or broken file makes the library raise
        raise FileRefused("damaged", _DAMAGED) from None


def _trimmed(rows: Iterator[Row]) -> Iterator[Row]:
    """Give rows without the empty cells at their end: a spreadsheet may have thousands of them."""
    for number, cells in rows:
        width = max((place for place, cell in enumerate(cells, start=1) if cell.strip()), default=0)
        yield number, cells[:width]


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


def _dates(file: BinaryIO, sheet: str, header_row: int, columns: Columns, options: Options) -> Reckoning:
    places = columns.of("occurred_at") + columns.of("updated_at")
    if not places:
        return reckon((), (), options.dates)
    rows = chain.from_iterable(rows for name, rows in _sheets(file) if name == sheet)
    below = (cells for number, cells in rows if number > header_row)
    return reckon(islice(below, _SAMPLE_ROWS), places, options.dates)


@dataclass(slots=True)
class _Marks:
    """What a reader of rows does not see: cells merged over several rows, and formulas without a result, by row."""

    merged: list[Merged] = field(default_factory=list)
    formulas: dict[int, set[int]] = field(default_factory=dict)


def _marks(sheet: ReadOnlyWorksheet) -> _Marks:
    marks = _Marks()
    tail = b""
    count = 0
    with sheet._get_source() as source:
        while chunk := source.read(_CHUNK):
            chunk = tail + chunk
            end = 0
            for match in _MERGED.finditer(chunk) if len(marks.merged) < _MAX_MERGED else ():
                end = match.end()
                first, last = int(match[2]), int(match[4])
                if last > first:
                    marks.merged.append((first, last, column_index_from_string(match[1].decode()) - 1))
            for match in _CELL_OF_FORMULA.finditer(chunk) if count < _MAX_FORMULAS and b"<" in chunk else ():
                end = max(end, match.end())
                place = _PLACE.search(match["attributes"])
                # with the type "str", no value is a result too: the empty text
                if place and not (match["value"] and re.search(rb"\bt=[\"']str[\"']", match["attributes"])):
                    columns = marks.formulas.setdefault(int(place[2]), set())
                    columns.add(column_index_from_string(place[1].decode()) - 1)
                    count += 1
            tail = chunk[max(end, len(chunk) - _TAIL) :]
    marks.merged.sort()
    return marks


def _filled(rows: Iterator[Row], merged: list[Merged], columns: Columns) -> Iterator[Row]:
    """Give rows with what is merged over several of them in each: one date and one account for three comments."""
    todo = [cell for cell in reversed(merged) if cell[2] < len(columns.fields)]
    todo = [cell for cell in todo if columns.fields[cell[2]] and columns.fields[cell[2]] not in _OF_ONE_ROW]
    over: dict[int, tuple[int, str]] = {}  # of each column, the last row and the value
    for number, cells in rows:
        while todo and todo[-1][0] <= number:
            first, last, place = todo.pop()
            if first == number and place < len(cells):
                over[place] = last, cells[place]
        if over:
            cells = [*cells, *[""] * (len(columns.fields) - len(cells))]
            over = {place: (last, value) for place, (last, value) in over.items() if last >= number}
            for place, (_, value) in over.items():
                cells[place] = cells[place] or value
        yield number, cells


def _records(file: BinaryIO, plans: dict[str, tuple[int, Table]]) -> Iterator[Record]:
    marks = {sheet.title: _marks(sheet) for sheet in _worksheets(file) if sheet.title in plans}
    for name, rows in _sheets(file):
        if name in plans:
            header_row, table = plans[name]
            width = len(table.columns.header)
            # what stands right of the table belongs to nobody
            below = ((number, cells[:width]) for number, cells in rows if number > header_row)
            formulas = {row: cells for row, cells in marks[name].formulas.items() if row > header_row}
            for number, cells in _filled(below, marks[name].merged, table.columns):
                record = row_record(number, cells, table)
                if record := _computed(number, record, formulas.pop(number, set()), table):
                    yield record
            for number in sorted(formulas):  # rows of formulas alone
                if record := _computed(number, None, formulas[number], table):
                    yield record


def _computed(number: int, record: Record | None, formulas: set[int], table: Table) -> Record | None:
    """Name the cells whose formula has no result in the file: without its text, id or date a row can't be a note."""
    columns = table.columns
    lacking = [
        (columns.header[place], columns.fields[place]) for place in sorted(formulas) if place < len(columns.fields)
    ]
    told = [
        NoteError(field=name, code="formula_without_result", message=f"{_NO_RESULT} (column {header[:60]!r})")
        for header, name in lacking
        if name
    ]
    needed = next((one for one in told if one.field in _NEEDED), None)
    if needed:
        cells = record.cells if record else ("",) * len(columns.header)
        return Record(number, RejectedNote(None, needed), cells, columns.header)
    return replace(record, warnings=(*record.warnings, *told)) if record and told else record
