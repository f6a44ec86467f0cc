"""From a request's bytes to notes and, for each bad one, the field and the reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic import ValidationError

from service.errors import BadRequest, InvalidInput
from service.notes.schemas import MAX_BATCH, IncomingNote, NoteError
from service.problems import field_errors


@dataclass(frozen=True, slots=True)
class RejectedNote:
    """A note that can't be taken, and why."""

    external_id: str | None
    error: NoteError


def parse_body(body: bytes) -> list[IncomingNote | RejectedNote]:
    """Read one note, or `{"notes": [...]}`.

    Raises:
        BadRequest: If the body is not JSON in UTF-8.
        InvalidInput: If it is a single note that is wrong, a batch in which all are wrong, or neither form.
    """
    document = load_json(body)
    if not isinstance(document, dict):
        raise _refused("body", "type", 'send a note as a JSON object, or {"notes": [...]}')
    if "notes" not in document:
        return [_single(parse_note(document))]
    for field in document.keys() - {"notes"}:
        raise _refused(_shown(field), "extra_forbidden", 'it is not a field beside "notes": remove it')
    items = document["notes"]
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_BATCH:
        raise _refused("notes", "length", f"send a list of 1 to {MAX_BATCH} notes")
    notes = refuse_ambiguous([parse_note(item) for item in items])
    refuse_all_rejected([note.error if isinstance(note, RejectedNote) else None for note in notes])
    return notes


def refuse_all_rejected(errors: Sequence[NoteError | None]) -> None:
    """Refuse notes of which none can be taken.

    Raises:
        InvalidInput: If each has an error; of a single one it tells just that.
    """
    if not all(errors):
        return
    alone = len(errors) == 1
    faults = [error.model_dump() if alone else _at(i, error) for i, error in enumerate(errors) if error]
    which = "" if alone else "None of the notes can be taken. "
    raise InvalidInput(f"{which}{faults[0]['field']}: {faults[0]['message']}.", errors=faults)


def load_json(body: bytes) -> Any:
    """Decode strict JSON: UTF-8, with or without a byte order mark, no NaN or Infinity.

    Raises:
        BadRequest: Saying what is wrong.
    """
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8: byte {error.start} is wrong.", code="invalid_utf8") from None
    except RecursionError:
        raise BadRequest("The JSON is nested too deep.", code="invalid_json") from None
    except ValueError as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadRequest(f"The body is not valid JSON{where}.", code="invalid_json") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def parse_note(item: Any) -> IncomingNote | RejectedNote:
    """Check one note."""
    try:
        return IncomingNote.model_validate(item)
    except ValidationError as error:
        (fault, *_) = field_errors(error.errors(include_url=False, include_input=False), within="note")
        message, field = str(fault["message"]), str(fault["field"])
        if field == "note" and fault["code"] == "value_error":  # our own begin with their field
            field = message.split(" ", 1)[0]
        return RejectedNote(_external_id(item), NoteError(field=_shown(field), code=fault["code"], message=message))


def _external_id(item: Any) -> str | None:
    """Return what names the note in the answer, where it can be shown."""
    value = item.get("external_id", item.get("id")) if isinstance(item, dict) else None
    return _shown(str(value)) if isinstance(value, str | int) else None


def _shown(name: str) -> str:
    return name[:200].encode("utf-8", "replace").decode("utf-8")


def refuse_ambiguous(notes: list[IncomingNote | RejectedNote]) -> list[IncomingNote | RejectedNote]:
    """Refuse a second note with an id of the same batch, other content, and no `updated_at` to tell which is newer."""
    seen: dict[tuple[str, str | None], IncomingNote] = {}
    checked: list[IncomingNote | RejectedNote] = []
    for note in notes:
        if isinstance(note, IncomingNote):
            first = seen.setdefault((note.source, note.external_id), note)
            ordered = first.updated_at is not None and note.updated_at is not None
            if first is not note and not ordered and first.content_hash() != note.content_hash():
                message = (
                    "stands twice in this batch with other content: give updated_at, or send them one after another"
                )
                note = RejectedNote(
                    note.external_id, NoteError(field="external_id", code="duplicate_in_batch", message=message)
                )
        checked.append(note)
    return checked


def _single(note: IncomingNote | RejectedNote) -> IncomingNote:
    if isinstance(note, RejectedNote):
        fault = note.error
        raise InvalidInput(f"{fault.field}: {fault.message}.", errors=[fault.model_dump()])
    return note


def _refused(field: str, code: str, message: str) -> InvalidInput:
    return InvalidInput(f"{field}: {message}.", errors=[{"field": field, "code": code, "message": message}])


def _at(index: int, error: NoteError) -> dict[str, Any]:
    return {**error.model_dump(), "field": f"notes.{index}.{error.field}"}
