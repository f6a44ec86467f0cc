"""Spreadsheets that are not XLSX: SpreadsheetML (Excel's XML of 2003, which many CRMs name .xls), and OpenDocument.

Both are read to the values of their cells, within bounds; formulas, macros, links and drawings are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element  # its type alone: what is parsed goes through defusedxml

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from service.imports.columns import Columns, find_header
from service.imports.decoding import find_encoding
from service.imports.delimited import check_columns
from service.imports.grids import Grid
from service.imports.orders import reckon, reckon_together
from service.imports.packages import XmlDepth, check_package, open_zip
from service.imports.records import MIB, FileRefused, Format, Options, Reading, Record
from service.imports.tables import MAX_COLUMNS, Table, row_record

MAX_XML_BYTES = 256 * MIB
MAX_CELLS = 2_000_000
MAX_CHARS = 32_000_000
_MAX_REPEATED = 1_000  # a row or cell that stands for so many is a blank that fills the sheet
_SPREADSHEET = "{urn:schemas-microsoft-com:office:spreadsheet}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_DAMAGED = "The spreadsheet is damaged: open it in a spreadsheet program and save it again as XLSX, or as CSV."
_TOO_LARGE = "The spreadsheet holds too much to be read whole: save it as XLSX or CSV, or split it."


@dataclass(slots=True)
class _Sheets:
    """The cells of sheets as they are read; the number of a row is its place in the list."""

    sheets: list[tuple[str, list[list[str]]]] = field(default_factory=list)
    row: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    cells: int = 0
    chars: int = 0

    def start_sheet(self, name: str) -> None:
        self.sheets.append((name[:200], []))

    def skip_rows(self, count: int) -> None:
        """Leave rows empty, where a row says which one it is."""
        if self.sheets:
            self.sheets[-1][1].extend([[] for _ in range(min(count, _MAX_REPEATED))])

    def add_cell(self, text: str, times: int = 1) -> None:
        times = min(times, MAX_COLUMNS - len(self.row))
        self.row += [text] * times
        self.cells += max(times, 0)
        self.chars += len(text) * max(times, 0)
        if self.cells > MAX_CELLS or self.chars > MAX_CHARS:
            raise FileRefused("too_large", _TOO_LARGE)

    def end_row(self, times: int = 1) -> None:
        while self.row and not self.row[-1].strip():
            self.row.pop()
        if self.sheets:
            self.sheets[-1][1].extend(list(self.row) for _ in range(min(times, _MAX_REPEATED)))
            self.cells += len(self.row) * min(times, _MAX_REPEATED)
        self.row = []


def read_spreadsheetml(file: BinaryIO, options: Options) -> Reading:
    """Read Excel's XML of 2003.

    Raises:
        FileRefused: If it is damaged, unsafe, too large, or no sheet has a column of text.
    """
    encoding = find_encoding(file).name
    file.seek(0)
    sheets = _Sheets()
    for event, element in _events(file):
        tag = element.tag.removeprefix(_SPREADSHEET)
        if event == "start":
            _start(sheets, tag, element)
        else:
            _end(sheets, tag, element)
    return _reading(Format.SPREADSHEETML, sheets, {"encoding": encoding.removesuffix("-sig")}, options)


def _start(sheets: _Sheets, tag: str, element: Element) -> None:
    if tag == "Worksheet":
        sheets.start_sheet(element.get(f"{_SPREADSHEET}Name", ""))
    elif tag == "Row" and sheets.sheets:
        place = _count(element.get(f"{_SPREADSHEET}Index"), 0)
        sheets.skip_rows(place - 1 - len(sheets.sheets[-1][1]))
    elif tag == "Cell":
        sheets.words = []
        place = _count(element.get(f"{_SPREADSHEET}Index"), 0)
        sheets.add_cell("", max(0, place - 1 - len(sheets.row)))


def _end(sheets: _Sheets, tag: str, element: Element) -> None:
    if tag == "Data":
        kind = element.get(f"{_SPREADSHEET}Type", "")
        text = "".join(element.itertext())
        sheets.words = ["" if kind == "Error" else text.removesuffix("T00:00:00.000") if kind == "DateTime" else text]
    elif tag == "Cell":
        sheets.add_cell("".join(sheets.words), 1 + _count(element.get(f"{_SPREADSHEET}MergeAcross"), 0))
        element.clear()
    elif tag == "Row":
        sheets.end_row()
        element.clear()


def read_ods(file: BinaryIO, options: Options) -> Reading:
    """Read an OpenDocument spreadsheet.

    Raises:
        FileRefused: If it is damaged, encrypted, unsafe, too large, or no sheet has a column of text.
    """
    check_package(file)
    package = open_zip(file)
    sheets = _Sheets()
    try:
        with package.open("content.xml") as content:
            for event, element in _events(content):
                _ods(sheets, event, element)
    except (KeyError, RuntimeError, OSError):
        raise FileRefused("damaged", _DAMAGED) from None
    return _reading(Format.ODS, sheets, {}, options)


def _ods(sheets: _Sheets, event: str, element: Element) -> None:
    tag = element.tag
    if event == "start":
        if tag == f"{_TABLE}table":
            sheets.start_sheet(element.get(f"{_TABLE}name", ""))
        elif tag == f"{_TABLE}table-cell":
            sheets.words = []
    elif tag == f"{_TEXT}p":
        sheets.words.append("".join(element.itertext()))
    elif tag in {f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"}:
        told = element.get(f"{_OFFICE}date-value") or element.get(f"{_OFFICE}value")
        text = (told or "\n".join(sheets.words)) if tag == f"{_TABLE}table-cell" else ""
        sheets.words = []
        sheets.add_cell(text, _count(element.get(f"{_TABLE}number-columns-repeated"), 1))
        element.clear()
    elif tag == f"{_TABLE}table-row":
        sheets.end_row(_count(element.get(f"{_TABLE}number-rows-repeated"), 1))
        element.clear()


def _count(value: str | None, default: int) -> int:
    """Return a count that a file declares, within bounds."""
    return min(int(value), 10**6) if value and value.isascii() and value.isdigit() and len(value) < 12 else default


class _Bounded:
    """A stream that may be neither longer nor nested deeper than is read."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._read, self._depth = stream, 0, XmlDepth()

    def read(self, size: int = -1) -> bytes:
        chunk: bytes = self._stream.read(size)
        self._read += len(chunk)
        if self._read > MAX_XML_BYTES:
            raise FileRefused("too_large", _TOO_LARGE)
        self._depth.add(chunk)
        return chunk


def _events(stream: Any) -> Iterator[tuple[str, Element]]:
    try:
        yield from iterparse(_Bounded(stream), events=("start", "end"), forbid_dtd=True)
    except DefusedXmlException:
        raise FileRefused("xml_dtd", "The file holds XML with a DTD, which no office program writes.") from None
    except (ParseError, ValueError, LookupError):
        raise FileRefused("damaged", _DAMAGED) from None


def _reading(form: Format, sheets: _Sheets, found: dict[str, Any], options: Options) -> Reading:
    headers = [(name, grid, *find_header(enumerate(grid, start=1), options.mapping)) for name, grid in sheets.sheets]
    tables = [one for one in headers if one[3].usable]
    if not tables:
        check_columns(next((columns for *_, columns in headers if columns.header), Columns((), (), ())))
    reckoned = reckon_together(
        [
            reckon(grid[row:], columns.of("occurred_at") + columns.of("updated_at"), options.dates)
            for _, grid, row, columns in tables
        ]
    )
    plans: list[tuple[Grid, int, Table]] = []
    described: list[dict[str, Any]] = []
    for (name, grid, row, columns), dates in zip(tables, reckoned, strict=True):
        plans.append((grid, row, Table(columns, dates.order, options)))
        about = {"columns": columns.described(), "dates": dates.described()}
        described.append({"sheet": name, "header_row": row, **about})
    left_out = [name for name, _, _, columns in headers if not columns.usable]
    found = {**found, "columns": described[0]["columns"], "dates": described[0]["dates"], "sheets": described}
    return Reading(form, {**found, "sheets_left_out": left_out}, _records(plans))


def _records(plans: list[tuple[Grid, int, Table]]) -> Iterator[Record]:
    for grid, header_row, table in plans:
        width = len(table.columns.header)
        for number, cells in enumerate(grid[header_row:], start=header_row + 1):
            if record := row_record(number, cells[:width], table):
                yield record
