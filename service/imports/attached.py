"""Reports attached to a message: read like files, told by their content."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from service.imports.formats import open_file
from service.imports.mail import SOURCE, Attachment
from service.imports.records import FileRefused, Format, Options, Record, rejected
from service.notes.schemas import IncomingNote

_REPORTS = frozenset(
    {
        Format.CSV,
        Format.XLSX,
        Format.HTML,
        Format.DOCX,
        Format.PDF,
        Format.TEXT,
        Format.VTT,
        Format.SRT,
        Format.TRANSCRIPT,
    }
)
_NOT_A_TABLE = "no_text_column"


def attached_records(
    attachment: Attachment, about: dict[str, Any], message_id: str, options: Options, number: int
) -> Iterator[Record]:
    """Give the notes of an attached report; author and date are the message's where the report tells none."""
    inherited = {key: value for key, value in about.items() if key != "kind"}
    inner = replace(
        options,
        source=options.source or SOURCE,
        defaults={**inherited, **options.defaults},
        mapping={},
        name=attachment.name,
        format=None,
    )
    try:
        reading = open_file(io.BytesIO(attachment.content), inner)
        if reading.format not in _REPORTS:
            raise FileRefused("unknown_format", f"A file of the kind {reading.format} is not read from a message.")
        for place, record in enumerate(reading.records, start=1):
            yield replace(
                record, note=_named(record, message_id, attachment, place), number=number, member=attachment.name
            )
    except FileRefused as error:
        fault = rejected("attachment", error.code, error.detail, message_id)
        yield Record(number, fault, member=attachment.name, skipped=error.code in {_NOT_A_TABLE, "unknown_format"})


def _named(record: Record, message_id: str, attachment: Attachment, place: int) -> Any:
    """Name a report's note by its message and its own bytes where it has no id: a later mail may attach it again."""
    note = record.note
    if isinstance(note, IncomingNote) and str(note.external_id).startswith("sha256-"):
        digest = hashlib.sha256(attachment.content).hexdigest()[:16]
        return note.model_copy(update={"external_id": f"{message_id}#{digest}-{place}"})
    return note
