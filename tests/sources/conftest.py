"""A client whose connections are set up; on SQLite, for what is read here does not depend on the database."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.auth.queries import store_key
from service.auth.scopes import Scope
from service.database import write_session
from service.settings import Settings
from tests.conftest import ADMIN_KEY
from tests.sources.senders import CONNECTIONS, INGEST_KEY, NOW, PUBLIC_URL


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "binome.sqlite3"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database_url=database_url,
        admin_key=ADMIN_KEY,
        public_url=PUBLIC_URL,
        connections=json.dumps(CONNECTIONS),
        _env_file=None,
    )


@pytest.fixture
def client(app: FastAPI, engine: sa.Engine) -> TestClient:
    """A sender: no key of its own."""
    with write_session(engine) as session:
        store_key(session, ADMIN_KEY, name="tests", scopes=[Scope.ADMIN], now=NOW)
        store_key(session, INGEST_KEY, name="relay", scopes=[Scope.INGEST], now=NOW)
    return TestClient(app, raise_server_exceptions=False)
