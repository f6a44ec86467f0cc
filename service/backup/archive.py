"""The file of a back-up: a ZIP with `manifest.json` and, for each table, its rows as JSON lines.

A row is a list in the order of the manifest's columns. What JSON has no word for stands in an object of one key:
`{"time": …}` and `{"date": …}` in ISO 8601 (times in UTC), `{"bytes": …}` in base64, `{"json": …}` with a document as
its text.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, Field, ValidationError

from service.errors import BinomeError

FORMAT = 1
MANIFEST = "manifest.json"
NOT_KEPT = frozenset({"alembic_version", "counts", "day_versions", "sessions", "sign_in_failures", "workers"})
"""Tables that mean nothing elsewhere: triggers write the versions of days anew, browsers sign in anew."""


class TableEntry(BaseModel):
    """One table of an archive.

    Attributes:
        rows: How many there are.
        columns: Their names, in the order of the rows' values.
        sha256: Of the JSON lines.
        last_id: The highest id that was ever given; null where ids are not counted.
    """

    rows: int = Field(ge=0)
    columns: list[str]
    sha256: str
    last_id: int | None = None


class Manifest(BaseModel):
    """What an archive holds."""

    format: int
    version: str
    revision: str
    created_at: datetime
    tables: dict[str, TableEntry]


def encode_row(values: Iterable[Any], are_documents: Iterable[bool]) -> str:
    """Return a row as a JSON line; `are_documents` marks the columns whose values are JSON texts."""
    return json.dumps([_encode(v, d) for v, d in zip(values, are_documents, strict=True)], ensure_ascii=False)


def _encode(value: Any, is_document: bool) -> Any:
    if is_document and value is not None:
        return {"json": value}
    if isinstance(value, datetime):
        return {"time": (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return {"bytes": base64.b64encode(value).decode()} if isinstance(value, bytes | memoryview) else value


def decode_row(line: bytes) -> list[Any]:
    """Return the values of a JSON line; documents as Python has them, an empty one (`null`) as `sa.JSON.NULL`."""
    return [_decode(value) for value in json.loads(line)]


def _decode(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "json":
        document = json.loads(content)
        return sa.JSON.NULL if document is None else document
    if kind == "bytes":
        return base64.b64decode(content)
    return datetime.fromisoformat(content) if kind == "time" else date.fromisoformat(content)


def read_manifest(archive: zipfile.ZipFile) -> Manifest:
    """Read what an archive holds.

    Raises:
        BinomeError: If it is no back-up, or of a format that this version doesn't know.
    """
    try:
        manifest = Manifest.model_validate_json(archive.read(MANIFEST))
    except (KeyError, ValidationError):
        raise BinomeError("The file is no back-up of Binôme: it has no readable manifest.") from None
    if manifest.format != FORMAT:
        raise BinomeError(f"The back-up has format {manifest.format}: restore it with Binôme {manifest.version}.")
    return manifest


def open_archive(path: Path) -> zipfile.ZipFile:
    """Open a back-up for reading.

    Raises:
        BinomeError: If there is no such file, or it is no ZIP.
    """
    try:
        return zipfile.ZipFile(path)
    except OSError as error:
        raise BinomeError(f"The back-up {path} can't be read: {error.strerror}.") from None
    except zipfile.BadZipFile:
        raise BinomeError(f"The file {path} is no back-up of Binôme, or it was cut off.") from None


def lines_of(archive: zipfile.ZipFile, name: str, entry: TableEntry) -> Iterator[bytes]:
    """Yield the lines of a table.

    Raises:
        BinomeError: After the last, if they are not those that were written.
    """
    digest, rows = hashlib.sha256(), 0
    try:
        with archive.open(member(name)) as file:
            for line in file:
                digest.update(line)
                rows += 1
                yield line
    except (KeyError, zipfile.BadZipFile, EOFError):
        raise _damaged(name) from None
    if digest.hexdigest() != entry.sha256 or rows != entry.rows:
        raise _damaged(name)


def member(table: str) -> str:
    """Return the name of a table's file within the archive."""
    return f"tables/{table}.jsonl"


def _damaged(table: str) -> BinomeError:
    return BinomeError(f"The back-up is damaged: table {table} differs from its manifest. Nothing was restored.")
