"""`binome doctor`: looks whether everything is in order, and says what to do where it is not."""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
import typer
from sqlalchemy.exc import DBAPIError

from service import __version__
from service.cli.output import AsJson, console, print_json
from service.database import current_revision, head_revision, make_engine, read_session, sqlite_module
from service.errors import BinomeError
from service.operation.disk import free_mib, warnings
from service.operation.queries import read_backlog
from service.sealing.queries import sealed_values
from service.settings import Settings, load_settings
from service.start import check_folder, check_secrets


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: whether it is all right, and what was seen or what to do."""

    check: str
    ok: bool
    detail: str


def doctor(as_json: AsJson = False) -> None:
    """Check settings, versions, database, artefacts, disk and workers; exit code 1 if anything is wrong."""
    findings = [_look("settings", lambda: f"Binôme {__version__}; data in {load_settings().data_dir}")]
    if findings[0].ok:
        settings = load_settings()
        checks: list[tuple[str, Callable[[], str]]] = [
            ("python", _versions),
            ("folder", lambda: _folder(settings)),
            ("database", lambda: _database(settings)),
            ("secrets", lambda: _secrets(settings)),
            ("artefacts", _artefacts),
            ("workers", lambda: _workers(settings)),
        ]
        findings += [_look(name, check) for name, check in checks]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            console.print(
                f"{'ok   ' if finding.ok else 'WRONG'} {finding.check:<10} {finding.detail}",
                markup=False,
                soft_wrap=True,
            )
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _look(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, check())
    except BinomeError as error:
        return Finding(name, False, str(error))
    except DBAPIError as error:
        return Finding(name, False, f"The database does not answer ({error.orig}): check BINOME_DATABASE_URL.")


def _versions() -> str:
    return f"Python {platform.python_version()}, SQLite {sqlite_module().sqlite_version}"


def _folder(settings: Settings) -> str:
    check_folder(settings.data_dir)
    said = warnings(settings)
    if said:
        raise BinomeError(" ".join(said))
    return f"{settings.data_dir} can be written; {free_mib(settings) // 1024} GiB are free"


@contextmanager
def _connected(settings: Settings) -> Iterator[sa.Engine]:
    """Give the engine of a database that is looked at, not migrated."""
    engine = make_engine(settings.sqlalchemy_url, pool_size=1)
    try:
        yield engine
    finally:
        engine.dispose()


def _database(settings: Settings) -> str:
    with _connected(settings) as engine:
        backend, revision, head = engine.dialect.name, current_revision(engine), head_revision()
    if revision is None:
        raise BinomeError("The database is empty: `binome serve` makes its tables.")
    if revision != head:
        raise BinomeError(f"The database has schema {revision}, this version needs {head}: `binome serve` migrates it.")
    return f"{backend}, schema {revision}"


def _secrets(settings: Settings) -> str:
    keyring = settings.keyring
    with _connected(settings) as engine, read_session(engine) as session:
        check_secrets(session, settings)
        count = sum(1 for _ in sealed_values(session))
    if keyring.path.exists() and keyring.path.stat().st_mode & 0o077:
        raise BinomeError(f"Others can read {keyring.path}: chmod 600 {keyring.path}")
    keys = keyring.keys()
    where = "BINOME_SECRETS_KEY" if keyring.given else keyring.path
    return f"{count} sealed, all can be opened; {len(keys)} keys, the first in {where}"


def _artefacts() -> str:
    if importlib.util.find_spec("models.analyzer") is None:
        raise BinomeError("The language side is not installed: run make setup.")
    from models.analyzer import load_analyzer
    from models.errors import ModelError

    try:
        return f"the reader loads; version {load_analyzer().version}"
    except ModelError as error:
        raise BinomeError(str(error)) from None
    except Exception as error:  # a broken installation breaks in its own way
        raise BinomeError(f"The reader does not load ({type(error).__name__}): run make setup again.") from error


def _workers(settings: Settings) -> str:
    with _connected(settings) as engine, read_session(engine) as session:
        backlog = read_backlog(session, datetime.now(UTC))
    counts = (
        f"{backlog.analysed} notes analysed, {backlog.waiting + backlog.queued} to be analysed, {backlog.failed} failed"
    )
    if not backlog.workers:
        raise BinomeError(f"No worker is running ({counts}): start `binome serve` or `binome worker`.")
    if backlog.failed:
        raise BinomeError(
            f"{counts}: `binome analyse --failed` tries them again, GET /v1/notes?state=failed lists them."
        )
    return f"{backlog.workers} ready; {counts}"
