"""CSV: comma, semicolon, tab or bar; `sep=` lines; line breaks in cells; row by row, whatever its size."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import BinaryIO

from service.imports.columns import Columns, known_names, map_columns
from service.imports.decoding import Encoding, find_encoding, text_of
from service.imports.records import MIB, DateOrder, FileRefused, Format, Options, Reading, Record, rejected
from service.imports.tables import MAX_COLUMNS, Table, table_records
from service.imports.values import proven_order

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MAX_CELL_CHARS = 2_000_000
MAX_ROW_CHARS = 4 * MIB
_SAMPLE_CHARS = 256 * 1024
_SAMPLE_ROWS = 50

Row = tuple[int, Sequence[str]]


def read_csv(file: BinaryIO, options: Options) -> Reading:
    """Read a CSV file with a header.

    Raises:
        FileRefused: If it has no header, or no column of text.
    """
    encoding = find_encoding(file)
    with text_of(file, encoding) as text:
        sample = text.read(_SAMPLE_CHARS)
    separator = find_separator(sample, options) or ","
    header = next(_sampled(sample, separator), (1, []))[1]
    columns = map_columns(header, options.mapping)
    check_columns(columns)
    order, proven, open_dates = _date_order(file, encoding, separator, columns, options)
    table = Table(columns, order, options)
    found = {
        "encoding": encoding.name.removesuffix("-sig"),
        "separator": SEPARATORS[separator],
        "columns": columns.described(),
        "dates": {"order": order, "proven": proven, "ambiguous": open_dates},
    }
    return Reading(Format.CSV, found, _records(file, encoding, separator, table))


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
    if not rows or len(rows[0]) < 2:
        return 0, 0.0
    header = rows[0]
    known = known_names(header) | {field for field in map_columns(header, options.mapping).fields if field}
    same = sum(len(row) == len(header) for row in rows[1:]) / max(1, len(rows) - 1)
    named = all(len(cell) <= 80 and "\n" not in cell for cell in header)
    looks_like_table = named and (len(known) >= 2 or (len(rows) >= 3 and same >= 0.9 and _are_names(header)))
    return (len(known), same + len(header) / 1000) if looks_like_table else (0, 0.0)


def _sampled(sample: str, separator: str) -> Iterator[Row]:
    """Give the rows of a sample; it may end within a cell."""
    with suppress(csv.Error):
        yield from _rows(io.StringIO(sample), separator)


def _are_names(header: Sequence[str]) -> bool:
    """Tell names of columns from a sentence with commas."""
    cells = [cell.strip() for cell in header]
    return all(cell and len(cell.split()) <= 4 and cell[-1] not in ".!?" for cell in cells)


def _date_order(
    file: BinaryIO, encoding: Encoding, separator: str, columns: Columns, options: Options
) -> tuple[DateOrder, bool, bool]:
    """Return the order of day and month, whether the file proves it, and whether it matters."""
    places = columns.of("occurred_at") + columns.of("updated_at")
    proven, ambiguous = None, False
    if places:
        with text_of(file, encoding) as text:
            rows = _rows(text, separator)
            cells = (row[place] for _, row in rows for place in places if place < len(row))
            proven, ambiguous = proven_order(_until_fault(cells))
    return options.dates or proven or DateOrder.DAY_FIRST, proven is not None, ambiguous


def _until_fault(cells: Iterator[str]) -> Iterator[str]:
    with suppress(csv.Error):
        yield from cells


def _records(file: BinaryIO, encoding: Encoding, separator: str, table: Table) -> Iterator[Record]:
    number = 1
    with text_of(file, encoding) as text:
        rows = _rows(text, separator)
        try:
            next(rows, None)
            for record in table_records(rows, table):
                number = record.number
                yield record
        except csv.Error as error:
            fault = f"is not CSV ({error}); the rest is not read: mend the quotes after line {number}"
            yield Record(number + 1, rejected("line", "invalid_csv", fault))


def _rows(lines: Iterable[str], separator: str) -> Iterator[Row]:
    """Give the rows with their line; a row ends where it says, and at four million characters at the latest."""
    csv.field_size_limit(MAX_CELL_CHARS)
    reader = csv.reader(_bounded(lines), delimiter=separator, strict=True)
    first = True
    for cells in reader:
        if first:
            cells = [cell.removeprefix("\ufeff") for cell in cells[:1]] + cells[1:]
            if len(cells) <= 2 and cells and cells[0].lower().startswith("sep="):
                continue
        first = False
        yield reader.line_num, cells


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    if isinstance(lines, io.TextIOBase):
        while line := lines.readline(MAX_ROW_CHARS):
            if len(line) >= MAX_ROW_CHARS:
                raise csv.Error(f"a line over {MAX_ROW_CHARS} characters")
            yield line
    else:
        yield from lines
