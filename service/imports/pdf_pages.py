"""What stands where on a page of a PDF: its words in the order of reading, and the lines that are drawn.

Places are in points from the left and the top of the page as it is read, whichever way its text runs.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

THIN = 3.0  # points: what is thinner is a line, else an area with four edges
MAX_DRAWN = 20_000  # segments of a page; a plot has more, and no table
EDGE_LINES = 2  # at the top and at the foot of a page, where all pages may say the same
APART = 0.8  # heights of a line between these and the others
LOOKED_AT = 500  # characters of a page that tell which way its text runs
_HYPHENS = frozenset({0x02, 0xFFFE})  # how PDFium tells a hyphen that only breaks a word
_BREAKS = frozenset({0x0A, 0x0D})

Point = tuple[float, float]
Turn = Callable[[float, float], Point]


class Word(NamedTuple):
    """A word and its box; `top` is less than `bottom`."""

    text: str
    left: float
    right: float
    top: float
    bottom: float

    @property
    def middle(self) -> float:
        """The height of its middle."""
        return (self.top + self.bottom) / 2


class Stroke(NamedTuple):
    """A horizontal or vertical line: where it lies, and from where to where it reaches.

    `shade`: it is but the edge of an area that is filled, such as every other row.
    """

    at: float
    start: float
    end: float
    shade: bool = False


@dataclass(slots=True)
class Page:
    """A page: its lines of words, as PDFium reads them, and its strokes."""

    lines: list[list[Word]] = field(default_factory=list)
    across: list[Stroke] = field(default_factory=list)
    down: list[Stroke] = field(default_factory=list)
    height: float = 0.0

    @property
    def text(self) -> str:
        """What the page says, line by line."""
        return "\n".join(" ".join(word.text for word in line) for line in self.lines)


def read_page(page: pypdfium2.PdfPage, most_drawn: int) -> Page:
    """Read a page of an open document, and of what is drawn on it at most so many segments."""
    text = page.get_textpage()
    turn, height = _turn(page, text)
    found = Page(list(_lines(text, turn)), height=height)
    for one, other, shade in _segments(page, min(most_drawn, MAX_DRAWN)):
        _put(found, turn(*one), turn(*other), shade)
    return found


def drop_running_lines(pages: Sequence[Page], keeps: Callable[[Sequence[Word]], bool]) -> None:
    """Take away what stands apart at the edges of most pages, such as their numbers; but not what `keeps` wants."""
    seen: Counter[str] = Counter()
    edges: list[dict[str, list[Word]]] = []
    for page in pages:
        lines = visual_lines([word for line in page.lines for word in line])
        at_edge = {_pattern(line): line for line in _edges(lines) if not keeps(line)}
        edges.append(at_edge)
        seen.update(list(at_edge))
    for page, at_edge in zip(pages, edges, strict=True):
        gone = {word for name, line in at_edge.items() if 1 < seen[name] > len(pages) / 2 for word in line}
        if gone:
            page.lines = [left for line in page.lines if (left := [word for word in line if word not in gone])]


def _edges(lines: Sequence[list[Word]]) -> Iterator[list[Word]]:
    """Give the lines above the first blank of a page, and those below its last one, where these are few."""
    for inwards in (lines, lines[::-1]):
        for number, (line, following) in enumerate(pairwise(inwards[: EDGE_LINES + 1]), start=1):
            one, other = sorted((line[0], following[0]), key=lambda word: word.top)
            if other.top - one.bottom > APART * (one.bottom - one.top):
                yield from inwards[:number]
                break


def _pattern(line: Sequence[Word]) -> str:
    return re.sub(r"\d+", "0", " ".join(word.text for word in line))


def visual_lines(words: Sequence[Word]) -> list[list[Word]]:
    """Return the words that stand at one height, line by line, each from left to right."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda one: one.middle):
        last = lines[-1] if lines else None
        if last and word.middle - last[0].middle < 0.5 * min(word.bottom - word.top, last[0].bottom - last[0].top):
            last.append(word)
        else:
            lines.append([word])
    return [sorted(line, key=lambda one: one.left) for line in lines]


def _turn(page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage) -> tuple[Turn, float]:
    """Return how a place of the page's own space lies for who reads it, and the height of the page as it is read."""
    left, bottom, right, top = page.get_bbox()
    turns: tuple[Turn, ...] = (
        lambda x, y: (x - left, top - y),
        lambda x, y: (top - y, right - x),
        lambda x, y: (right - x, y - bottom),
        lambda x, y: (y - bottom, x - left),
    )
    angles = (pdfium.FPDFText_GetCharAngle(text, place) for place in range(min(LOOKED_AT, text.count_chars())))
    quarters = Counter(round(angle / (math.pi / 2)) % 4 for angle in angles if angle >= 0)
    quarter = max(quarters, key=lambda one: quarters[one], default=0)
    return turns[quarter], right - left if quarter % 2 else top - bottom


def _lines(text: pypdfium2.PdfTextPage, turn: Turn) -> Iterator[list[Word]]:
    """Give the lines of a page, word by word."""
    line: list[Word] = []
    letters = ""
    places: list[Point] = []
    for character, ends in [*_characters(text, turn), ("\n", [])]:
        if not character.isspace():
            letters += character
            places += ends
            continue
        if places:
            across, down = zip(*places, strict=True)
            line.append(Word(letters, min(across), max(across), min(down), max(down)))
        letters, places = "", []
        if character == "\n" and line:
            yield line
            line = []


def _characters(text: pypdfium2.PdfTextPage, turn: Turn) -> Iterator[tuple[str, list[Point]]]:
    """Give each character with two corners of its box; PDFium makes up those that part words and lines."""
    box = pdfium.FS_RECTF()
    hyphenated = False
    for index in range(text.count_chars()):
        code = pdfium.FPDFText_GetUnicode(text, index)
        if code in _HYPHENS:
            hyphenated = True
        elif code in _BREAKS:
            yield from [] if hyphenated else [("\n", [])]
        else:
            if hyphenated and chr(code).isupper():  # "Saint-Martin" keeps its own
                yield "-", []
            hyphenated = False
            known = pdfium.FPDFText_GetLooseCharBox(text, index, ctypes.byref(box))
            yield chr(code or 0x20), [turn(box.left, box.bottom), turn(box.right, box.top)] if known else []


def _segments(page: pypdfium2.PdfPage, left: int) -> Iterator[tuple[Point, Point, bool]]:
    """Give the straight segments of what is drawn, in the page's own space, and whether they end an area."""
    for item in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH]):
        fill, stroke = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDFPath_GetDrawMode(item, ctypes.byref(fill), ctypes.byref(stroke))
        if not (fill.value or stroke.value):
            continue
        left -= pdfium.FPDFPath_CountSegments(item)
        if left < 0:
            return
        found = list(_of_path(item))
        across, down = (max((abs(b[k] - a[k]) for a, b in found), default=0.0) for k in (0, 1))
        shade = not stroke.value and min(across, down) > THIN
        yield from ((one, other, shade) for one, other in found)


def _of_path(item: pypdfium2.PdfObject) -> Iterator[tuple[Point, Point]]:
    matrix = item.get_matrix()
    holder = item.container
    while holder is not None:
        matrix = matrix.multiply(holder.get_matrix())
        holder = holder.container
    x, y = ctypes.c_float(), ctypes.c_float()
    start = last = (0.0, 0.0)
    for index in range(pdfium.FPDFPath_CountSegments(item)):
        segment = pdfium.FPDFPath_GetPathSegment(item, index)
        pdfium.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
        here = matrix.on_point(x.value, y.value)
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            start = here
        elif kind == pdfium.FPDF_SEGMENT_LINETO:
            yield last, here
        if pdfium.FPDFPathSegment_GetClose(segment):
            yield here, start
        last = here


def _put(page: Page, one: Point, other: Point, shade: bool) -> None:
    (left, right), (top, bottom) = sorted((one[0], other[0])), sorted((one[1], other[1]))
    if not all(map(math.isfinite, (left, right, top, bottom))):
        return
    if bottom - top < 1 and right - left > THIN:
        page.across.append(Stroke((top + bottom) / 2, left, right, shade))
    elif right - left < 1 and bottom - top > THIN:
        page.down.append(Stroke((left + right) / 2, top, bottom, shade))


def merged(strokes: list[Stroke], reach: float) -> list[Stroke]:
    """Join strokes that lie within `reach` points of each other, as the borders of neighbouring cells do."""
    groups: list[list[Stroke]] = []
    for stroke in sorted(strokes):
        if groups and stroke.at - groups[-1][0].at <= reach:
            groups[-1].append(stroke)
        else:
            groups.append([stroke])
    return [
        Stroke(group[0].at, min(s.start for s in group), max(s.end for s in group), all(s.shade for s in group))
        for group in groups
    ]


def bands(words: list[Word]) -> list[tuple[float, float]]:
    """Return the heights that words take up, from top to bottom; between two of them the page is blank."""
    found: list[tuple[float, float]] = []
    for word in sorted(words, key=lambda one: one.top):
        if found and word.top < found[-1][1] - 0.5:
            found[-1] = found[-1][0], max(found[-1][1], word.bottom)
        else:
            found.append((word.top, word.bottom))
    return found
