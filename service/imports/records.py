"""What every reader of a file gives: records, each a note or the reason why it is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, BinaryIO

from service.errors import InvalidInput
from service.notes.intake import RejectedNote, parse_note
from service.notes.schemas import IncomingNote, NoteError

MIB = 1024 * 1024
MAX_FILE_BYTES = 2048 * MIB


class Format(StrEnum):
    """How a file is written; told by its content."""

    CSV = "csv"
    XLSX = "xlsx"
    SPREADSHEETML = "spreadsheetml"
    ODS = "ods"
    JSONL = "jsonl"
    JSON = "json"
    HTML = "html"
    MHTML = "mhtml"
    DOCX = "docx"
    PDF = "pdf"
    EML = "eml"
    MBOX = "mbox"
    VTT = "vtt"
    SRT = "srt"
    TRANSCRIPT = "transcript"
    TEXT = "text"
    ZIP = "zip"


class DateOrder(StrEnum):
    """How `03/02/2026` is meant."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


class FileRefused(InvalidInput):
    """A file that can't be read at all; the message says why and what to do.

    Attributes:
        columns: Of a table whose columns have to be named first: `column` and `field` of each.
    """

    def __init__(self, code: str, detail: str, columns: Sequence[dict[str, str | None]] = ()) -> None:
        super().__init__(detail, code=code, errors=[{"field": "file", "code": code, "message": detail}])
        self.columns = list(columns)


@dataclass(frozen=True, slots=True)
class Options:
    """How the sender wants a file read.

    Attributes:
        source: Source of notes that name none; None for the format's own (`import`, `mail`).
        mapping: Column name to field, or to None for a column to leave out; overrides what the names tell.
        dates: The order of day and month, where the sender says it.
        defaults: Fields of the note format for notes that lack them, such as `{"account": {"name": "Harrow Foods"}}`.
        name: Label of the file.
        format: Where the sender insists on one.
        known_account: Tells whether a name is that of an account; for reports that cover several.
        known_author: Tells whether a name is that of somebody who writes notes; for transcripts.
    """

    source: str | None = None
    mapping: Mapping[str, str | None] = field(default_factory=dict)
    dates: DateOrder | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    format: Format | None = None
    known_account: Callable[[str], bool] = lambda _name: False
    known_author: Callable[[str], bool] = lambda _name: False


@dataclass(frozen=True, slots=True)
class Record:
    """A row, line, message or document of a file.

    Attributes:
        number: Its line or row as an editor or a spreadsheet counts, or its place among the messages; from 1.
        note: The note, or why there is none.
        cells: The cells of a row, to be mended; a date that another file would read otherwise is written out; empty for
            what is no row.
        columns: The names of their columns.
        member: The file within an archive.
        skipped: It is left out by rule (an automatic reply), which is no fault.
        warnings: What of it was left out though it became a note.
    """

    number: int
    note: IncomingNote | RejectedNote
    cells: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    member: str = ""
    skipped: bool = False
    warnings: tuple[NoteError, ...] = ()


@dataclass(slots=True)
class Reading:
    """A file being read.

    Attributes:
        format: What it is.
        found: What was found out about it: encoding, separator, columns; for the preview.
        records: Its records, read as they are asked for; may raise `FileRefused` midway.
    """

    format: Format
    found: dict[str, Any]
    records: Iterator[Record]


NUL_REMOVED = NoteError(field="line", code="nul_removed", message="held U+0000, which is removed")
Reader = Callable[[BinaryIO, Options], Reading]


def rejected(field_name: str, code: str, message: str, external_id: str | None = None) -> RejectedNote:
    """Return the reason why something is no note."""
    return RejectedNote(external_id, NoteError(field=field_name, code=code, message=message))


def make_note(item: dict[str, Any], options: Options, source: str = "import") -> IncomingNote | RejectedNote:
    """Check a note, with the sender's defaults for what it lacks."""
    return parse_note({"source": options.source or source, **options.defaults, **item})
