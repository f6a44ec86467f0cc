"""Taking in a file: small ones at once, in one transaction; larger ones by a durable job."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.database import read_session, write_session
from service.imports.queries import ImportRow, find_duplicate, get_import, no_results, save_batch
from service.imports.records import Options, Record
from service.imports.running import BATCH_RECORDS, first_records, knowing, stored_options
from service.imports.schemas import ImportPreview, preview_of
from service.imports.uploads import Upload, keep
from service.jobs.queries import JobKind, add_job
from service.source_tables import ImportTable

INLINE_BYTES = 256 * 1024
INLINE_RECORDS = 1_000
PREVIEW_RECORDS = 20


def preview_file(engine: sa.Engine, upload: Upload, options: Options) -> ImportPreview:
    """Say how a file would be read.

    Raises:
        FileRefused: If it can't be read.
    """
    with upload.path.open("rb") as file:
        reading, records = first_records(file, knowing(engine, options), PREVIEW_RECORDS)
    return preview_of(reading, records)


def import_upload(
    engine: sa.Engine, upload: Upload, options: Options, *, by: str, now: datetime
) -> tuple[ImportRow, bool]:
    """Take in a file.

    Returns:
        The import, and whether the same file came before.

    Raises:
        FileRefused: If the file is small and can't be read; a large one tells in its import.
    """
    fingerprint = _fingerprint(upload, options)
    with read_session(engine) as session:
        before = find_duplicate(session, fingerprint)
    if before:
        return before, True
    with upload.path.open("rb") as file:
        small = upload.size <= INLINE_BYTES
        # a large file is opened too, so that one of a wrong kind is refused in the answer
        reading, records = first_records(file, knowing(engine, options), INLINE_RECORDS + 1 if small else 1)
    row = ImportTable(
        name=options.name,
        fingerprint=fingerprint,
        size=upload.size,
        options=stored_options(options),
        found=reading.found,
        format=reading.format,
        results=no_results(),
        records=0,
        bytes_read=0,
        requested_by=by,
        created_at=now,
    )
    with write_session(engine) as session:
        session.add(row)
        session.flush()
        if small and len(records) <= INLINE_RECORDS:
            _store_at_once(session, row, records, now)
        else:
            row.path = str(keep(upload))
            row.job_id = add_job(session, JobKind.IMPORT_FILE, by=by, now=now, params={"import_id": row.id}).id
        import_id = row.id
    with read_session(engine) as session:
        stored = get_import(session, import_id)
        assert stored is not None, "it was committed just now"
        return stored, False


def _store_at_once(session: Session, row: ImportTable, records: list[Record], now: datetime) -> None:
    for begin in range(0, len(records), BATCH_RECORDS):
        save_batch(session, row, records[begin : begin + BATCH_RECORDS], now)
    row.bytes_read, row.finished_at = row.size, now


def _fingerprint(upload: Upload, options: Options) -> str:
    how = json.dumps(stored_options(options), sort_keys=True)
    return hashlib.sha256(f"{upload.digest} {how}".encode()).hexdigest()
