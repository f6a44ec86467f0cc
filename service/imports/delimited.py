"""CSV: comma, semicolon, tab or bar; `sep=` lines; line breaks in cells; row by row, whatever its size."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import BinaryIO, TextIO

from service.imports.columns import MAX_NAMES, Columns, find_header, known_names, map_columns
from service.imports.decoding import Encoding, find_encoding, text_of
from service.imports.orders import Reckoning, reckon
from service.imports.records import MIB, FileRefused, Format, Options, Reading, Record, rejected
from service.imports.tables import MAX_COLUMNS, Table, mendable, row_record

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MAX_CELL_CHARS = 2_000_000
MAX_ROW_CHARS = 4 * MIB
MAX_REREAD_CHARS = 16 * MIB
_SAMPLE_CHARS = 256 * 1024
_SAMPLE_ROWS = 50

Row = tuple[int, Sequence[str]]


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row with a fault in its quotes: its number, its first line and the fault."""

    number: int
    line: str
    fault: str


def read_csv(file: BinaryIO, options: Options) -> Reading:
    """Read a CSV file with a header.

    Raises:
        FileRefused: If it has no header, or no column of text.
    """
    encoding = find_encoding(file)
    with text_of(file, encoding) as text:
        sample = text.read(_SAMPLE_CHARS)
    separator = find_separator(sample, options) or ","
    header_line, columns = find_header(_sampled(sample, separator), options.mapping)
    check_columns(columns)
    dates = _dates(file, encoding, separator, header_line, columns, options)
    table = Table(columns, dates.order, options, separator)
    found = {
        "encoding": encoding.name.removesuffix("-sig"),
        "separator": SEPARATORS[separator],
        "columns": columns.described(),
        "dates": dates.described(),
    }
    return Reading(Format.CSV, found, _records(file, encoding, header_line, table))


def check_columns(columns: Columns) -> None:
    """Refuse a table of which no note can come.

    Raises:
        FileRefused: Naming the columns that are there.
    """
    if len(columns.header) > MAX_COLUMNS:
        raise FileRefused(
            "too_many_columns", f"The table has {len(columns.header)} columns; {MAX_COLUMNS} are the most."
        )
    if not columns.usable:
        names = ", ".join(repr(name[:40]) for name in columns.header[:12]) or "none"
        raise FileRefused(
            "no_text_column",
            f"No column holds the notes' text. The first row names {names}: name one of them note, comment or "
            'compte rendu, or send mapping={"NAME": "text"}.',
            columns.described(),
        )


def find_separator(sample: str, options: Options) -> str | None:
    """Find the separator of a table with a header: a `sep=` line, else the one whose header and rows agree best."""
    first = sample.lstrip("\ufeff")[:8].splitlines()[:1]
    if first and first[0].lower().startswith("sep=") and first[0][4:5] in SEPARATORS:
        return first[0][4:5]
    scores = {separator: _score(sample, separator, options) for separator in SEPARATORS}
    best = max(scores, key=lambda separator: scores[separator])
    return best if scores[best] > (0, 0.0) else None


def _score(sample: str, separator: str, options: Options) -> tuple[int, float]:
    """Return how many names of the header are known, and the share of rows that have its width; zeros for no table."""
    rows = [cells for _, cells in islice(_sampled(sample, separator), _SAMPLE_ROWS) if any(cells)]
    rows = rows[:-1] if len(sample) >= _SAMPLE_CHARS and len(rows) > 2 else rows
    rows = _below_title(rows, separator, options)
    if not rows or len(rows[0]) < 2:
        return 0, 0.0
    header = rows[0]
    known = known_names(header) | {field for field in map_columns(header, options.mapping).fields if field}
    same = sum(len(row) == len(header) for row in rows[1:]) / max(1, len(rows) - 1)
    named = all(len(cell) <= 80 and "\n" not in cell for cell in header)
    if separator in ",;" and len(known) < 2 and _is_prose(rows, header, options):
        return 0, 0.0
    looks_like_table = named and (len(known) >= 2 or (len(rows) >= 3 and same >= 0.9 and _are_names(header)))
    return (len(known), same + len(header) / 1000) if looks_like_table else (0, 0.0)


def _is_prose(rows: list[Sequence[str]], header: Sequence[str], options: Options) -> bool:
    """Tell sentences with equally many commas from a table: a space follows them, and no column holds notes."""
    if options.name.lower().endswith((".csv", ".tsv")):
        return False
    inner = [cell for row in rows for cell in row[1:] if cell]
    if sum(cell.startswith((" ", "\u00a0", "\u202f")) for cell in inner) < 0.8 * len(inner):
        return False
    ended = sum(row[-1].rstrip().endswith((".", "!", "?", "…")) for row in rows if row)
    return not map_columns(header, options.mapping).usable or ended >= 0.3 * len(rows)


def _below_title(rows: list[Sequence[str]], separator: str, options: Options) -> list[Sequence[str]]:
    """Leave out a title above the header; but a table of Markdown within a text is a part of the text."""
    place, columns = find_header(enumerate(rows), options.mapping)
    below = rows[place + 1 :]
    even = sum(len(row) == len(rows[place]) for row in below) >= 0.9 * len(below) if below else False
    return rows[place:] if place > 0 and columns.told >= 2 and even and separator != "|" else rows


def _sampled(sample: str, separator: str) -> Iterator[Row]:
    """Give the rows of a sample up to the first fault, with no more cells than a table has; it may end within one."""
    rows = takewhile(lambda row: not isinstance(row, BrokenRow), _rows(io.StringIO(sample, newline=""), separator))
    yield from ((row[0], row[1][:MAX_NAMES]) for row in rows if not isinstance(row, BrokenRow))


def _are_names(header: Sequence[str]) -> bool:
    """Tell names of columns from a sentence with commas."""
    cells = [cell.strip() for cell in header]
    return all(cell and len(cell.split()) <= 4 and cell[-1] not in ".!?" for cell in cells)


def _dates(
    file: BinaryIO, encoding: Encoding, separator: str, header_line: int, columns: Columns, options: Options
) -> Reckoning:
    """Return the order of day and month, by all rows of the file."""
    places = columns.of("occurred_at") + columns.of("updated_at")
    if not places:
        return reckon((), (), options.dates)
    with text_of(file, encoding) as text:
        rows = _rows(text, separator)
        below = (row[1] for row in rows if not isinstance(row, BrokenRow) and row[0] > header_line)
        return reckon(below, places, options.dates)


def _records(file: BinaryIO, encoding: Encoding, header_line: int, table: Table) -> Iterator[Record]:
    with text_of(file, encoding) as text:
        for row in _rows(text, table.separator):
            if isinstance(row, BrokenRow):
                yield _broken(row, table)
            elif row[0] > header_line and (record := row_record(*row, table)):
                yield record


def _broken(row: BrokenRow, table: Table) -> Record:
    """Refuse a row, with its cells as a lenient reader has them: so it can be mended like any other."""
    cells = next(csv.reader([row.line[:MAX_CELL_CHARS]], delimiter=table.separator), [])
    fault = rejected("line", "invalid_csv", f"is not CSV ({row.fault}): mend its quotes")
    return Record(row.number, fault, mendable(cells, table), table.columns.header)


def _rows(text: TextIO, separator: str) -> Iterator[Row | BrokenRow]:
    """Give the rows with their numbers; after a broken one, reading goes on at its second line."""
    csv.field_size_limit(MAX_CELL_CHARS)
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    first = True
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield lines.break_row(str(error))
            continue
        lines.end_row()
        if first:
            cells = [cell.removeprefix("\ufeff") for cell in cells[:1]] + cells[1:]
            if len(cells) <= 2 and cells and cells[0].lower().startswith("sep="):
                lines.row = 0
                continue
        first = False
        yield lines.row, cells


class _Lines:
    """The lines of a file, for a reader of CSV: bounds the length of a row, and gives those of a broken row again.

    Attributes:
        row: How many rows were read, as a spreadsheet counts them: cells may hold several lines.
    """

    def __init__(self, text: TextIO) -> None:
        self.row = 0
        self._text = text
        self._again: deque[str] = deque()
        self._row: list[str] = []
        self._size = self._reread = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._text.readline(MAX_ROW_CHARS)
        if not line:
            raise StopIteration
        self._row.append(line)
        self._size += len(line)
        if self._size >= MAX_ROW_CHARS:
            if len(line) >= MAX_ROW_CHARS:  # an endless line costs its row alone, but the whole row
                del self._row[1:]
            while len(line) >= MAX_ROW_CHARS and line[-1] not in "\r\n":
                line = self._text.readline(MAX_ROW_CHARS)
            raise csv.Error(f"a row over {MAX_ROW_CHARS} characters")
        return line

    def end_row(self) -> None:
        """Count a row that is read, and forget its lines."""
        self.row += 1
        self._row.clear()
        self._size = 0

    def break_row(self, fault: str) -> BrokenRow:
        """Give a row up: all but its first line will be read again, within bounds."""
        first, *rest = self._row or [""]
        if self._reread < MAX_REREAD_CHARS:
            self._reread += self._size
            self._again.extendleft(reversed(rest))
        self.end_row()
        return BrokenRow(self.row, first, fault)
