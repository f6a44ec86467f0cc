"""What a file is, told by its content; its name and declared type are not believed."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, BinaryIO, cast

from service.imports.archive import read_zip
from service.imports.columns import plain_name
from service.imports.decoding import find_encoding
from service.imports.delimited import find_separator, read_csv
from service.imports.documents import read_docx, read_pdf, read_text
from service.imports.grids import is_web_archive, read_html, read_mhtml
from service.imports.json_notes import read_json, read_json_lines
from service.imports.mail import read_eml, read_mbox
from service.imports.packages import chunks, open_zip, unpack_gzip
from service.imports.records import FileRefused, Format, Options, Reader, Reading, Record
from service.imports.sheets import read_ods, read_spreadsheetml
from service.imports.transcripts import TIMING, is_plain_transcript, read_srt, read_transcript, read_vtt


def _read_workbook(file: BinaryIO, options: Options) -> Reading:
    from service.imports.workbook import read_workbook  # here: its library is loaded where there is a workbook

    return read_workbook(file, options)


READERS: dict[Format, Reader] = {
    Format.CSV: read_csv,
    Format.XLSX: _read_workbook,
    Format.SPREADSHEETML: read_spreadsheetml,
    Format.ODS: read_ods,
    Format.JSONL: read_json_lines,
    Format.JSON: read_json,
    Format.HTML: read_html,
    Format.MHTML: read_mhtml,
    Format.DOCX: read_docx,
    Format.PDF: read_pdf,
    Format.EML: read_eml,
    Format.MBOX: read_mbox,
    Format.VTT: read_vtt,
    Format.SRT: read_srt,
    Format.TRANSCRIPT: read_transcript,
    Format.TEXT: read_text,
    Format.ZIP: read_zip,
}

_HEAD = 256 * 1024
_TAKEN = "CSV, XLSX, ODS, HTML, JSON Lines, DOCX, PDF, EML, MBOX, VTT, SRT, TXT, Markdown, or a ZIP of these"
_OLD_EXCEL = (b"\x09\x08\x10\x00", b"\x09\x08\x08\x00", b"\x09\x04\x06\x00", b"\x09\x02\x06\x00")  # without OLE
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    *((start, "an Excel file of the old kind (.xls)", "XLSX") for start in _OLD_EXCEL),
    (b"{\\rtf", "RTF", "DOCX or TXT"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "ZIP"),
    (b"Rar!", "a RAR archive", "ZIP"),
    (b"\x89PNG", "a picture", "a file with text"),
    (b"\xff\xd8\xff", "a picture", "a file with text"),
    (b"GIF8", "a picture", "a file with text"),
    (b"ID3", "a sound file", "its transcript as VTT, SRT or TXT"),
    (b"RIFF", "a sound or picture file", "its transcript as VTT, SRT or TXT"),
    (b"MZ", "a program", "a file with text"),
    (b"\x7fELF", "a program", "a file with text"),
    (b"SQLite format 3", "a database", "CSV"),
)
_GZIP = b"\x1f\x8b"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STREAMS = (
    ("EncryptedPackage", "an Office file with a password", "a file without password"),
    ("WordDocument", "a Word file of the old kind (.doc)", "DOCX"),
    ("Workbook", "an Excel file of the old kind (.xls)", "XLSX"),
    ("PowerPoint Document", "a PowerPoint file of the old kind (.ppt)", "PDF"),
    ("__substg1.0_", "an Outlook message (.msg)", "EML"),
)
_SPREADSHEETML = re.compile(
    r"<\?xml[^<>]*>\s*(?:<[?!][^<>]*>\s*)*<(?:\w+:)?Workbook\b[^<>]*urn:schemas-microsoft-com", re.S
)
_HEADER_LINE = re.compile(r"^([!-9;-~]{1,60}):(?:[ \t]|$)")
_MAIL_HEADERS = frozenset(
    {"from", "to", "cc", "date", "subject", "message-id", "received", "mime-version", "return-path", "delivered-to"}
    | {
        "content-type",
        "reply-to",
        "sender",
        "x-mailer",
        "dkim-signature",
        "in-reply-to",
        "references",
        "auto-submitted",
    }
)
_MBOX_START = re.compile(r"From \S+.*\d{4}\s*\n[!-9;-~]{1,60}:")
_JSON_START = re.compile(r"\{\s*(?:[\"}]|$)|\[\s*(?:[\[{\]]|$)")  # "[00:01] Ann: Hello" is no list
_HTML_START = re.compile(
    r"(?:<\?xml[^<>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|meta|style)\b", re.I | re.S
)
_NUMBERED_TIMING = re.compile(rf"\s*(?:\d{{1,9}}\s*\n)?\s*{TIMING.pattern.removeprefix('^')}")


def open_file(file: BinaryIO, options: Options) -> Reading:
    """Find out what a file is, and read it.

    Raises:
        FileRefused: Saying what it is and what to do.
    """
    if _starts(file, _GZIP):
        return _unpacked(file, options)
    form = options.format or detect(file, options)
    return READERS[form](file, options)


def _unpacked(file: BinaryIO, options: Options) -> Reading:
    """Read what a gzip file holds; the copy is gone when its records are let go of."""
    with ExitStack() as stack:
        copy = cast(BinaryIO, stack.enter_context(tempfile.TemporaryFile()))
        unpack_gzip(file, copy)
        if _starts(copy, _GZIP):
            raise FileRefused("nested_archive", "This is an archive within an archive: unpack it.")
        reading = open_file(copy, options)
        records = _held(stack.pop_all(), reading.records)
    next(records)  # begun, so that it lets go of the copy whenever it ends
    return replace(reading, records=records)


def _held(stack: ExitStack, records: Iterator[Record]) -> Iterator[Any]:
    with stack:
        yield None
        yield from records


def _starts(file: BinaryIO, mark: bytes) -> bool:
    file.seek(0)
    start = file.read(len(mark))
    file.seek(0)
    return start == mark


def _old_office(head: bytes) -> tuple[str, str]:
    """Return what an OLE file is, by the names of its streams, and what to save it as."""
    for name, what, instead in _STREAMS:
        if name.encode("utf-16-le") in head:
            return what, instead
    return "an old Office file, an Outlook message or an Office file with a password", "XLSX, DOCX or EML"


def detect(file: BinaryIO, options: Options) -> Format:
    """Tell a file's format by its content.

    Raises:
        FileRefused: If it is empty, or of no format that is taken.
    """
    file.seek(0)
    head = file.read(_HEAD)
    file.seek(0)
    if not head.strip(b"\x00 \t\r\n"):
        raise FileRefused("empty", "The file is empty.")
    if head.startswith(_OLE):
        what, instead = _old_office(head)
        raise FileRefused("unknown_format", f"This is {what}, which is not taken: save it as {instead}.")
    for start, what, instead in _FOREIGN:
        if head.startswith(start):
            raise FileRefused("unknown_format", f"This is {what}, which is not taken: save it as {instead}.")
    if b"%PDF-" in head[:1024]:
        return Format.PDF
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _packed(file)
    encoding = find_encoding(file)
    text = head.decode(encoding.name, "replace").removeprefix("\ufeff")
    if _is_binary(text):
        raise FileRefused("unknown_format", f"The file is of no format that is taken: send {_TAKEN}.")
    return _textual(text.replace("\r\n", "\n").replace("\r", "\n"), text, options, whole=len(head) < _HEAD)


def _packed(file: BinaryIO) -> Format:
    package = open_zip(file)
    names = {name.lower() for name in package.namelist()}
    if "xl/workbook.xml" in names:
        return Format.XLSX
    if "word/document.xml" in names:
        return Format.DOCX
    declared = next((one for one in package.infolist() if one.filename == "mimetype"), None)
    if "content.xml" in names and declared and b"spreadsheet" in next(chunks(package, declared), b""):
        return Format.ODS
    others = {"xl/workbook.bin": "XLSX", "ppt/presentation.xml": "PDF", "content.xml": "XLSX or DOCX"}
    for name, instead in others.items():
        if name in names and (name != "content.xml" or "mimetype" in names):
            raise FileRefused("unknown_format", f"This kind of Office file is not taken: save it as {instead}.")
    return Format.ZIP


def _is_binary(text: str) -> bool:
    """Tell what is no text: many control characters; a few are a fault of the row that has them."""
    sample = text[:20_000]
    odd = sum((c < " " and c not in "\t\n\r\f\x1a\x1b") or c == "\ufffd" for c in sample)
    return odd > max(8, 0.02 * len(sample))


_MARKED: tuple[tuple[Format, Callable[[str], object]], ...] = (
    (Format.VTT, re.compile(r"WEBVTT(?:[ \t\n]|$)").match),
    (Format.SRT, _NUMBERED_TIMING.match),
    (Format.MBOX, _MBOX_START.match),
    (Format.MHTML, is_web_archive),
    (Format.EML, lambda start: _is_mail(start)),
    (Format.HTML, _HTML_START.match),
    (Format.SPREADSHEETML, _SPREADSHEETML.match),
)
"""How the formats begin that say what they are; the first that fits counts."""


def _textual(text: str, original: str, options: Options, *, whole: bool) -> Format:
    start = text.lstrip()
    if _JSON_START.match(start):
        return _json_form(start)
    for form, begins in _MARKED:
        if begins(start):
            return form
    if start.startswith("<?xml"):
        raise FileRefused("unknown_format", f"XML is not taken as a file: send {_TAKEN}.")
    if find_separator(original, options) or _is_one_column(text, options):
        return Format.CSV
    return Format.TRANSCRIPT if is_plain_transcript(text if whole else text.rpartition("\n")[0]) else Format.TEXT


def _is_one_column(text: str, options: Options) -> bool:
    """Tell a table of one column, which looks like text: only here does the name decide."""
    first = plain_name(text.split("\n", 1)[0].strip('"'))
    return options.name.lower().endswith((".csv", ".tsv")) or (first == "text" and "\n" in text.strip())


def _is_mail(start: str) -> bool:
    names: list[str] = []
    for line in start.split("\n")[:100]:
        if line[:1] in {" ", "\t"} and names:
            continue
        match = _HEADER_LINE.match(line)
        if match is None:
            break
        names.append(match[1].lower())
    known = _MAIL_HEADERS.intersection(names)
    # a note may start with "Date:" and "Subject:" lines; a message says from whom, and how it came or is written
    machine = known - {"from", "to", "cc", "date", "subject"}
    return len(known) >= 2 and ("from" in known or "received" in known) and (bool(machine) or len(known) >= 3)


def _json_form(start: str) -> Format:
    """Tell JSON Lines from one document: the first line is a whole object, or none that goes on."""
    if start[0] == "[":
        return Format.JSON
    first, _, rest = start.partition("\n")
    if not rest.strip():
        return Format.JSON
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return Format.JSON if first.strip() in {"{", "["} or not rest.lstrip().startswith("{") else Format.JSONL
    return Format.JSONL
