"""Tables that list notes in a PDF, where a table is only words and strokes at places.

A line whose cells name columns of notes is a header. What stands below it belongs to its columns as long as no words
cross them; a row is what lies between two strokes, or what goes with one date.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest
from statistics import median

from service.imports.columns import map_columns
from service.imports.pdf_pages import Page, Stroke, Word, bands, merged, visual_lines

Told = Callable[[Sequence[str]], int]

# heights of a letter between two cells of a header, the widest that tells most counts
GAPS = (1.2, 0.8, 0.5, 0.38, 0.3)
WORD_GAP = 0.3  # and within a cell at most
_LEVEL = 1.5  # points between the tops of words on one line
SPAN = 0.7  # how much of a table's width a stroke between two rows takes at least
_DATE = re.compile(r"\d{1,4}\s?[-./]\s?\d{1,2}\b|\d{1,2}(?:er|st|nd|rd|th)?\s+[^\W\d]{3,}|[^\W\d]{3,}\s+\d{1,2},")


@dataclass(slots=True)
class PageTable:
    """A table's part of one page.

    Attributes:
        header: The names of its columns.
        cuts: Where one column ends and the next begins.
        keys: The columns that tell where a row begins (`_keys`).
        rows: The cells of each row.
        words: All words that it consists of.
        open: Nothing stands below it, so that it may go on on the next page.
        begun: Its first row may go on with the last one of the page before.
    """

    header: list[str]
    cuts: list[float]
    keys: list[int]
    rows: list[list[str]] = field(default_factory=list)
    words: set[Word] = field(default_factory=set)
    open: bool = False
    begun: bool = False


@dataclass(slots=True)
class _Header:
    cells: list[list[Word]]
    bottom: float
    words: list[Word]

    @property
    def names(self) -> list[str]:
        return [_said(cell) for cell in self.cells]


def page_tables(page: Page, told: Told, before: PageTable | None) -> list[PageTable]:
    """Return the tables of a page, from top to bottom.

    Args:
        page: The page, with what is drawn on it.
        told: How many fields of a note a header tells; 0 for what is none.
        before: The table that the page before ended with, if it may go on.
    """
    words = sorted((word for line in page.lines for word in line), key=lambda one: (one.top, one.left))
    found: list[PageTable] = []
    headers = _headers(words, told)
    if before is not None:
        upto = headers[0].words[0].top if headers else page.height
        rest = [word for word in words if word.bottom <= upto + 1]
        table = PageTable(before.header, before.cuts, before.keys, begun=True)
        _fill(table, rest, 0.0, page, upto)
        if table.rows:
            table.open = table.open and not headers
            found.append(table)
    for header, following in zip_longest(headers, headers[1:]):
        upto = following.words[0].top if following else page.height
        rest = [word for word in words if word.top >= header.bottom - 1 and word.bottom <= upto + 1]
        begun = not found and before is not None and before.header == header.names
        table = PageTable(header.names, _cuts(header, rest, page), _keys(header.names), begun=begun)
        table.words.update(header.words)
        _fill(table, rest, header.bottom, page, upto)
        table.open = table.open and following is None
        if table.rows:
            found.append(table)
    return found


def _keys(names: list[str]) -> list[int]:
    """Return the columns that tell where a row begins: those with its date, else the first."""
    columns = map_columns(names, {})
    return columns.of("occurred_at") or columns.of("updated_at")


def header_cells(line: Sequence[Word], told: Told) -> list[list[Word]] | None:
    """Return the cells of a line that is a table's header; None for any other."""
    height = max(word.bottom - word.top for word in line)
    splits = [_split(line, gap * height) for gap in GAPS]
    best = max(splits, key=lambda cells: told([_said(cell) for cell in cells]))
    return best if told([_said(cell) for cell in best]) else None


def _headers(words: list[Word], told: Told) -> list[_Header]:
    return [
        _Header(cells, max(word.bottom for word in line), line)
        for line in visual_lines(words)
        if (cells := header_cells(line, told))
    ]


def _split(line: Sequence[Word], gap: float) -> list[list[Word]]:
    cells = [[line[0]]]
    for word in line[1:]:
        if word.left - cells[-1][-1].right > gap:
            cells.append([])
        cells[-1].append(word)
    return cells


def _said(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _cuts(header: _Header, rest: list[Word], page: Page) -> list[float]:
    """Return where columns are parted: at a stroke between two names, else where words leave a lane free longest."""
    lines = visual_lines(rest)
    cuts = []
    for left, right in pairwise(header.cells):
        low, high = left[-1].right, right[0].left
        drawn = [s.at for s in page.down if low - 1 <= s.at <= high + 1 and s.start <= header.bottom <= s.end + 1]
        cuts.append(drawn[0] if drawn else _lane(left, right, lines))
    return cuts


def _lane(left: list[Word], right: list[Word], lines: list[list[Word]]) -> float:
    """Return a place between two names of columns that no word crosses on as many lines below as can be.

    Names may stand in the middle of their columns, so the lane may lie beside the blank between them.
    """
    low, high = (left[0].left + left[-1].right) / 2, (right[0].left + right[-1].right) / 2
    free = [(low, high)]
    least = WORD_GAP * (left[0].bottom - left[0].top) - 0.4  # blanks between words of prose are narrower
    for line in [[left[-1]], [right[0]], *lines]:
        taken = [(word.left - 0.2, word.right + 0.2) for word in line if word.right > low and word.left < high]
        narrowed = free
        for start, end in taken:
            narrowed = [
                part
                for one in narrowed
                for part in ((one[0], min(one[1], start)), (max(one[0], end), one[1]))
                if part[1] - part[0] > 0.5
            ]
        if max((end - start for start, end in narrowed), default=0.0) < least:
            break
        free = narrowed
    widest = max(free, key=lambda one: one[1] - one[0])
    return (widest[0] + widest[1]) / 2


def _fill(table: PageTable, rest: list[Word], top: float, page: Page, upto: float) -> None:
    """Put the words below a header into rows, as far down as the table reaches."""
    body, whole = _body(table, rest, top, page) if rest else ([], True)
    if not body:
        return
    table.words.update(body)
    table.open = whole and upto >= page.height
    left, right = min(word.left for word in body), max(word.right for word in body)
    strokes = [s.at for s in _between_rows(page.across, left, right)]
    parts: list[list[Word]] = [[] for _ in range(len(strokes) + 1)]
    for word in body:
        parts[bisect_right(strokes, word.middle)].append(word)
    for number, part in enumerate(parts):
        rows = _rows(part, table, rest_above=table.begun and number == 0)
        table.rows += [_cells(row, table.cuts) for row in rows]


def _between_rows(across: list[Stroke], left: float, right: float) -> list[Stroke]:
    near = [stroke for stroke in across if stroke.end > left and stroke.start < right]
    return [one for one in merged(near, 2.0) if min(one.end, right) - max(one.start, left) >= SPAN * (right - left)]


def _body(table: PageTable, rest: list[Word], top: float, page: Page) -> tuple[list[Word], bool]:
    """Return the words of a table below its header, and whether these are all that stand there."""
    lines = visual_lines(rest)
    drawn, closed = _drawn_end(page, top, rest)
    body: list[Word] = []
    first_blank: float | None = None
    bottom = top
    for line in lines:
        blank, height = min(word.top for word in line) - bottom, line[0].bottom - line[0].top
        apart = bool(body) and blank > 1.5 * max(first_blank or 0.0, 0.5 * height)
        if line[0].middle > drawn and (closed or apart):
            return body, False
        if any(len({bisect_right(table.cuts, at) for at in (one.left + 0.2, one.right - 0.2)}) > 1 for one in line):
            return body, False
        if any(_crossed(cell, table.cuts) for cell in _split(line, WORD_GAP * height)):
            return body, False
        if first_blank is None:
            first_blank = max(blank, 0.0)
        body += line
        bottom = max(bottom, *(word.bottom for word in line))
    return body, True


def _crossed(cell: list[Word], cuts: list[float]) -> bool:
    return bisect_right(cuts, cell[0].left + 0.2) != bisect_right(cuts, cell[-1].right - 0.2)


def _drawn_end(page: Page, top: float, rest: list[Word]) -> tuple[float, bool]:
    """Return where the last stroke between rows lies, and whether strokes at the sides close the table there.

    `top` is the foot of its header; where nothing is drawn below, the table ends with its words.
    """
    left, right = min(word.left for word in rest), max(word.right for word in rest)
    ends = [s.at for s in _between_rows(page.across, left, right) if s.at > top + 1 and not s.shade]
    beside = any(s.start <= top + 20 and s.end > top + 1 and not s.shade for s in page.down)
    if len(ends) < 2:
        return top, False
    return max(ends), beside


def _rows(part: list[Word], table: PageTable, rest_above: bool) -> list[list[Word]]:
    """Part what lies between two strokes into rows: one for each date, parted at the highest blank between two.

    What stands above the first date as far from it as rows are may be the rest of a row of the page before.
    """
    starts = _starts(part, table)
    blanks = [(lower[0] - upper[1], lower[0]) for upper, lower in pairwise(bands(part))]
    chosen = _above_each(starts, blanks, part) or [
        max(within, key=lambda one: (round(one[0]), one[1]))
        for above, below in pairwise(starts)
        if (within := [one for one in blanks if above.middle < one[1] <= below.top + 0.5])
    ]
    if starts and rest_above:
        apart = 0.8 * min(blank for blank, _ in chosen) if chosen else 0.5 * (starts[0].bottom - starts[0].top)
        chosen += [one for one in blanks if one[1] <= starts[0].top + 0.5 and one[0] > max(apart, 1.0)][-1:]
    limits = sorted(place for _, place in chosen)
    rows: list[list[Word]] = [[] for _ in range(len(limits) + 1)]
    for word in part:
        rows[bisect_right(limits, word.middle)].append(word)
    return [row for row in rows if row]


def _above_each(
    starts: list[Word], blanks: list[tuple[float, float]], part: list[Word]
) -> list[tuple[float, float]] | None:
    """Return the blanks right above all dates but the first, where these part the rows.

    They do where cells begin at the top of their row, all rows are as far apart, and lines within a row are not: where
    these are further apart than rows are, the highest blank would part a cell.
    """
    if len(starts) < 2 or min(word.top for word in part) < starts[0].top - _LEVEL:
        return None
    above = [one for start in starts[1:] for one in blanks if abs(one[1] - start.top) <= _LEVEL]
    heights = [one[0] for one in above]
    if len(above) != len(starts) - 1 or max(heights) - min(heights) > 0.5:
        return None
    within = [one[0] for one in blanks if one not in above]
    return above if within and abs(median(within) - median(heights)) > 0.5 else None


def _starts(part: list[Word], table: PageTable) -> list[Word]:
    """Return the words at which rows begin: those of dates; without a column of dates each line of the first column."""
    keys = set(table.keys) or {0}
    lines = visual_lines([word for word in part if bisect_right(table.cuts, word.left + 0.2) in keys])
    return [line[0] for line in lines if not table.keys or _DATE.search(_said(line))]


def _cells(row: list[Word], cuts: list[float]) -> list[str]:
    cells: list[list[Word]] = [[] for _ in range(len(cuts) + 1)]
    for line in visual_lines(row):
        for word in line:
            cells[bisect_right(cuts, word.left + 0.2)].append(word)
    return [_said(cell) for cell in cells]


def joined(tables: Sequence[PageTable]) -> list[list[list[str]]]:
    """Return the grids of a document's tables; what goes on on the next page goes on in its table, and in its row."""
    grids: list[list[list[str]]] = []
    last: PageTable | None = None
    for table in tables:
        goes_on = last is not None and last.open and table.begun
        if not goes_on:
            grids.append([table.header])
        rows = table.rows
        if goes_on and rows and len(grids[-1]) > 1 and not _has_date(rows[0], table):
            grids[-1][-1] = [f"{one} {other}".strip() for one, other in zip(grids[-1][-1], rows[0], strict=True)]
            rows = rows[1:]
        grids[-1] += rows
        last = table
    return grids


def _has_date(row: list[str], table: PageTable) -> bool:
    return not table.keys or any(_DATE.search(row[key]) for key in table.keys)
