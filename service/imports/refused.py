"""Refused rows as CSV: to be mended in a spreadsheet and imported again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from service.imports.columns import OWN_PREFIX, map_columns, with_field
from service.imports.tables import escaped

OWN_COLUMNS = tuple(f"{OWN_PREFIX}{name}" for name in ("row", "file", "field", "reason"))
MAX_COLUMNS = 500

# of each refused row: its number, the member of an archive, the field, the reason, the original cells by column
Refused = tuple[int, str, str, str, dict[str, Any]]


def column_names(rows: Iterable[Refused]) -> list[str]:
    """Return the columns of refused rows, in the order in which they come."""
    names: dict[str, None] = {}
    for row in rows:
        for name in row[4]:
            if len(names) < MAX_COLUMNS:
                names.setdefault(name)
    return list(names)


def csv_lines(names: list[str], rows: Iterable[Refused], mapping: Mapping[str, str | None]) -> Iterator[str]:
    """Give the lines of the CSV file; no cell is a formula, and our own columns are ignored by an import.

    What the sender said of columns stands with their names: the file needs no mapping when it comes back.
    """
    shown = [with_field(name, mapping) for name in names]
    yield "\ufeff" + _line([*shown, *OWN_COLUMNS])  # with its mark, spreadsheets take it for UTF-8
    places = _places(names)
    for number, member, field, reason, cells in rows:
        own = [str(number), member, field, reason]
        placed = _placed(cells, places)
        yield _line([placed.get(name, "") for name in names] + own)


def _places(names: Sequence[str]) -> dict[str, str]:
    """Return the column of each field in the list of refused rows."""
    return {field: name for name, field in zip(names, map_columns(names, {}).fields, strict=True) if field}


def _placed(cells: Mapping[str, Any], places: Mapping[str, str]) -> dict[str, str]:
    """Put each cell where the list has its field: rows of several sheets may name their columns otherwise."""
    placed = {name: str(cell) for name, cell in cells.items()}
    for name, field in zip(cells, map_columns(list(cells), {}).fields, strict=True):
        if field and field != "text" and places.get(field, name) not in cells:
            placed[places[field]] = placed.pop(name)
    return placed


def _line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([escaped(cell) for cell in cells])
    return buffer.getvalue()
