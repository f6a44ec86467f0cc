"""Tables within documents, in HTML and DOCX: those that are lists of notes are read row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import BinaryIO

from selectolax.lexbor import LexborHTMLParser, LexborNode

from service.imports.accounts import split_by_account
from service.imports.columns import find_header, lists_notes
from service.imports.decoding import MAX_TEXT_BYTES, whole_text
from service.imports.orders import reckon
from service.imports.records import FileRefused, Format, Options, Reading, Record, make_note, rejected
from service.imports.tables import MAX_COLUMNS, Table, row_record
from service.notes.text import html_text, too_nested

HEADING_LETTERS = 60  # what stands beside the tables and is shorter is a title
_MAX_SPAN = 1_000
_MAX_PAGES = 200
_MAX_TABLES = 500
_RELATED = re.compile(r"^content-type:\s*multipart/related\b", re.IGNORECASE | re.MULTILINE)
_SENDER = re.compile(r"^(?:from|received|return-path):", re.IGNORECASE | re.MULTILINE)

Grid = Sequence[Sequence[str]]


def note_table(grid: Grid, options: Options) -> tuple[int, Table] | None:
    """Return the row of the header, from 1, and how to read the rows below; None for a table that lists no notes."""
    header_row, columns = find_header(enumerate(grid, start=1), options.mapping)
    if not lists_notes(columns) or len(grid) <= header_row:
        return None
    if len(columns.header) > MAX_COLUMNS:
        return None
    places = columns.of("occurred_at") + columns.of("updated_at")
    below = grid[header_row:]
    dates = reckon(below, places, options.dates)
    return header_row, Table(columns, dates.order, options, dates=dates)


def grid_records(tables: Sequence[tuple[Grid, int, Table]], rest: str, options: Options) -> Iterator[Record]:
    """Give a record for each row of the tables, counted through all of them, and the note that stands beside them."""
    offset = 0
    for grid, header_row, table in tables:
        width = len(table.columns.header)
        for number, cells in enumerate(grid[header_row:], start=offset + header_row + 1):
            if record := row_record(number, cells[:width], table):
                yield record
        offset += len(grid)
    letters = sum(character.isalpha() for character in rest)
    if 0 < letters < HEADING_LETTERS:
        message = f"stands beside the table and is too short for a note: {' '.join(rest.split())[:200]!r}"
        yield Record(offset + 1, rejected("text", "beside_table", message), skipped=True)
    elif letters:
        yield from document_records(rest, options, offset + 1)


def document_records(text: str, options: Options, start: int = 1) -> Iterator[Record]:
    """Give a document's note, or one for each account that it covers under a heading; numbers count from `start`."""
    for number, part in enumerate(split_by_account(text, options.known_account), start=start):
        item: dict[str, object] = {"text": part.text}
        if part.account:
            item["account"] = {"name": part.account}
        yield Record(number, make_note(item, options))


def found_in(tables: Sequence[tuple[Grid, int, Table]]) -> dict[str, object]:
    """Return what the preview shows of the tables of a document."""
    if not tables:
        return {}
    table = tables[0][2]
    told = {"dates": table.dates.described()} if table.dates else {}
    return {"columns": table.columns.described(), **told, "tables": len(tables)}


def is_web_archive(start: str) -> bool:
    """Tell a page that was saved with all that belongs to it (MHTML, RFC 2557), as programs name it .xls or .mht."""
    head = start.split("\n\n", 1)[0][:4_000]
    return bool(_RELATED.search(head)) and (not _SENDER.search(head) or "<Saved by" in head)


def read_mhtml(file: BinaryIO, options: Options) -> Reading:
    """Read the pages of a web archive as one page of HTML.

    Raises:
        FileRefused: If it holds none, or too much.
    """
    file.seek(0)
    raw = file.read(MAX_TEXT_BYTES + 1)
    if len(raw) > MAX_TEXT_BYTES:
        raise FileRefused("too_large", "This web archive is over 8 MB: save the table as XLSX or CSV.")
    try:
        parts = list(BytesParser(policy=compat32).parsebytes(raw).walk())
    except Exception:  # the parser is no match for every byte string
        raise FileRefused("damaged", "The web archive is damaged: save the table as XLSX or CSV.") from None
    pages = [_page(part) for part in parts[:_MAX_PAGES] if part.get_content_type() == "text/html"]
    if not pages:
        raise FileRefused("no_text", "The web archive holds no page: save the table as XLSX or CSV.")
    reading = _html_reading("\n".join(pages), "utf-8", options)
    return replace(reading, format=Format.MHTML)


def _page(part: Message) -> str:
    body = part.get_payload(decode=True)
    body = body if isinstance(body, bytes) else b""
    try:
        return body.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


def read_html(file: BinaryIO, options: Options) -> Reading:
    """Read HTML, also where a program saved it as .xls: the rows of tables that list notes, else its text."""
    return _html_reading(*whole_text(file), options)


def _html_reading(text: str, encoding: str, options: Options) -> Reading:
    tree = LexborHTMLParser("" if too_nested(text) else text)
    tables: list[tuple[Grid, int, Table]] = []
    for node in tree.css("table:not(:has(table))")[:_MAX_TABLES]:  # a table of tables is for the eye
        grid = _grid(node)
        if plan := note_table(grid, options):
            tables.append((grid, *plan))
            node.decompose()
    rest = html_text(tree.html or "", titles=True) if tables else ""
    found = {"encoding": encoding, **found_in(tables)}
    if tables:
        return Reading(Format.HTML, found, grid_records(tables, rest, options))
    return Reading(Format.HTML, found, document_records(html_text(text, titles=True), options))


def _grid(table: LexborNode) -> list[list[str]]:
    """Return the cells of a table; what reaches over several rows stands in each, blanks follow what is wide."""
    rows: list[list[str]] = []
    over: dict[int, tuple[int, str]] = {}  # of each column, how many rows more, and the text
    for row in table.css("tr"):
        cells: list[str] = []
        for cell in row.iter():
            if cell.tag not in {"td", "th"}:
                continue
            _carry(cells, over)
            text = _cell_text(cell)
            more = _span(cell, "rowspan") - 1
            if more:
                over[len(cells)] = more, text
            cells += [text, *[""] * (_span(cell, "colspan") - 1)]
            if len(cells) > MAX_COLUMNS:
                break
        _carry(cells, over)
        rows.append(cells)
    return rows


def _cell_text(cell: LexborNode) -> str:
    """Return what a cell says; most hold text alone, which need not be parsed anew."""
    words: list[str] = []
    for node in cell.iter(include_text=True):
        if node.tag != "-text":
            return html_text(cell.html or "").strip()
        words.append(node.text(deep=False) or "")
    lines = (" ".join(line.split()) for line in "".join(words).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _carry(cells: list[str], over: dict[int, tuple[int, str]]) -> None:
    """Put what reaches down from rows above where the next cells belong."""
    while len(cells) in over:
        place = len(cells)
        more, text = over[place]
        cells.append(text)
        if more > 1:
            over[place] = more - 1, text
        else:
            del over[place]


def _span(cell: LexborNode, name: str) -> int:
    value = cell.attributes.get(name) or "1"
    return min(int(value), _MAX_SPAN) if value.isascii() and value.isdigit() and int(value) > 0 else 1
