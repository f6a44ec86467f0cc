"""Browsers for the tests of the pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.auth.scopes import Scope
from tests.analyzers import FakeAnalyzer
from tests.service.correcting import CATALOG, TEXT
from tests.service.visits import sign_in
from tests.work import analyse_all, note


@pytest.fixture
def browser(app: FastAPI) -> Iterator[TestClient]:
    """A browser that nobody signed in."""
    headers = {"Accept": "text/html", "Accept-Language": "en"}
    with TestClient(app, raise_server_exceptions=False, headers=headers, follow_redirects=False) as client:
        yield client


@pytest.fixture
def signed(browser: TestClient, engine: sa.Engine) -> TestClient:
    """A browser that is signed in with a key that may read."""
    return sign_in(browser, engine, Scope.READ)


@pytest.fixture
def curator(browser: TestClient, engine: sa.Engine) -> TestClient:
    """A browser that is signed in with a key that may read and curate."""
    return sign_in(browser, engine, Scope.READ, Scope.CURATE)


@pytest.fixture
def admin(browser: TestClient, engine: sa.Engine) -> TestClient:
    """A browser that is signed in with a key that may do everything."""
    return sign_in(browser, engine, Scope.ADMIN)


@pytest.fixture
def reviewed(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> TestClient:
    """A client whose note 1 was read: one objection (price), one mention (Zendesk)."""
    client.put("/v1/catalog", json=CATALOG)
    client.post("/v1/notes", json=note("a", TEXT))
    analyse_all(engine, analyzer)
    return client
