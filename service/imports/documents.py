"""Texts and reports: TXT and Markdown, DOCX, PDF. One note a file, or one an account where a report covers several."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element  # its type alone: what is parsed goes through defusedxml

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from service.imports.decoding import whole_text
from service.imports.grids import Grid, document_records, found_in, grid_records, note_table
from service.imports.packages import check_package, open_zip
from service.imports.records import FileRefused, Format, Options, Reading
from service.imports.tables import Table
from service.imports.transcripts import is_plain_transcript, plain_turns, transcript_reading

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT_WORD = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"
# what a document says a second time: text where it was moved from, a text box for old programs
_LEFT_OUT = frozenset({"moveFrom", "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"})
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_TITLE = re.compile(r"heading|title|titre|überschrift", re.IGNORECASE)  # names of styles
_MAX_TEXT_CHARS = 4_000_000
_PDF_SECONDS = 60
_DAMAGED = "The document is damaged: open it in a word processor and save it again as DOCX."


def read_text(file: BinaryIO, options: Options) -> Reading:
    """Read plain text, Markdown or HTML."""
    text, encoding = whole_text(file)
    return Reading(Format.TEXT, {"encoding": encoding}, document_records(text, options))


def read_docx(file: BinaryIO, options: Options) -> Reading:
    """Read a Word document: its paragraphs and tables in order; nothing outside the document is fetched.

    Raises:
        FileRefused: If it is damaged, unsafe, or holds no text.
    """
    document = _docx(file)
    if not any(line.strip() for line in document.lines):
        raise FileRefused("no_text", "The document holds no text: pictures are not read.")
    tables: list[tuple[Grid, int, Table]] = []
    for begin, end, grid in reversed(document.tables):
        if plan := note_table(grid, options):
            tables.insert(0, (grid, *plan))
            del document.lines[begin:end]
    return _document_reading(Format.DOCX, tables, "\n".join(document.lines).strip("\n"), options)


def read_pdf(file: BinaryIO, options: Options) -> Reading:
    """Read a PDF's text layer, and the tables in it that list notes.

    Raises:
        FileRefused: If it is encrypted, a scan without text, damaged, or costs too much to read.
    """
    read = _pdf(file, options)
    tables, rest = [], [read["text"]]
    for grid in read["tables"]:
        if plan := note_table(grid, options):
            tables.append((grid, *plan))
        else:
            rest += ["\t".join(row) for row in grid]
    return _document_reading(Format.PDF, tables, "\n".join(rest).strip("\n"), options)


def _document_reading(form: Format, tables: Sequence[tuple[Grid, int, Table]], text: str, options: Options) -> Reading:
    """Read what a document says: its tables row by row; without one a transcript by its turns, else as it stands."""
    if tables:
        return Reading(form, found_in(tables), grid_records(tables, text, options))
    if is_plain_transcript(text):
        return transcript_reading(form, plain_turns(text), {}, options)
    return Reading(form, {}, document_records(text, options))


def docx_text(file: BinaryIO) -> str:
    """Return a Word document's text: a line for each paragraph, cells of a table's row parted by tabs.

    Raises:
        FileRefused: If it is damaged or unsafe.
    """
    return "\n".join(_docx(file).lines).strip("\n")


def _docx(file: BinaryIO) -> _DocumentLines:
    """Return the lines and tables of a Word document.

    Raises:
        FileRefused: If it is damaged or unsafe.
    """
    check_package(file)
    package = open_zip(file)
    try:
        with package.open("word/document.xml") as part:
            return _docx_lines(part)
    except DefusedXmlException:
        raise FileRefused("xml_dtd", "The document holds XML with a DTD: save it again in a word processor.") from None
    except (ParseError, KeyError, ValueError, OSError, LookupError):
        raise FileRefused("damaged", _DAMAGED) from None


class _DocumentLines:
    """The lines of a Word document, made as its elements end, so that it is never held whole."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.size = 0
        self._paragraphs: list[list[str]] = []  # the words of each open one: a text box stands within another
        self._left_out = 0
        self._titled = False
        self._rows: list[list[str]] = []  # of each table's row that is open, the finished cells
        self._starts: list[int] = []  # where the lines of the open cells start
        self.tables: list[
            tuple[int, int, list[list[str]]]
        ] = []  # of each outer one its first line, the next, its cells
        self._table_starts: list[int] = []
        self._grid: list[list[str]] = []

    def start(self, tag: str) -> None:
        """Open a paragraph, a row or a cell of a table."""
        self._left_out += tag in _LEFT_OUT
        if tag == "p":
            self._paragraphs.append([])
        elif tag == "tbl":
            self._table_starts.append(len(self.lines))
        elif tag == "tr":
            self._rows.append([])
        elif tag == "tc":
            self._starts.append(len(self.lines))

    def end(self, tag: str, element: Element) -> None:
        """Take up what an element held."""
        self._left_out -= tag in _LEFT_OUT
        self._titled |= tag == "pStyle" and bool(_TITLE.match(next(iter(element.attrib.values()), "")))
        if tag == "t":
            self._say(element.text or "")
        elif tag in _BREAKS and not (tag == "tab" and element.attrib):  # a tab with attributes is a tab stop
            self._say(_BREAKS[tag])
        elif tag == "p" and self._paragraphs:
            self._end_paragraph()
        elif tag == "tc" and self._starts and self._rows:
            begin = self._starts.pop()
            self._rows[-1].append(" ".join(line.strip() for line in self.lines[begin:] if line.strip()))
            del self.lines[begin:]
        elif tag == "tr" and self._rows:
            cells = self._rows.pop()
            self.lines.append("\t".join(cells))
            if len(self._table_starts) == 1 and not self._rows:
                self._grid.append(cells)
        elif tag == "tbl" and self._table_starts:
            begin = self._table_starts.pop()
            if not self._table_starts:
                self.tables.append((begin, len(self.lines), self._grid))
                self._grid = []

    def _end_paragraph(self) -> None:
        words = self._paragraphs.pop()
        if not self._left_out:
            # a title stands apart, as on paper: what is under it is told from what was before
            self.lines += [""] * (self._titled and bool(self.lines)) + ["".join(words)]
        self._titled = False

    def _say(self, words: str) -> None:
        if self._paragraphs and not self._left_out:
            self._paragraphs[-1].append(words)
            self.size += len(words)


def _docx_lines(part: Any) -> _DocumentLines:
    document = _DocumentLines()
    for event, element in iterparse(part, events=("start", "end"), forbid_dtd=True):
        tag = element.tag.replace(_STRICT_WORD, _WORD).removeprefix(_WORD)
        if event == "start":
            document.start(tag)
            continue
        document.end(tag, element)
        element.clear()
        if document.size > _MAX_TEXT_CHARS:
            raise FileRefused("too_large", "The document holds over 4 million letters: split it.")
    return document


def _pdf(file: BinaryIO, options: Options) -> dict[str, Any]:
    """Return a PDF's text and tables, read in a process of its own with bounded time and memory.

    Raises:
        FileRefused: If it has none, is encrypted or damaged, or costs too much.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "document.pdf"
        file.seek(0)
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        command = [sys.executable, "-m", "service.imports.pdf", str(path)]
        named = json.dumps(dict(options.mapping)).encode()
        try:
            done = subprocess.run(command, input=named, capture_output=True, timeout=_PDF_SECONDS, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            done = None
    if done is None or done.returncode:
        raise FileRefused(
            "too_costly", "The PDF can't be read within a minute and a gigabyte: print it anew as PDF, or split it."
        )
    answer: dict[str, Any] = json.loads(done.stdout)
    if "code" in answer:
        raise FileRefused(answer["code"], answer["detail"])
    return answer
