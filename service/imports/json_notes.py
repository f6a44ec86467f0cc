"""JSON Lines and JSON in the annotation guide's note format, or with names of their own, as tables have them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from service.errors import BadRequest
from service.imports.columns import map_columns
from service.imports.decoding import find_encoding, text_of
from service.imports.objects import cell, flatten
from service.imports.records import (
    MIB,
    NUL_REMOVED,
    DateOrder,
    FileRefused,
    Format,
    Options,
    Reading,
    Record,
    make_note,
    rejected,
)
from service.imports.tables import MAX_COLUMNS, Table, row_record
from service.notes.intake import RejectedNote, load_json

MAX_LINE_BYTES = 8 * MIB
MAX_JSON_BYTES = 32 * MIB
_DEPTH = 3  # a note is not nested deeper
_NAMED_OTHERWISE = frozenset(  # what is wrong with an object that has names, dates or amounts of its own
    {"extra_forbidden", "missing", "model_type", "float_type", "timezone_aware", "datetime_from_date_parsing"}
)
_UTF16 = ("utf-16", "utf-16-le", "utf-16-be", "utf-32")


def read_json_lines(file: BinaryIO, options: Options) -> Reading:
    """Read JSON Lines: a note on each line."""
    encoding = find_encoding(file)
    file.seek(0)
    if encoding.name in _UTF16:
        return Reading(Format.JSONL, {"encoding": encoding.name}, _decoded_lines(file, options))
    return Reading(Format.JSONL, {"encoding": "utf-8"}, _lines(file, options))


def _decoded_lines(file: BinaryIO, options: Options) -> Iterator[Record]:
    with text_of(file, find_encoding(file)) as text:
        number = 0
        while line := text.readline(MAX_LINE_BYTES):
            number += 1
            yield from _line(number, line.encode("utf-8", "replace"), options)


def _lines(file: BinaryIO, options: Options) -> Iterator[Record]:
    number = 0
    file.seek(0)
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) <= MAX_LINE_BYTES:
            yield from _line(number, line, options)
            continue
        yield Record(number, rejected("line", "too_large", f"is over {MAX_LINE_BYTES // MIB} MB: split the note"))
        while line and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE_BYTES + 1)


def _line(number: int, line: bytes, options: Options) -> Iterator[Record]:
    line = line.removeprefix(b"\xef\xbb\xbf")
    if not line.strip(b"\x00 \t\r\n"):
        return
    bare = line.replace(b"\x00", b"")
    try:
        item = load_json(bare)
    except BadRequest as error:
        yield Record(number, rejected("line", error.code, error.detail.replace("The body", "the line")))
        return
    cleaned = _without_nul(item)
    removed = len(bare) < len(line) or cleaned != item
    record = item_record(number, cleaned, options)
    yield replace(record, warnings=(NUL_REMOVED, *record.warnings)) if removed else record


def _without_nul(value: Any, depth: int = 0) -> Any:
    """Return a note without U+0000 in its fields, which no database takes."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict) and depth < _DEPTH:
        return {key: _without_nul(inner, depth + 1) for key, inner in value.items()}
    return value


def item_record(number: int, item: Any, options: Options) -> Record:
    """Read a note of a JSON document; one that is not in the note format, by its names, as a row of a table is read."""
    if not isinstance(item, dict):
        return Record(number, rejected("note", "model_type", "is no JSON object"))
    note = make_note(item, options)
    if not isinstance(note, RejectedNote) or note.error.code not in _NAMED_OTHERWISE:
        return Record(number, note)
    flat = flatten(item)
    columns = map_columns(list(flat)[: MAX_COLUMNS + 1], options.mapping)
    if not columns.usable or len(flat) > MAX_COLUMNS:
        return Record(number, note)
    table = Table(columns, options.dates or DateOrder.DAY_FIRST, options)
    return row_record(number, [cell(value) for value in flat.values()], table) or Record(number, note)


def read_json(file: BinaryIO, options: Options) -> Reading:
    """Read a JSON document: a note, a list of notes, or `{"notes": [...]}`; its records are counted from 1.

    Raises:
        FileRefused: If it is no JSON, or over 32 MB, which JSON Lines may be.
    """
    encoding = find_encoding(file)
    body = file.read(MAX_JSON_BYTES + 1)
    if len(body) > MAX_JSON_BYTES:
        raise FileRefused(
            "too_large", "A JSON document over 32 MB is not read: send JSON Lines, one note on each line."
        )
    if encoding.name in _UTF16:
        body = body.decode(encoding.name, "replace").removeprefix("\ufeff").encode("utf-8", "replace")
    try:
        document = load_json(body.removeprefix(b"\xef\xbb\xbf"))
    except BadRequest as error:
        raise FileRefused(error.code, error.detail.replace("The body", "The file")) from None
    items = document.get("notes", document) if isinstance(document, dict) else document
    items = items if isinstance(items, list) else [items]
    records = (item_record(number, _without_nul(item), options) for number, item in enumerate(items, start=1))
    return Reading(Format.JSON, {"encoding": encoding.name.removesuffix("-sig")}, records)
