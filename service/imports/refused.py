"""Refused rows as CSV: to be mended in a spreadsheet and imported again."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from service.imports.columns import OWN_PREFIX, map_columns, with_field
from service.imports.records import NUL_REMOVED
from service.imports.tables import escaped

OWN_COLUMNS = tuple(f"{OWN_PREFIX}{name}" for name in ("row", "file", "field", "reason"))
MAX_COLUMNS = 500

ID_COLUMN = "external_id"


class Refused(NamedTuple):
    """A row to mend.

    Attributes:
        number: Its number in the file.
        member: Its file in an archive.
        field: What is wrong.
        reason: Why.
        cells: The original cells by column.
        taken_as: Id of its note, where it was taken but for the field: mended, it becomes that note again.
    """

    number: int
    member: str
    field: str
    reason: str
    cells: dict[str, Any]
    taken_as: str = ""


def to_mend(code: str, cells: Collection[str], *, skipped: bool, taken: bool) -> bool:
    """Tell what a person can mend: what was refused, and a cell that was left out of a note that was taken."""
    return not skipped and (not taken or (bool(cells) and code != NUL_REMOVED.code))


def column_names(rows: Iterable[Refused], mapping: Mapping[str, str | None]) -> list[str]:
    """Return the columns of refused rows, in the order in which they come, and one for ids where they need it."""
    names: dict[str, None] = {}
    taken = False
    for row in rows:
        taken = taken or row.taken_as != ""
        for name in row.cells:
            if len(names) < MAX_COLUMNS:
                names.setdefault(name)
    if taken and not _id_column(list(names), mapping):
        names.setdefault(ID_COLUMN)
    return list(names)


def _id_column(names: Sequence[str], mapping: Mapping[str, str | None]) -> str | None:
    fields = map_columns(names, mapping).fields
    return next((name for name, field in zip(names, fields, strict=True) if field == ID_COLUMN), None)


def csv_lines(
    names: list[str], rows: Iterable[Refused], mapping: Mapping[str, str | None], separator: str = ","
) -> Iterator[str]:
    """Give the lines of the CSV file; no cell is a formula, and our own columns are ignored by an import.

    What the sender said of columns stands with their names: the file needs no mapping when it comes back.
    """
    shown = [with_field(name, mapping) for name in names]
    yield "\ufeff" + _line([*shown, *OWN_COLUMNS], separator)  # with its mark, spreadsheets take it for UTF-8
    places = _places(names)
    ids = _id_column(names, mapping)
    for (number, member, _), group in groupby(rows, lambda row: (row.number, row.member, row.cells)):
        first, *others = group  # one row, with all that is wrong with it
        field = ", ".join([first.field, *(other.field for other in others)])
        reason = "; ".join([first.reason, *(other.reason for other in others)])
        placed = _placed(first.cells, places)
        if ids and not placed.get(ids, "").strip():
            placed[ids] = first.taken_as
        yield _line([*(placed.get(name, "") for name in names), str(number), member, field, reason], separator)


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


def _line(cells: Iterable[str], separator: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator).writerow([escaped(cell) for cell in cells])
    return buffer.getvalue()
