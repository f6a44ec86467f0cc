"""`binome backup` and `binome restore`: the whole database as one file, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from service.backup.archive import Manifest
from service.backup.restoring import restore_backup
from service.backup.writing import write_backup
from service.cli.database import opened
from service.cli.output import console
from service.settings import load_settings
from service.start import check_folder


def backup(
    path: Annotated[Path | None, typer.Argument(help="The file to write; named after the moment if left out.")] = None,
) -> None:
    """Write the whole database into one file, while the service runs.

    The file holds every note and the secrets of connections: keep it as safe as the database.
    """
    now = datetime.now(UTC)
    target = path or Path(f"binome-{now:%Y%m%d-%H%M%S}.zip")
    with opened("backup") as engine:
        manifest = write_backup(engine, target, now)
    console.print(_counted(manifest))
    print(target)


def restore(path: Annotated[Path, typer.Argument(help="A file that `binome backup` wrote.")]) -> None:
    """Fill a new, empty database from a back-up; it may be of the other kind (SQLite, PostgreSQL).

    Name the new database with BINOME_DATA_DIR or BINOME_DATABASE_URL, and start the service afterwards.
    """
    settings = load_settings()
    check_folder(settings.data_dir)
    manifest = restore_backup(settings.sqlalchemy_url, path)
    with opened("restore", settings):  # into the audit log
        pass
    console.print(_counted(manifest))
    print(f"Restored the back-up of {manifest.created_at:%Y-%m-%d %H:%M} UTC.")


def _counted(manifest: Manifest) -> str:
    rows = sum(entry.rows for entry in manifest.tables.values())
    return f"{manifest.tables['notes'].rows} notes, {rows} rows in {len(manifest.tables)} tables"
