"""Restoring a back-up into an empty database, of either kind: also the way from SQLite to PostgreSQL."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command

from service.backup.archive import Manifest, decode_row, lines_of, open_archive, read_manifest
from service.backup.writing import kept_tables
from service.database import alembic_config, current_revision, is_known_revision, make_engine
from service.errors import BinomeError
from service.sealing.keyring import Keyring

_ROWS_AT_ONCE = 1000


def restore_backup(url: str, path: Path, keyring: Keyring | None = None) -> Manifest:
    """Fill an empty database with the rows of a back-up, then bring its schema up to date.

    All rows go in with one transaction: a restore that breaks off leaves the database empty. Notes that were being
    analysed and jobs that were running when the back-up was made wait for a worker again.

    Args:
        url: The database.
        path: The back-up.
        keyring: What seals the secrets of a back-up that was made when they were kept in clear.

    Raises:
        BinomeError: If the file is no sound back-up, is of a newer version, or the database is not empty.
    """
    with open_archive(path) as archive:
        manifest = read_manifest(archive)
        if not is_known_revision(manifest.revision):
            raise BinomeError(f"The back-up is of Binôme {manifest.version}, which is newer: restore it with that one.")
        engine = make_engine(url, pool_size=1)
        try:
            _prepare(engine, url, manifest.revision)
            with engine.begin() as connection:
                _fill(connection, archive, manifest)
            command.upgrade(alembic_config(url, keyring), "head")
        finally:
            engine.dispose()
    return manifest


def _prepare(engine: sa.Engine, url: str, revision: str) -> None:
    """Make the tables of the back-up's schema."""
    present = current_revision(engine)
    if present not in {None, revision}:
        raise BinomeError(f"The database has schema {present}, the back-up {revision}: restore into a new database.")
    command.upgrade(alembic_config(url), revision)


def _fill(connection: sa.Connection, archive: zipfile.ZipFile, manifest: Manifest) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("pragma defer_foreign_keys=on")
    tables = {table.name: table for table in kept_tables(connection)}
    for name in ("notes", "api_keys"):
        if connection.execute(sa.select(sa.literal(1)).select_from(tables[name]).limit(1)).first():
            raise BinomeError(
                "The database is not empty: restore into a new one (BINOME_DATA_DIR, BINOME_DATABASE_URL)."
            )
    missing = set(manifest.tables) - set(tables)
    if missing:
        raise BinomeError(f"The back-up has tables that its schema lacks: {', '.join(sorted(missing))}.")
    for name, table in tables.items():
        if name in manifest.tables:
            _fill_table(connection, archive, table, manifest)
    _wait_again(connection, tables)


def _fill_table(connection: sa.Connection, archive: zipfile.ZipFile, table: sa.Table, manifest: Manifest) -> None:
    entry = manifest.tables[table.name]
    connection.execute(table.delete())  # what triggers wrote while other tables were filled
    naive = connection.dialect.name == "sqlite"
    lines = lines_of(archive, table.name, entry)
    while part := list(islice(lines, _ROWS_AT_ONCE)):
        connection.execute(table.insert(), list(_rows(part, entry.columns, naive)))
    if entry.last_id is not None:
        _count_from(connection, table, entry.last_id)


def _rows(lines: Iterable[bytes], columns: list[str], naive: bool) -> Iterator[dict[str, Any]]:
    for line in lines:
        values = decode_row(line)
        if naive:  # SQLite has no zones; times are UTC there
            values = [v.replace(tzinfo=None) if hasattr(v, "tzinfo") else v for v in values]
        yield dict(zip(columns, values, strict=True))


def _count_from(connection: sa.Connection, table: sa.Table, last_id: int) -> None:
    """Make the next id follow the last that was ever given, though its row be gone."""
    given = {"name": table.name, "last": last_id}
    if connection.dialect.name == "sqlite":
        changed = connection.execute(sa.text("update sqlite_sequence set seq = :last where name = :name"), given)
        if not changed.rowcount and "autoincrement" in _definition(connection, table.name):
            connection.execute(sa.text("insert into sqlite_sequence (name, seq) values (:name, :last)"), given)
        return
    connection.execute(sa.text("select setval(pg_get_serial_sequence(:name, 'id'), :last)"), given)


def _definition(connection: sa.Connection, name: str) -> str:
    query = sa.text("select lower(sql) from sqlite_master where type = 'table' and name = :name")
    return str(connection.execute(query, {"name": name}).scalar())


def _wait_again(connection: sa.Connection, tables: dict[str, sa.Table]) -> None:
    """Queue again what the job engine had in hand: its own tables are not in a back-up."""
    notes, jobs = tables["notes"], tables["jobs"]
    in_hand = (notes.c.queued_revision > notes.c.analysed_revision) & notes.c.failure.is_(None)
    connection.execute(notes.update().where(in_hand).values(queued_revision=notes.c.analysed_revision))
    connection.execute(jobs.update().where(jobs.c.state.in_(["queued", "running"])).values(state="waiting"))
    for name in {"fetches", "syncs"} & tables.keys():
        table = tables[name]
        connection.execute(table.update().where(table.c.state == "fetching").values(state="waiting"))
