"""Writing a back-up while the service runs: one snapshot of all tables, none of the job engine's."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from service import __version__
from service.backup.archive import FORMAT, MANIFEST, NOT_KEPT, Manifest, TableEntry, encode_row, member
from service.database import current_revision
from service.errors import BinomeError
from service.schema import METADATA

_ROWS_AT_ONCE = 1000


def write_backup(engine: sa.Engine, path: Path, now: datetime) -> Manifest:
    """Write all rows as they stand at one moment into a new file that only its owner can read.

    Raises:
        BinomeError: If the file exists, or can't be written.
    """
    revision = current_revision(engine)
    assert revision is not None, "the database was migrated"
    unfinished = path.with_name(f".{path.name}.part")
    try:
        if path.exists():
            raise BinomeError(f"{path} exists already: name another file.")
        unfinished.unlink(missing_ok=True)
        handle = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w+b") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            with _snapshot(engine) as connection:
                entries = {t.name: _write_table(connection, archive, t) for t in kept_tables(connection)}
            manifest = Manifest(format=FORMAT, version=__version__, revision=revision, created_at=now, tables=entries)
            archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
        unfinished.rename(path)
    except OSError as error:
        raise BinomeError(f"The back-up can't be written to {path}: {error.strerror}.") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return manifest


@contextmanager
def _snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction in which all tables are seen as at one moment."""
    sqlite = engine.dialect.name == "sqlite"
    options: dict[str, Any] = {"read_only": True} if sqlite else {"isolation_level": "REPEATABLE READ"}
    with engine.execution_options(**options).connect() as connection, connection.begin():
        yield connection


def kept_tables(connection: sa.Connection) -> list[sa.Table]:
    """Return the tables of a database as they are there, those that others refer to first."""
    names = [name for name in sa.inspect(connection).get_table_names() if name in METADATA.tables]
    schema = sa.MetaData()
    schema.reflect(connection, only=[name for name in names if name not in NOT_KEPT], resolve_fks=False)
    for column in (column for table in schema.tables.values() for column in table.columns):
        if isinstance(column.type, sa.JSON):
            column.type.none_as_null = True  # no document is restored as none, not as one that says null
    return schema.sorted_tables


def _write_table(connection: sa.Connection, archive: zipfile.ZipFile, table: sa.Table) -> TableEntry:
    columns = list(table.columns)
    are_documents = [isinstance(c.type, sa.JSON) for c in columns]
    # A document is taken as its text: "null" and no value at all are different things.
    shown = [sa.cast(c, sa.Text) if is_document else c for c, is_document in zip(columns, are_documents, strict=True)]
    query = sa.select(*shown).order_by(*table.primary_key.columns)
    digest, rows = hashlib.sha256(), 0
    found = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query)
    with archive.open(member(table.name), "w", force_zip64=True) as file:
        for row in found:
            line = encode_row(row, are_documents).encode() + b"\n"
            digest.update(line)
            file.write(line)
            rows += 1
    names = [c.name for c in columns]
    return TableEntry(rows=rows, columns=names, sha256=digest.hexdigest(), last_id=_last_id(connection, table))


def _last_id(connection: sa.Connection, table: sa.Table) -> int | None:
    """Return the highest id that was ever given in a table that counts them; null where none was."""
    if "id" not in table.columns or not isinstance(table.columns["id"].type, sa.Integer):
        return None
    highest = connection.execute(sa.select(sa.func.max(table.columns["id"]))).scalar()
    if connection.dialect.name == "sqlite":
        query = "select max(seq) from sqlite_sequence where name = :name"
    else:
        query = (
            "select last_value from pg_sequences"
            " where schemaname || '.' || sequencename = pg_get_serial_sequence(:name, 'id')"
        )
    counted = connection.execute(sa.text(query), {"name": table.name}).scalar()
    return max(highest or 0, counted or 0) or None
