"""Working off a file: in batches with commits, a cursor that survives restarts, at once or as a durable job."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from service.database import read_session, write_session
from service.imports.formats import open_file
from service.imports.queries import MAX_REFUSALS_KEPT, has_account, has_author, save_batch
from service.imports.records import DateOrder, FileRefused, Options, Reading, Record
from service.jobs.queries import finish_job, report_progress, start_job
from service.notes.schemas import Result
from service.source_tables import ImportTable

BATCH_RECORDS = 500
MAX_CACHED_NAMES = 5_000
MOSTLY = 0.9  # of the rows refused, where as many are as are kept: reading on tells nobody anything

_log = structlog.get_logger()


def knowing(engine: sa.Engine, options: Options) -> Options:
    """Return options by which a reader knows the accounts and authors of the database."""
    said = options.defaults.get("author")
    author = str(said.get("name") or "") if isinstance(said, dict) else ""
    known = _lookup(engine, has_author)
    return replace(
        options,
        known_account=_lookup(engine, has_account),
        known_author=lambda name: name == author or known(name),
    )


def _lookup(engine: sa.Engine, has: Callable[[Session, str], bool]) -> Callable[[str], bool]:
    """Return a function that asks the database for a name; it remembers its answers."""
    known: dict[str, bool] = {}

    def is_known(name: str) -> bool:
        if name not in known:
            if len(known) >= MAX_CACHED_NAMES:
                known.clear()
            with read_session(engine) as session:
                known[name] = has(session, name)
        return known[name]

    return is_known


def stored_options(options: Options) -> dict[str, Any]:
    """Return what of the options decides how a file is read, as JSON."""
    return {
        "source": options.source,
        "mapping": dict(options.mapping),
        "dates": options.dates,
        "defaults": dict(options.defaults),
    }


def _options(row: ImportTable, engine: sa.Engine) -> Options:
    stored = row.options
    options = Options(
        source=stored["source"],
        mapping=stored["mapping"],
        dates=DateOrder(stored["dates"]) if stored["dates"] else None,
        defaults=stored["defaults"],
        name=row.name,
    )
    return knowing(engine, options)


@contextmanager
def opened(file: BinaryIO, options: Options) -> Iterator[Reading]:
    """Open a file and let go of it after, also where its records are not read to the end.

    Raises:
        FileRefused: If it can't be read.
    """
    reading = open_file(file, options)
    try:
        yield reading
    finally:
        if isinstance(reading.records, Generator):
            reading.records.close()


def batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    """Give records in batches, as they are stored; a file that breaks off midway gives what came before."""
    batch: list[Record] = []
    try:
        for record in records:
            batch.append(record)
            if len(batch) == BATCH_RECORDS:
                yield batch
                batch = []
    except FileRefused:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


class ImportFiles:
    """The handler of imports that run in the background."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def run(self, job_id: int) -> None:
        """Work off a file from where its cursor stands: killed and run again, every record is stored once."""
        with write_session(self._engine) as session:
            params = start_job(session, job_id, _now())
        if params is None:
            return
        import_id = int(params["import_id"])
        with read_session(self._engine) as session:
            row = session.get_one(ImportTable, import_id)
            options, done, path = _options(row, self._engine), row.records, Path(row.path or "")
        try:
            with path.open("rb") as file, opened(file, options) as reading:
                self._describe(import_id, reading)
                self._store(job_id, import_id, file, islice(reading.records, done, None))
        except FileNotFoundError:
            self._finish(
                job_id, import_id, "file_gone", "The file is not on the machine of this worker: send it again."
            )
        except FileRefused as error:
            self._finish(job_id, import_id, error.code, error.detail)
        else:
            self._finish(job_id, import_id)
        with suppress(OSError):
            path.unlink()

    def _describe(self, import_id: int, reading: Reading) -> None:
        with write_session(self._engine) as session:
            row = session.get_one(ImportTable, import_id)
            row.format, row.found = reading.format, reading.found

    def _store(self, job_id: int, import_id: int, file: BinaryIO, records: Iterator[Record]) -> None:
        for batch in batches(records):
            with write_session(self._engine) as session:
                row = session.get_one(ImportTable, import_id)
                save_batch(session, row, batch, _now())
                row.bytes_read = max(row.bytes_read, min(file.tell(), row.size))
                report_progress(session, job_id, row.bytes_read, row.size)
                refused, read = row.results[Result.REJECTED], row.records
            if refused >= MAX_REFUSALS_KEPT and refused > MOSTLY * read:
                raise FileRefused("mostly_refused", f"{refused} of the first {read} rows were refused: mend the file.")

    def _finish(self, job_id: int, import_id: int, code: str | None = None, failure: str | None = None) -> None:
        with write_session(self._engine) as session:
            row = session.get_one(ImportTable, import_id)
            row.failure, row.failure_code = failure, code
            row.bytes_read = row.bytes_read if failure else row.size
            row.path, row.finished_at = None, _now()
            report_progress(session, job_id, row.bytes_read, row.size)
            result = {"import_id": str(row.id), **row.results}
            finish_job(session, job_id, _now(), result=result, failure=failure)
        _log.info("file_imported", import_id=import_id, failure=code)


def first_records(file: BinaryIO, options: Options, count: int) -> tuple[Reading, list[Record]]:
    """Read the first records of a file.

    Raises:
        FileRefused: If it can't be read that far.
    """
    with opened(file, options) as reading:
        return replace(reading, records=iter(())), list(islice(reading.records, count))


def _now() -> datetime:
    return datetime.now(UTC)
