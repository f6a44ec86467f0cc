"""The database: one engine per process, the same code on SQLite and PostgreSQL.

SQLite's driver opens a transaction only at the first write, which loses updates that are read first. So its own
handling is switched off and every transaction starts with `BEGIN IMMEDIATE`, or `BEGIN` for read-only work.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service.errors import StartRefused
from service.sealing.columns import give_keys
from service.sealing.keyring import Keyring

LOCK_TIMEOUT_SECONDS = 30
SQLITE_MEMORY = 192 * 2**20
"""Bytes that SQLite holds in a process: without it each of forty connections fills a cache of its own."""
LOG_BYTES = 64 * 2**20  # of SQLite's write-ahead log, which is four megabytes as a rule
LOG_WAIT_SECONDS = 1
_MIGRATIONS = Path(__file__).parent / "migrations"


def sqlite_module() -> Any:
    """Return the SQLite driver: Python's own, or the bundled one where the job engine needs a newer SQLite.

    DBOS uses `unixepoch('subsec')`, new in SQLite 3.42, on Python 3.12 and later.

    Raises:
        StartRefused: If the driver is too old and no bundled one is installed.
    """
    if sys.version_info < (3, 12) or sqlite3.sqlite_version_info >= (3, 42):
        return sqlite3
    try:
        import pysqlite3
    except ImportError:
        raise StartRefused(
            f"SQLite {sqlite3.sqlite_version} is too old for Python {sys.version_info.major}.{sys.version_info.minor}: "
            "use Python 3.11, a Python with SQLite 3.42 or newer, or PostgreSQL (BINOME_DATABASE_URL)."
        ) from None
    return pysqlite3


def make_engine(url: str, *, pool_size: int = 20, keyring: Keyring | None = None) -> sa.Engine:
    """Create the engine of a process.

    Args:
        url: SQLAlchemy URL, `sqlite:///…` or `postgresql+psycopg://…`.
        pool_size: Connections kept at most.
        keyring: What opens the secrets in the database; without it none can be read or written.
    """
    engine = _make_engine(url, pool_size)
    if keyring is not None:
        give_keys(engine, keyring)
    return engine


def _make_engine(url: str, pool_size: int) -> sa.Engine:
    if url.startswith("sqlite"):
        engine = sa.create_engine(
            url,
            module=sqlite_module(),
            pool_size=pool_size,
            max_overflow=20,
            pool_use_lifo=True,  # the connection used last has the pages that are asked for in its cache
            hide_parameters=True,
        )
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return sa.create_engine(
        url,
        pool_pre_ping=True,
        pool_size=pool_size,
        max_overflow=20,
        hide_parameters=True,
        connect_args=postgres_arguments(url),
    )


def postgres_arguments(url: str) -> dict[str, int]:
    """Return libpq's parameters that let a line that was cut be noticed in a minute, but for those that `url` gives."""
    arguments = {"connect_timeout": 10, "keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 3}
    arguments["tcp_user_timeout"] = 60_000  # milliseconds
    return {name: value for name, value in arguments.items() if name not in sa.make_url(url).query}


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={LOCK_TIMEOUT_SECONDS * 1000}",
        "journal_mode=wal",
        "synchronous=full",  # NORMAL loses acknowledged notes when the power fails
        "foreign_keys=on",
        "secure_delete=on",  # erased words do not stay in free pages
        "cache_size=-65536",
        f"soft_heap_limit={SQLITE_MEMORY}",
        "temp_store=memory",
    ):
        connection.execute(f"pragma {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    read_only = connection.get_execution_options().get("read_only")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@contextmanager
def write_session(engine: sa.Engine) -> Iterator[Session]:
    """Open a session that commits when the block ends, and rolls back when it raises."""
    with Session(engine) as session, session.begin():
        yield session


@contextmanager
def read_session(engine: sa.Engine) -> Iterator[Session]:
    """Open a session that takes no write lock."""
    with Session(engine.execution_options(read_only=True)) as session:
        yield session


def shorten_log(engine: sa.Engine) -> None:
    """Bring SQLite's write-ahead log into the database and cut it off, where it has grown long.

    While reads overlap without a pause, SQLite never comes to begin its log anew, and it grows with all that is
    written. Writers wait meanwhile for the reads under way: a second for each step at most, else it stays for later.
    """
    log = Path(f"{engine.url.database}-wal")
    if engine.dialect.name != "sqlite" or not log.exists() or log.stat().st_size <= LOG_BYTES:
        return
    connection = engine.raw_connection()
    driver: Any = connection.driver_connection
    try:
        driver.execute(f"pragma busy_timeout={1000 * LOG_WAIT_SECONDS}")
        driver.execute("pragma wal_checkpoint(truncate)")
    finally:
        driver.execute(f"pragma busy_timeout={1000 * LOCK_TIMEOUT_SECONDS}")
        connection.close()


def is_sqlite(session: Session) -> bool:
    """Tell whether a session talks to SQLite."""
    return session.get_bind().dialect.name == "sqlite"


def alembic_config(url: str, keyring: Keyring | None = None) -> Config:
    """Return Alembic's configuration for a database; the keys seal the secrets that an older schema had in clear."""
    config = Config()
    config.attributes["keyring"] = keyring
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def current_revision(engine: sa.Engine) -> str | None:
    """Return the schema revision of a database; None where it is empty."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_known_revision(revision: str) -> bool:
    """Tell whether this code has a schema revision."""
    return any(script.revision == revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions())


def head_revision() -> str:
    """Return the schema revision that this code expects."""
    head = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
    assert head is not None, "there is at least one migration"
    return head


def migrate(url: str, keyring: Keyring | None = None) -> None:
    """Bring a database to the current schema; several processes may do it at once.

    Args:
        url: SQLAlchemy URL.
        keyring: What seals secrets that an older schema had in clear; not needed where there are none.

    Raises:
        StartRefused: If the database is newer than this code, or can't be reached.
    """
    engine = make_engine(url, pool_size=1)
    try:
        revision = current_revision(engine)
        if revision is not None and not is_known_revision(revision):
            raise StartRefused(
                f"The database has schema {revision}, which this version of Binôme does not know: "
                "start the newer version that made it, or restore a back-up."
            )
        command.upgrade(alembic_config(url, keyring), "head")
    except sa.exc.OperationalError as error:
        raise StartRefused(f"The database can't be reached or written: {error.orig}") from None
    finally:
        engine.dispose()


def insert_ignoring(session: Session, table: Any, key: tuple[str, ...]) -> Any:
    """Return an INSERT for this database that skips rows whose key is there already."""
    insert = sqlite.insert(table) if is_sqlite(session) else postgresql.insert(table)
    return insert.on_conflict_do_nothing(index_elements=list(key))
