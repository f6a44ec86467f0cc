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
from service.database import read_session
from service.errors import BinomeError
from service.sealing.queries import unreadable_values
from service.settings import Settings, load_settings
from service.start import check_folder


def backup(
    path: Annotated[Path | None, typer.Argument(help="The file to write; named after the moment if left out.")] = None,
) -> None:
    """Write the whole database into one file, while the service runs.

    The file holds every note: keep it as safe as the database. The secrets of connections are sealed in it, and the key
    is not: keep a copy of `secrets.key` (or of BINOME_SECRETS_KEY) in another place.
    """
    now = datetime.now(UTC)
    target = path or Path(f"binome-{now:%Y%m%d-%H%M%S}.zip")
    settings = load_settings()
    with opened("backup", settings, opening_secrets=False) as engine:
        manifest = write_backup(engine, target, now)
    console.print(_counted(manifest))
    console.print(f"Its secrets are sealed, and their key is not in it: keep {_key_place(settings)} too, but apart.")
    print(target)


def restore(path: Annotated[Path, typer.Argument(help="A file that `binome backup` wrote.")]) -> None:
    """Fill a new, empty database from a back-up; it may be of the other kind (SQLite, PostgreSQL).

    Name the new database with BINOME_DATA_DIR or BINOME_DATABASE_URL, and start the service afterwards. Copy the file
    `secrets.key` that belongs to the back-up into the new data folder, or name its keys in BINOME_SECRETS_KEY: without
    it everything comes back but the secrets of connections.
    """
    settings = load_settings()
    check_folder(settings.data_dir)
    manifest = restore_backup(settings.sqlalchemy_url, path, settings.keyring)
    with (
        opened("restore", settings, opening_secrets=False) as engine,  # into the audit log
        read_session(engine) as session,
    ):
        closed = len(unreadable_values(session, settings.keyring))
    console.print(_counted(manifest))
    print(f"Restored the back-up of {manifest.created_at:%Y-%m-%d %H:%M} UTC.")
    if closed:
        raise BinomeError(
            f"{closed} secrets of connections, webhooks and people came back sealed, by a key that is not here. Before "
            f"the start, copy the key that belongs to the back-up into {settings.keyring.path}, or name it in "
            "BINOME_SECRETS_KEY. If it is lost, `binome secrets forget` closes what they were for; all else stays."
        )


def _key_place(settings: Settings) -> str:
    return "BINOME_SECRETS_KEY" if settings.secrets_key else str(settings.keyring.path)


def _counted(manifest: Manifest) -> str:
    rows = sum(entry.rows for entry in manifest.tables.values())
    return f"{manifest.tables['notes'].rows} notes, {rows} rows in {len(manifest.tables)} tables"
