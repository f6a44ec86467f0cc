"""Browsers for the tests of the pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.app import create_app
from service.auth.queries import SessionKind, create_key, open_session
from service.auth.scopes import Scope
from service.database import write_session
from service.dependencies import COOKIE
from service.settings import Settings
from tests.service.visits import NOW


@pytest.fixture
def browser(settings: Settings, engine: sa.Engine) -> Iterator[TestClient]:
    """A browser that nobody signed in."""
    app = create_app(settings, engine)
    headers = {"Accept": "text/html", "Accept-Language": "en"}
    with TestClient(app, raise_server_exceptions=False, headers=headers, follow_redirects=False) as client:
        yield client


@pytest.fixture
def signed(browser: TestClient, engine: sa.Engine) -> TestClient:
    """A browser that is signed in with a key that may read."""
    with write_session(engine) as session:
        key, _ = create_key(session, name="reader", scopes=[Scope.READ], now=NOW)
        browser.cookies.set(COOKIE, open_session(session, key, SessionKind.COOKIE, NOW), domain="testserver.local")
    return browser
