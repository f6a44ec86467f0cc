"""What has to be there before Binôme starts: a folder that can be written, the database, a first key, the sample."""

from __future__ import annotations

import json
import os
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.auth.queries import KEY_PREFIX, create_key, find_key_id, hash_secret, rotate_key, store_key
from service.auth.scopes import Scope
from service.auth.tables import ApiKeyTable
from service.catalog.queries import read_catalog, replace_catalog
from service.catalog.schemas import CatalogBody
from service.database import make_engine, migrate, read_session
from service.engine_options import engine_options
from service.errors import Conflict, StartRefused
from service.notes.intake import parse_note
from service.notes.queries import store_notes
from service.notes.schemas import IncomingNote
from service.sealing.queries import unreadable_values
from service.settings import Settings
from service.tables import NoteTable

_SAMPLES = (  # in a checkout, and where a wheel puts it
    Path(__file__).parent.parent / "data" / "samples" / "clavance",
    Path(sysconfig.get_path("data")) / "share" / "binome" / "sample",
)
SAMPLE = next((folder for folder in _SAMPLES if folder.is_dir()), _SAMPLES[0])
KEY_FILE = "admin.key"
FIRST_KEY_NAME = "admin"
SETTING_KEY_NAME = "BINOME_ADMIN_KEY"


@dataclass(frozen=True, slots=True)
class FirstKey:
    """The administrator's key: its row, and the secret where it was made just now."""

    row: ApiKeyTable
    made: str | None


def base_url(settings: Settings) -> str:
    """Return the address that a browser on this machine can open."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{settings.port}"


def check_folder(folder: Path) -> None:
    """Make the data folder and write into it.

    Raises:
        StartRefused: If that can't be done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StartRefused(
            f"The data folder {folder} can't be written ({error.strerror}): "
            "give write permission, or name another folder with BINOME_DATA_DIR."
        ) from None


@contextmanager
def open_database(settings: Settings, *, opening_secrets: bool = True) -> Iterator[sa.Engine]:
    """Migrate the database and give its engine.

    Args:
        settings: Checked settings.
        opening_secrets: Whether the database's secrets have to be readable; a key is made where none is needed yet.

    Raises:
        StartRefused: If the folder can't be written, the database is newer than the code or can't be reached, or the
            key of its secrets is missing.
    """
    check_folder(settings.data_dir)
    migrate(settings.sqlalchemy_url, settings.keyring)
    engine = make_engine(settings.sqlalchemy_url, keyring=settings.keyring)
    try:
        if opening_secrets:
            with read_session(engine) as session:
                check_secrets(session, settings)
            settings.keyring.ensure()
        yield engine.execution_options(**engine_options(settings))
    finally:
        engine.dispose()


def check_secrets(session: Session, settings: Settings) -> None:
    """See whether the keys at hand open the secrets in the database.

    Raises:
        StartRefused: If one of them does not open; no key is made then, for it would open none of them either.
    """
    closed = unreadable_values(session, settings.keyring)
    if not closed:
        return
    tables = ", ".join(sorted({value.table.name for value in closed}))
    raise StartRefused(
        f"{len(closed)} secrets in the database ({tables}) are sealed by a key that is not here. A back-up does not "
        f"hold it: put back the file {settings.keyring.path} that belongs to this database, or name its key in "
        "BINOME_SECRETS_KEY. If it is lost, `binome secrets forget` closes what these secrets were for; all else stays."
    )


def ensure_first_key(session: Session, settings: Settings, now: datetime) -> FirstKey:
    """Return the administrator's key: the one of the settings, else of the data folder, else a new one.

    Raises:
        StartRefused: If the key of the settings was revoked.
    """
    if settings.admin_key:
        return FirstKey(_setting_key(session, settings.admin_key, now), None)
    path = settings.data_dir / KEY_FILE
    if path.exists():
        row = store_key(session, path.read_text().strip(), name=FIRST_KEY_NAME, scopes=[Scope.ADMIN], now=now)
        if row.revoked_at is None:
            return FirstKey(row, None)
    row, secret = create_key(session, name=FIRST_KEY_NAME, scopes=[Scope.ADMIN], now=now)
    _write_secret(path, secret)
    return FirstKey(row, secret)


def _setting_key(session: Session, secret: str, now: datetime) -> ApiKeyTable:
    """Store the key of the settings; one that it replaces is revoked."""
    session.execute(
        sa.update(ApiKeyTable)
        .where(ApiKeyTable.name == SETTING_KEY_NAME, ApiKeyTable.key_hash != hash_secret(secret))
        .where(ApiKeyTable.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    row = store_key(session, secret, name=SETTING_KEY_NAME, scopes=[Scope.ADMIN], now=now)
    if row.revoked_at is not None:
        raise StartRefused(
            f"The key in BINOME_ADMIN_KEY was revoked: choose another, such as {KEY_PREFIX}… of 32 letters."
        )
    return row


def rotate(
    session: Session, settings: Settings, key_id: int, now: datetime, grace: timedelta
) -> tuple[ApiKeyTable, str] | None:
    """Rotate any key; the one that stands in the data folder is exchanged there too.

    Raises:
        Conflict: If it is the key of the settings.
    """
    if settings.admin_key and find_key_id(session, settings.admin_key) == key_id:
        raise Conflict("This key stands in BINOME_ADMIN_KEY: change the setting, and start again.")
    path = settings.data_dir / KEY_FILE
    kept = path.exists() and find_key_id(session, path.read_text().strip()) == key_id
    rotated = rotate_key(session, key_id, now, grace)
    if kept and rotated:
        _write_secret(path, rotated[1])
    return rotated


def _write_secret(path: Path, secret: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret + "\n")


def load_sample(session: Session, now: datetime, folder: Path = SAMPLE) -> int:
    """Put the sample workspace into an empty database; return how many notes were loaded, 0 where it is not empty.

    Raises:
        StartRefused: If the sample's files are missing.
    """
    catalog = read_catalog(session)
    if catalog.us or catalog.competitors or session.scalar(sa.select(NoteTable.id).limit(1)) is not None:
        return 0
    try:
        body = CatalogBody.model_validate_json((folder / "catalog.json").read_text(encoding="utf-8"))
        notes = list(_sample_notes(folder / "notes.jsonl"))
    except OSError as error:
        raise StartRefused(
            f"The sample workspace can't be read ({error.filename}): start with BINOME_SAMPLE=off."
        ) from None
    replace_catalog(session, body.to_catalog())
    store_notes(session, notes, now)
    return len(notes)


def _sample_notes(path: Path) -> Iterator[IncomingNote]:
    for line in path.read_text(encoding="utf-8").splitlines():
        item: dict[str, Any] = {**json.loads(line), "source": "sample"}
        note = parse_note(item)
        if not isinstance(note, IncomingNote):
            raise StartRefused(f"The sample workspace has a wrong note, {note.external_id}: {note.error.message}.")
        yield note
