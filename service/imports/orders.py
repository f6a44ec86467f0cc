"""How the dates of a table are meant: 03/02/2026 is the third of February, or the second of March.

Decided by the whole column, never cell by cell: a day over 12 proves the order. Where the columns of the notes' dates
prove nothing, other columns of the table may, or other sheets; then the way in which times of day are written speaks
for the United States. What is left is read day first, and said so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from service.imports.records import DateOrder
from service.imports.values import DateMarks, date_marks

_OTHERS_ROWS = 5_000


class Ground(StrEnum):
    """Why dates are read in an order."""

    ASKED = "asked"
    DATES = "dates"
    OTHER_COLUMNS = "other_columns"
    OTHER_SHEETS = "other_sheets"
    CLOCK = "clock"
    USUAL = "usual"


@dataclass(frozen=True, slots=True)
class Reckoning:
    """The order of day and month in a table.

    Attributes:
        proven: Whether a date proves it, or the sender said it.
        ambiguous: Whether any date could be read otherwise.
    """

    order: DateOrder
    ground: Ground
    ambiguous: bool

    @property
    def proven(self) -> bool:
        """Whether a date proves the order, or the sender said it."""
        return self.ground not in {Ground.CLOCK, Ground.USUAL}

    def described(self) -> dict[str, Any]:
        """Return what the preview shows."""
        return {"order": self.order, "proven": self.proven, "ambiguous": self.ambiguous, "by": self.ground}


def reckon(rows: Iterable[Sequence[str]], places: Sequence[int], asked: DateOrder | None = None) -> Reckoning:
    """Decide the order of day and month.

    Args:
        rows: The cells below the header.
        places: The columns of the notes' dates.
        asked: What the sender says, which stands over all.
    """
    own, others = _marks(rows, frozenset(places)) if places else (DateMarks(), DateMarks())
    if asked:
        order, ground = asked, Ground.ASKED
    elif own.proven:
        order, ground = own.proven, Ground.DATES
    elif others.proven:
        order, ground = others.proven, Ground.OTHER_COLUMNS
    elif own.american:
        order, ground = DateOrder.MONTH_FIRST, Ground.CLOCK
    else:
        order, ground = DateOrder.DAY_FIRST, Ground.USUAL
    return Reckoning(order, ground, own.ambiguous > 0)


def _marks(rows: Iterable[Sequence[str]], places: frozenset[int]) -> tuple[DateMarks, DateMarks]:
    """Return what the columns of dates say, and what the other columns do while those say nothing."""
    own, others = DateMarks(), DateMarks()
    for number, cells in enumerate(rows):
        for place in places:
            if place < len(cells):
                own += date_marks(cells[place])
        if number < _OTHERS_ROWS and own.proven is None:
            for place, cell in enumerate(cells):
                if place not in places and 6 <= len(cell) <= 40:
                    others += date_marks(cell)
    return own, others


def reckon_together(sheets: Sequence[Reckoning]) -> list[Reckoning]:
    """Let sheets that prove nothing follow those of their file that do, if these agree."""
    told = {one.order for one in sheets if one.ground in {Ground.DATES, Ground.OTHER_COLUMNS}}
    if len(told) != 1:
        return list(sheets)
    order = told.pop()
    return [one if one.proven else replace(one, order=order, ground=Ground.OTHER_SHEETS) for one in sheets]
