"""The body of an upload, spooled to the data folder as it arrives: a form with a file, or the file's bytes."""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from service.errors import BadRequest, InvalidInput, Problem
from service.imports.columns import check_mapping
from service.imports.records import DateOrder, Options
from service.notes.intake import RejectedNote, parse_note

FOLDER = "imports"
FIELDS = ("preview", "name", "source", "mapping", "dates", "defaults")
MAX_FIELD_BYTES = 256 * 1024
_CHUNK = 1024 * 1024
_STALE_SECONDS = 86_400
_DEFAULTS = frozenset({"kind", "language", "occurred_at", "author", "account", "deal"})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent: where it is spooled, and the fields beside it."""

    path: Path
    size: int
    digest: str
    name: str
    fields: Mapping[str, str]


async def uploaded(request: Request) -> AsyncIterator[Upload]:
    """Spool the body; what is spooled goes when the request ends, unless a job took it (`keep`).

    Raises:
        BadRequest: If the form is broken.
        InvalidInput: If it holds no file, or unknown fields.
    """
    folder = Path(request.app.state.settings.data_dir).resolve() / FOLDER
    await run_in_threadpool(_make_room, folder)
    path = folder / f"part-{uuid.uuid4().hex}"
    try:
        yield await _spool(request, path)
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def keep(upload: Upload) -> Path:
    """Move a spooled file to where it stays until its job is done."""
    return upload.path.rename(upload.path.with_name(upload.path.name.replace("part-", "file-")))


def _make_room(folder: Path) -> None:
    """Make the folder; take away what uploads left that the machine broke off."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("part-*"):
        with suppress(OSError):
            if left.stat().st_mtime < time.time() - _STALE_SECONDS:
                left.unlink()


async def _spool(request: Request, path: Path) -> Upload:
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        form = await _form(request)
        try:
            return await run_in_threadpool(_from_form, form, path)
        finally:
            await form.close()
    digest = hashlib.sha256()
    size = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return Upload(path, size, digest.hexdigest(), _header_name(request), {})


async def _form(request: Request) -> FormData:
    try:
        return await request.form(max_files=1, max_fields=20, max_part_size=MAX_FIELD_BYTES)
    except (Problem, ClientDisconnect):
        raise
    except HTTPException as error:
        raise BadRequest(f"The form can't be read: {error.detail}", code="invalid_form") from None
    except Exception:  # whatever broken headers make the parser raise
        raise BadRequest(
            "The form can't be read: send multipart/form-data with one file.", code="invalid_form"
        ) from None


def _from_form(form: FormData, path: Path) -> Upload:
    file: UploadFile | None = None
    fields: dict[str, str] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            file = value
        elif name in FIELDS:
            fields[name] = value
        elif name == "file":
            raise _fault("file", "is text: send it as a file, with a filename")
        else:
            raise _fault(name[:100], f"is not a field: the fields are file, {', '.join(FIELDS)}")
    if file is None:
        raise _fault("file", "is missing: send the file as the form's field `file`, or as the whole body")
    digest, size = _copy(file.file, path)
    return Upload(path, size, digest, _label(file.filename or ""), fields)


def _copy(file: BinaryIO, path: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    size = 0
    file.seek(0)
    with path.open("wb") as copy:
        while chunk := file.read(_CHUNK):
            copy.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _header_name(request: Request) -> str:
    declared = request.headers.get("content-disposition", "")
    match = re.search(r"filename\*\s*=\s*(?:[\w-]*'[\w-]*')?([^;]+)", declared, re.IGNORECASE)
    if match:
        return _label(unquote(match[1].strip(' "')))
    match = re.search(r'filename\s*=\s*"?([^";]+)', declared, re.IGNORECASE)
    return _label(match[1] if match else "")


def _label(name: str) -> str:
    """Return the last part of a file's name, fit to be shown; it is only a label."""
    last = re.split(r"[/\\]", name)[-1].strip()
    return "".join(character for character in last if character.isprintable())[:200] or "upload"


def _fault(field: str, message: str) -> InvalidInput:
    shown = field.encode("utf-8", "replace").decode("utf-8")
    return InvalidInput(f"{shown} {message}.", errors=[{"field": shown, "code": "invalid", "message": message}])


def read_options(upload: Upload, query: Mapping[str, str | None]) -> tuple[Options, bool]:
    """Return how a file is to be read, from the form's fields or the query; and whether only a preview is asked for.

    Raises:
        InvalidInput: Naming the field that is wrong.
    """
    given = {name: value for name, value in {**query, **upload.fields}.items() if value is not None and value.strip()}
    defaults = _checked_defaults(given.get("defaults"), given.get("source"))
    mapping = check_mapping(_json("mapping", given["mapping"])) if "mapping" in given else {}
    dates = given.get("dates")
    if dates is not None and dates not in list(DateOrder):
        raise _fault("dates", f"is {' or '.join(DateOrder)}")
    preview = given.get("preview", "false").strip().lower()
    if preview not in {"true", "false", "1", "0"}:
        raise _fault("preview", "is true or false")
    name = _label(given["name"]) if "name" in given else upload.name
    source = given["source"].strip() if "source" in given else None
    order = DateOrder(dates) if dates else None
    return Options(source, mapping, order, defaults, name), preview in {"true", "1"}


def _json(field: str, value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise _fault(field, "is not JSON") from None


def _checked_defaults(value: str | None, source: str | None) -> dict[str, Any]:
    """Check the defaults, and the source, as a note would have them."""
    defaults = _json("defaults", value) if value else {}
    if not isinstance(defaults, dict):
        raise _fault("defaults", 'is a JSON object, such as {"account": {"name": "Harrow Foods"}}')
    if unknown := sorted(set(defaults) - _DEFAULTS):
        raise _fault(f"defaults.{unknown[0][:60]}", f"is not a field: the fields are {', '.join(sorted(_DEFAULTS))}")
    checked = parse_note({"text": "x", **defaults, **({"source": source} if source else {})})
    if isinstance(checked, RejectedNote):
        prefix = "" if checked.error.field == "source" else "defaults."
        raise _fault(prefix + checked.error.field, checked.error.message)
    return defaults
