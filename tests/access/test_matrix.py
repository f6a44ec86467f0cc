"""The access matrix: the table is whole, and every line is what happens."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.app import create_app
from service.auth.scopes import Role
from service.database import make_engine
from service.settings import Settings
from tests.access.matrix import TABLE, address_of, matrix, routes
from tests.service.test_users import add_person
from tests.service.test_users import sign_in as by_password

PROVEN_OTHERWISE = {"/unsubscribe/{subscription_id}/{token}"}  # a signed link; mail clients post it without origin


@pytest.fixture
def engine(sqlite_template: Path, tmp_path: Path) -> sa.Engine:
    """An empty database; who may do what does not depend on its kind."""
    shutil.copy(sqlite_template, tmp_path / "binome.sqlite3")
    return make_engine(f"sqlite:///{tmp_path / 'binome.sqlite3'}")


@pytest.fixture
def app(engine: sa.Engine, tmp_path: Path) -> FastAPI:
    return create_app(Settings(data_dir=tmp_path, _env_file=None), engine)


def test_every_route_and_page_for_every_caller(app: FastAPI, engine: sa.Engine) -> None:
    """Run with BINOME_TEST_WRITE=1 to write the table anew, then read what changed in it."""
    found = matrix(app, engine)
    if os.environ.get("BINOME_TEST_WRITE"):
        TABLE.write_text(found, encoding="utf-8")
    assert found.splitlines() == TABLE.read_text(encoding="utf-8").splitlines()


def test_every_form_refuses_other_sites(app: FastAPI, engine: sa.Engine) -> None:
    add_person(engine, Role.ADMIN)
    foreign = [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}]
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        by_password(client)
        for method, path, page in routes(app):
            if page and method != "GET" and path not in PROVEN_OTHERWISE:
                for headers in foreign:
                    answer = client.request(method, address_of(path), headers=headers)
                    assert answer.status_code == 403, (path, headers, answer.status_code)
        assert client.get("/account").status_code == 200
