"""Databases, a client and readers for the tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from models.types import Analyzer
from service.app import bind, create_app
from service.auth.queries import store_key
from service.auth.scopes import Scope
from service.database import make_engine, migrate, write_session
from service.logs import configure_logs
from service.sealing.keyring import KEY_FILE, Keyring
from service.settings import Settings
from tests import memory_folder
from tests.analyzers import FakeAnalyzer
from tests.postgres import fresh_database, postgres_server

ADMIN_KEY = "admin-key-of-the-tests"
memory_folder.use()
NO_POSTGRES = "no PostgreSQL: set BINOME_TEST_DATABASE_URL or install the server's binaries"


def keyring_in(folder: Path) -> Keyring:
    """Return the keys of a data folder, made if there are none."""
    keyring = Keyring(folder / KEY_FILE)
    keyring.ensure()
    return keyring


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith("BINOME_") and "TEST" not in name]:
        monkeypatch.delenv(variable)


@pytest.fixture(scope="session", autouse=True)
def _logs() -> None:
    configure_logs()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, copied for each test."""
    path = tmp_path_factory.mktemp("template") / "binome.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[sa.URL | None]:
    """A PostgreSQL server, or None."""
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres: sa.URL | None) -> Iterator[str | None]:
    """The name of a migrated PostgreSQL database, copied for each test."""
    if postgres is None:
        yield None
        return
    with fresh_database(postgres) as url:
        migrate(url)
        yield sa.make_url(url).database


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty database: each test runs on SQLite and on PostgreSQL."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            path = tmp_path / "binome.sqlite3"
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
            yield f"sqlite:///{path}"
            return
        server = request.getfixturevalue("postgres")
        if server is None:
            pytest.skip(NO_POSTGRES)
        yield stack.enter_context(fresh_database(server, request.getfixturevalue("postgres_template")))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
            return
        server = request.getfixturevalue("postgres")
        if server is None:
            pytest.skip(NO_POSTGRES)
        yield stack.enter_context(fresh_database(server))


@pytest.fixture
def engine(database_url: str, tmp_path: Path) -> Iterator[sa.Engine]:
    """The engine of a migrated, empty database; its key stands where the `settings` have theirs."""
    engine = make_engine(database_url, keyring=keyring_in(tmp_path))
    yield engine
    engine.dispose()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings over the test's database."""
    return Settings(data_dir=tmp_path, database_url=database_url, admin_key=ADMIN_KEY, _env_file=None)


@pytest.fixture(scope="session")
def openapi() -> dict[str, Any]:
    """The OpenAPI document; making it takes a second, so once is enough."""
    return create_app(Settings(_env_file=None), sa.create_engine("sqlite://")).openapi()


@pytest.fixture(scope="session")
def shared_app(openapi: dict[str, Any]) -> FastAPI:
    """One application for all tests: making its routes ready takes longer than most of them."""
    app = create_app(Settings(_env_file=None), sa.create_engine("sqlite://"))
    app.openapi = lambda: openapi
    return app


@pytest.fixture
def app(shared_app: FastAPI, settings: Settings, engine: sa.Engine) -> Iterator[FastAPI]:
    """The application over the test's database."""
    bind(shared_app, settings, engine)
    yield shared_app
    shared_app.dependency_overrides.clear()


@pytest.fixture
def client(app: FastAPI, engine: sa.Engine) -> Iterator[TestClient]:
    """A client of the application that sends the administrator's key."""
    with write_session(engine) as session:
        store_key(session, ADMIN_KEY, name="tests", scopes=[Scope.ADMIN], now=datetime.now(UTC))
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    with TestClient(app, raise_server_exceptions=False, headers=headers) as client:
        yield client


@pytest.fixture
def analyzer() -> FakeAnalyzer:
    """A reader that finds by words, in no time."""
    return FakeAnalyzer()


@pytest.fixture(scope="session")
def real_analyzer() -> Analyzer:
    """The reader of the product."""
    from models.analyzer import load_analyzer

    return load_analyzer()
