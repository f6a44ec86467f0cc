"""Runs migrations.

SQLite rebuilds tables by DROP, which would cascade: foreign keys are off meanwhile, and checked before the commit.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context

from service.database import make_engine
from service.insights import triggers
from service.insights.tables import DayVersionTable
from service.schema import METADATA

_LOCK = 0x62696E6F6D65  # "binome": one migration at a time on PostgreSQL


def run() -> None:
    """Upgrade or compare the database named by `sqlalchemy.url`."""
    url = context.config.get_main_option("sqlalchemy.url")
    assert url is not None
    engine = make_engine(url, pool_size=1)
    try:
        _run(engine)
    finally:
        engine.dispose()


def _run(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            _driver(connection).execute("pragma foreign_keys=off")
        context.configure(
            connection=connection,
            target_metadata=METADATA,
            render_as_batch=True,
            compare_type=True,
            user_module_prefix="tables.",
            transactional_ddl=True,  # on SQLite too, or other processes could start between two steps
            include_name=lambda name, kind, _parents: not (kind == "table" and _is_job_engine(name)),
        )
        with context.begin_transaction():
            if not sqlite:
                connection.execute(sa.text(f"select pg_advisory_xact_lock({_LOCK})"))
            context.run_migrations()
            if sa.inspect(connection).has_table(DayVersionTable.__tablename__):
                triggers.install(connection)
            if sqlite:
                _check_foreign_keys(connection)
        if sqlite:
            _driver(connection).execute("pragma foreign_keys=on")


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.driver_connection


def _is_job_engine(name: str | None) -> bool:
    return name is not None and name not in METADATA.tables


def _check_foreign_keys(connection: sa.Connection) -> None:
    broken = connection.exec_driver_sql("pragma foreign_key_check").fetchall()
    if broken:
        raise RuntimeError(f"migration would break {len(broken)} references, first in table {broken[0][0]}")


run()
