"""Pitfalls of storing (P1 to P5, P13), each with the test that would show it."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from alembic import command

from service import database
from service.database import (
    alembic_config,
    current_revision,
    head_revision,
    make_engine,
    migrate,
    read_session,
    shorten_log,
    write_session,
)
from service.errors import StartRefused
from service.jobs.tables import JobTable
from service.tables import Table


def _count_up(url: str, times: int) -> None:
    engine = make_engine(url)
    for _ in range(times):
        with write_session(engine) as session:
            job = session.get(JobTable, 1, with_for_update=True)
            assert job is not None
            job.done += 1


def test_400_read_modify_writes_of_two_processes_lose_nothing(database_url: str, engine: sa.Engine) -> None:
    """P2: SQLite's driver opens transactions late, and then updates that are read first get lost."""
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "insert into jobs (id, kind, params, state, done, requested_by, created_at)"
                " values (1, 'fit_themes', '{}', 'done', 0, 'test', '2026-01-01 00:00:00')"
            )
        )
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_count_up, args=(database_url, 200)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    with engine.connect() as connection:
        assert connection.scalar(sa.select(JobTable.done)) == 400


def test_sqlite_is_durable_and_checks_references(tmp_path_factory: pytest.TempPathFactory) -> None:
    """P4: WAL with full synchronisation is really on, in each connection."""
    engine = make_engine(f"sqlite:///{tmp_path_factory.mktemp('wal') / 'a.sqlite3'}")
    with engine.connect() as one, engine.connect() as other:
        for connection in (one, other):
            values = {
                name: connection.exec_driver_sql(f"pragma {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
            assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
            connection.rollback()
    engine.dispose()


REBUILD = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "rebuild", "{head}", None, None

def upgrade():
    with op.batch_alter_table("notes", recreate="always") as batch:
        batch.add_column(sa.Column("extra", sa.String()))
"""


def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(
    database_url: str, engine: sa.Engine, tmp_path: Path
) -> None:
    """P3: a batch migration drops the table, which would cascade."""
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL alters tables in place")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into notes (id, source, external_id, kind, text, occurred_at, content_hash, version_ms, revision,"
            " queued_revision, analysed_revision, attempts, received_at, updated_at)"
            " values (1, 'a', 'b', 'call_note', 't', '2026-01-01', '', 0, 1, 1, 1, 0, '2026-01-01', '2026-01-01')"
        )
        connection.exec_driver_sql(
            'insert into objections (note_id, occurred_on, start, "end", quote, type, status, origin)'
            " values (1, '2026-01-01', 0, 1, 't', 'price', 'open', 'test')"
        )
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "rebuild.py").write_text(REBUILD.format(head=head_revision()))
    config = alembic_config(database_url)
    own = Path(database.__file__).parent / "migrations" / "versions"
    config.set_main_option("version_locations", os.pathsep.join([str(own), str(tmp_path / "versions")]))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")
    with engine.connect() as connection:
        assert "extra" in {column["name"] for column in sa.inspect(connection).get_columns("notes")}
        assert connection.exec_driver_sql("select count(*) from objections").scalar() == 1


def test_findings_outlive_the_new_way_of_giving_ids(empty_url: str) -> None:
    """0003 builds the tables of findings anew on SQLite: rows, indexes and cascade stay, and no id comes back."""
    command.upgrade(alembic_config(empty_url), "0002")
    engine = make_engine(empty_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into notes (id, source, external_id, kind, text, occurred_at, content_hash, version_ms, revision,"
            " queued_revision, analysed_revision, attempts, received_at, updated_at)"
            " values (1, 'a', 'b', 'call_note', 't', '2026-01-01', '', 0, 1, 1, 1, 0, '2026-01-01', '2026-01-01')"
        )
        insert = (
            'insert into objections (note_id, occurred_on, start, "end", quote, type, status, origin)'
            " values (1, '2026-01-01', 0, 1, 't', 'price', 'open', 'test')"
        )
        connection.exec_driver_sql(insert)
        connection.exec_driver_sql(insert)
    migrate(empty_url)
    with engine.begin() as connection:
        indexes = {index["name"] for index in sa.inspect(connection).get_indexes("objections")}
        assert indexes == {"ix_objections_item", "ix_objections_note_id"}
        rows = connection.exec_driver_sql("select id, quote, corrected from objections order by id").all()
        assert [tuple(row) for row in rows] == [(1, "t", False), (2, "t", False)]
        connection.exec_driver_sql("delete from objections where id = 2")
        connection.exec_driver_sql(insert)
        assert connection.exec_driver_sql("select max(id) from objections").scalar() == 3
        connection.exec_driver_sql("delete from notes")
        assert connection.exec_driver_sql("select count(*) from objections").scalar() == 0
    engine.dispose()


def test_tables_and_migrations_agree(database_url: str) -> None:
    """P13: `alembic check` finds nothing to do, on both databases."""
    command.check(alembic_config(database_url))


def test_down_and_up_again(empty_url: str) -> None:
    migrate(empty_url)
    command.downgrade(alembic_config(empty_url), "base")
    engine = make_engine(empty_url)
    assert set(sa.inspect(engine).get_table_names()) <= {"alembic_version"}
    migrate(empty_url)
    assert current_revision(engine) == head_revision()
    assert set(Table.metadata.tables) <= set(sa.inspect(engine).get_table_names())
    engine.dispose()


def test_migrations_of_several_processes_at_once(empty_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=migrate, args=(empty_url,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0]


def test_newer_database_is_refused(engine: sa.Engine, database_url: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    with pytest.raises(StartRefused, match="9999"):
        migrate(database_url)


def test_database_that_is_not_there_is_refused() -> None:
    with pytest.raises(StartRefused, match="can't be reached"):
        migrate("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=2")


Version = namedtuple("Version", "major minor micro")


_MANY_CONNECTIONS = """
import sys
from service import database
from tests.bench.memory import resident_mb

database.SQLITE_MEMORY = int(sys.argv[2])
engine = database.make_engine(sys.argv[1])
with engine.begin() as connection:
    connection.exec_driver_sql("create table pages (id integer primary key, content blob)")
    for _ in range(20):
        connection.exec_driver_sql("insert into pages (content) values (zeroblob(1000000))")
connections = [engine.connect() for _ in range(8)]
before = resident_mb("self")
for connection in connections:
    connection.execution_options(read_only=True).exec_driver_sql("select sum(instr(content, x'01')) from pages").all()
print(resident_mb("self") - before)
"""


def test_caches_of_many_connections_share_one_bound(tmp_path: Path) -> None:
    """Each connection may hold 64 MB of pages; a process would hold a gigabyte once all had been used."""

    def held(name: str, bound: int) -> float:
        command = [sys.executable, "-c", _MANY_CONNECTIONS, f"sqlite:///{tmp_path / name}", str(bound)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert held("free.db", 0) > 100, "eight connections read twenty megabytes each"
    assert held("bounded.db", 24 * 2**20) < 50


def test_the_connection_used_last_is_used_next(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'binome.sqlite3'}")
    first, last = engine.connect(), engine.connect()
    warm = last.connection.dbapi_connection
    first.close()
    last.close()
    with engine.connect() as connection:
        assert connection.connection.dbapi_connection is warm
    engine.dispose()


def _write(engine: sa.Engine, megabytes: int) -> None:
    for _ in range(megabytes):
        with write_session(engine) as session:
            session.execute(sa.text("insert into pages (content) values (randomblob(1000000))"))


@pytest.fixture
def long_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[sa.Engine, Path]]:
    """Give a database on SQLite, and the file of its log, which counts as long from two megabytes on."""
    monkeypatch.setattr(database, "LOG_BYTES", 2 * 2**20)
    engine = make_engine(f"sqlite:///{tmp_path / 'binome.sqlite3'}")
    with write_session(engine) as session:
        session.execute(sa.text("create table pages (id integer primary key, content blob)"))
    yield engine, tmp_path / "binome.sqlite3-wal"
    engine.dispose()


def test_a_log_that_reads_without_a_pause_keep_is_cut_off(long_log: tuple[sa.Engine, Path]) -> None:
    engine, log = long_log
    stop = threading.Event()

    def read_on(number: int) -> None:
        stop.wait(0.05 * number)
        while not stop.is_set():
            with read_session(engine) as session:
                session.execute(sa.text("select count(*) from pages")).all()
                stop.wait(0.15)

    readers = [threading.Thread(target=read_on, args=(number,)) for number in range(4)]
    for reader in readers:
        reader.start()
    try:
        stop.wait(0.3)
        _write(engine, 9)
        assert log.stat().st_size > 8_000_000, "SQLite itself does not begin it anew"
        shorten_log(engine)
        assert log.stat().st_size < 2_000_000
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    with read_session(engine) as session:
        assert session.scalar(sa.text("select count(*) from pages")) == 9


def test_a_long_read_is_left_in_peace(long_log: tuple[sa.Engine, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOG_WAIT_SECONDS", 0)
    engine, log = long_log
    with read_session(engine) as session:
        assert session.scalar(sa.text("select count(*) from pages")) == 0
        _write(engine, 5)
        shorten_log(engine)
        assert log.stat().st_size > 4_000_000
        assert session.scalar(sa.text("select count(*) from pages")) == 0
        with engine.connect() as connection:
            assert connection.exec_driver_sql("pragma busy_timeout").scalar() == 30_000
    shorten_log(engine)
    assert log.stat().st_size == 0


def test_a_short_log_and_another_database_are_left_alone(engine: sa.Engine, database_url: str) -> None:
    with write_session(engine) as session:
        session.execute(sa.update(JobTable).values(done=0))
    log = Path(f"{sa.make_url(database_url).database}-wal")
    before = log.stat().st_size if log.exists() else None
    shorten_log(engine)
    assert (log.stat().st_size if log.exists() else None) == before
    assert (engine.dialect.name == "sqlite") is (before is not None)


def test_old_sqlite_on_new_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """P1: the job engine needs SQLite 3.42 on Python 3.12 and newer."""
    monkeypatch.setattr(database, "sys", SimpleNamespace(version_info=Version(3, 12, 0)))
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    monkeypatch.setitem(sys.modules, "pysqlite3", None)
    with pytest.raises(StartRefused, match=r"too old for Python 3\.12"):
        database.sqlite_module()
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 42, 0))
    assert database.sqlite_module() is sqlite3
