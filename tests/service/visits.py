"""What the tests of the pages do over and over: make keys and links, have notes read, read a page."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape

import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.auth.queries import create_key
from service.auth.scopes import Scope
from service.auth.sessions import SessionKind, open_session
from service.catalog.queries import replace_catalog
from service.catalog.schemas import CatalogBody
from service.database import write_session
from service.dependencies import COOKIE
from service.notes.intake import parse_note
from service.notes.queries import store_notes
from service.notes.schemas import IncomingNote
from service.tables import PassageTable, ThemeTable
from tests.analyzers import FakeAnalyzer
from tests.work import analyse_all, note

NOW = datetime.now(UTC)
SCRIPT = "<script>alert(1)</script>"


def make_key(engine: sa.Engine, *scopes: Scope) -> tuple[int, str]:
    with write_session(engine) as session:
        key, secret = create_key(session, name="a key", scopes=list(scopes), now=NOW)
        return key.id, secret


def sign_in(browser: TestClient, engine: sa.Engine, *scopes: Scope) -> TestClient:
    with write_session(engine) as session:
        key, _ = create_key(session, name="marketing", scopes=list(scopes), now=NOW)
        browser.cookies.set(COOKIE, open_session(session, key, SessionKind.COOKIE, NOW), domain="testserver.local")
    return browser


def make_link(engine: sa.Engine, *scopes: Scope, at: datetime = NOW) -> str:
    with write_session(engine) as session:
        key, _ = create_key(session, name="a link", scopes=list(scopes), now=at)
        return open_session(session, key, SessionKind.LINK, at)


def take_in(engine: sa.Engine, *notes: dict) -> list[int]:
    parsed = [parse_note(n) for n in notes]
    incoming = [p for p in parsed if isinstance(p, IncomingNote)]
    assert len(incoming) == len(notes)
    with write_session(engine) as session:
        return [stored.id for stored in store_notes(session, incoming, NOW)]


def read_in(engine: sa.Engine, *notes: dict) -> list[int]:
    ids = take_in(engine, *notes)
    analyse_all(engine, FakeAnalyzer())
    return ids


def name_competitor(engine: sa.Engine, name: str) -> None:
    with write_session(engine) as session:
        replace_catalog(session, CatalogBody.model_validate({"us": [], "competitors": [{"name": name}]}).to_catalog())


def make_theme(engine: sa.Engine, key: str, en: str, fr: str) -> int:
    with write_session(engine) as session:
        theme = ThemeTable(
            key=key, label_en=en, label_fr=fr, keywords={"en": ["door"]}, centroid=b"", created_at=NOW, updated_at=NOW
        )
        session.add(theme)
        session.flush()
        session.execute(sa.update(PassageTable).values(theme_id=theme.id, similarity=0.9))
        return theme.id


def by_account(count: int, **fields: object) -> list[dict]:
    return [note(f"n{i}", account={"id": f"a{i}", "name": f"Account {i}"}, **fields) for i in range(count)]


def shown(html: str) -> str:
    """Return a page's text as a person reads it."""
    text = re.sub(r"<[^>]+>", " ", html).replace("\u00a0", " ").replace("\u202f", " ")
    return " ".join(unescape(text).split())
