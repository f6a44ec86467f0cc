"""What names persons is in no answer of any route or page for who may not see it, and in some for who may."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pypdf import PdfReader

import service
from service.auth.scopes import Scope
from service.auth.sessions import SessionKind, open_session
from service.auth.tables import ApiKeyTable
from service.database import write_session
from service.dependencies import COOKIE
from service.reports.building import build
from service.tables import ThemeTable
from tests.access.matrix import routes
from tests.analyzers import FakeAnalyzer
from tests.service.visits import make_key, make_theme, name_competitor
from tests.work import analyse_all, note

NOW = datetime(2026, 10, 2, 6, tzinfo=UTC)
PLANTED = ("Quenby", "Ardolph", "q.ardolph@vexmoor.example", "+33 6 12 34 56 78", "Zorbul", "solveig", "ferrandi")
SIGN = "\N{FULL BLOCK}"
PARTS = {
    "note_id": "1",
    "name": "zendesk",
    "type_id": "price",
    "theme_id": "theme-1",
    "import_id": "1",
    "job_id": "1",
    "month": "2026-09",
    "language": "en",
    "about": "objection",
    "kind": "objections",
    "item_id": "price",
    "source": "hubspot",
    "path": "binome.css",
    "subscription_id": "1",
    "delivery_id": "1",
    "endpoint_id": "1",
    "token": "none",
    "connection": "none",
    "connection_id": "1",
    "user_id": "1",
    "key_id": "1",
    "file_format": "pdf",
}
QUERIES = {
    "/v1/search": [
        {"q": "quenby"},
        {"q": "expensive"},
        {"q": "expensive -quenby"},
        {"q": "zorb*"},
        {"q": '"mr quenby"'},
    ],
    "/search": [{"q": "expensive"}, {"q": "thinks"}],
    "/v1/exports/search": [{"q": "expensive", "format": form} for form in ("csv", "xlsx", "json")],
    "/v1/exports/notes": [{"format": form} for form in ("csv", "xlsx", "json")],
    "/v1/exports/evidence": [
        {"about": about, "id": item, "format": "json"}
        for about, item in (("objection", "price"), ("competitor", "zendesk"), ("theme", "theme-1"))
    ],
    "/v1/exports/points": [{"id": "zendesk", "format": "json"}],
    "/v1/exports/parts": [{"about": "objection", "id": "price", "format": "json"}],
    "/v1/persons/export": [{"name": "Quenby"}],
    "/insights/{about}/{item_id:path}": [{}],
}
MORE = {
    "/v1/objections/{type_id}": ["/v1/objections/price", "/v1/objections/trust"],
    "/v1/reports/{month}.{file_format}": [f"/v1/reports/2026-09.{form}" for form in ("pdf", "pptx", "xlsx", "html")],
    "/insights/{about}/{item_id:path}": [
        "/insights/objection/price",
        "/insights/objection/trust",
        "/insights/competitor/zendesk",
        "/insights/theme/theme-1",
    ],
}


@pytest.fixture
def planted(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> TestClient:
    """A workspace in which notes name persons, and so do things made of them."""
    name_competitor(engine, "Zendesk")
    author = {"id": "solveig@firm.example", "name": "Solveig Ferrandi", "team": "north"}
    text = (
        "Mr Quenby Ardolph finds it too expensive, unlike Zendesk, thinks Mr Zorbul too. "
        "Write to q.ardolph@vexmoor.example or +33 6 12 34 56 78 as Mr Quenby Ardolph thinks of Zendesk."
    )
    for number in range(1, 5):
        fields = {"author": author, "account": {"id": f"a{number}", "name": f"Account {number}"}}
        client.post("/v1/notes", json=note(str(number), text, occurred_at="2026-09-14T10:00:00Z", **fields))
    analyse_all(engine, analyzer)
    make_theme(engine, "theme-1", "Thoughts", "Avis")
    with write_session(engine) as session:
        session.execute(sa.update(ThemeTable).values(keywords={"en": ["thoughts"], "fr": []}))
    start = text.index("Mr Quenby")
    correction = {"kind": "missed_objection", "note_id": 2, "start": start, "end": start + 17}
    made = client.post("/v1/corrections", json={**correction, "type": "trust", "status": "resolved"})
    assert made.status_code == 201, made.text
    file = b"date,note\n,Mr Quenby of q.ardolph@vexmoor.example\n2026-09-14,Fine\n"
    sent = client.post("/v1/imports", content=file, params={"name": "notes.csv"}, headers={"Content-Type": "text/csv"})
    assert sent.status_code in {201, 202}, sent.text
    saved = {"name": "hers", "shared": True, "filters": {"author": "solveig@firm.example"}}
    assert client.post("/v1/saved-filters", json=saved).status_code == 201
    build(engine, "2026-09", NOW, by="tests")
    return client


def addresses(app: FastAPI) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every address that can be read, with parameters under which it says most."""
    for method, path, _ in sorted(set(routes(app))):
        if method != "GET" or path.startswith("/static"):
            continue
        filled = MORE.get(path) or [re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: PARTS.get(m[1], "1"), path)]
        for address in filled:
            for query in QUERIES.get(path, [{}]):
                yield address, query


def said(content: bytes) -> str:
    """Return all that a file says."""
    if content.startswith(b"%PDF"):
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    return content.decode("utf-8", "replace")


def answers(client: TestClient, engine: sa.Engine, *scopes: Scope) -> dict[str, tuple[int, str]]:
    """Return status and words of every answer to a key, over the API and in a browser."""
    key_id, secret = make_key(engine, *scopes)
    with write_session(engine) as session:
        token = open_session(session, session.get_one(ApiKeyTable, key_id), SessionKind.COOKIE, datetime.now(UTC))
    found = {}
    for address, query in addresses(client.app):  # type: ignore[arg-type]
        client.cookies.set(COOKIE, token, domain="testserver.local")
        answer = client.get(address, params=query, headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code < 500 or address == "/readyz", (address, answer.text)
        shown = re.sub(r'("q": ?|value=)"[^"]*"', "", said(answer.content))
        found[f"{address} {query}"] = answer.status_code, shown.replace("\xa0", " ")
    return found


def test_nothing_personal_is_anywhere_without_the_right(planted: TestClient, engine: sa.Engine) -> None:
    hidden = answers(planted, engine, Scope.READ, Scope.CURATE, Scope.INGEST)
    assert sum(status == 200 for status, _ in hidden.values()) > 70
    told = {
        (address, word) for address, (_, words) in hidden.items() for word in PLANTED if word.lower() in words.lower()
    }
    assert not told
    assert sum(SIGN in words for _, words in hidden.values()) > 10, "quotes are shown, with what is hidden in them"


def test_who_has_the_right_sees_it(planted: TestClient, engine: sa.Engine) -> None:
    open_ = answers(planted, engine, Scope.READ, Scope.PERSONAL)
    for word in PLANTED:
        assert sum(word.lower() in words.lower() for _, words in open_.values()) > 3, word
    assert not any(SIGN in words for _, words in open_.values())


# They read notes, find places in them or write for the machine's operator; none gives their words to a caller.
READ_WHOLE = {
    "analysis/queries.py",
    "catalog/queries.py",
    "cli/export.py",
    "corrections/annotated.py",
    "corrections/storage.py",
    "erasures/erasing.py",
    "erasures/queries.py",
    "insights/evidence.py",
    "masks/searching.py",
    "masks/storing.py",
    "masks/view.py",
    "notes/queries.py",
    "notes/twins.py",
    "pages/views.py",
    "persons/finding.py",
    "retention/queries.py",
    "search/schemas.py",  # its documentation
    "sources/fetching/storing.py",
    "themes/curation.py",
    "themes/passages.py",
    "themes/storage.py",
}


def test_words_of_notes_are_read_through_the_view() -> None:
    """Whoever shows them asks `service.masks.view`."""
    folder = Path(service.__file__).parent
    reads = re.compile(r"\b(?:NoteTable|note|row\[0\]|rows?\[-?\d\]\[0\])\.text\b")
    found = {str(path.relative_to(folder)) for path in folder.rglob("*.py") if reads.search(path.read_text("utf-8"))}
    assert found == READ_WHOLE


def test_a_correction_does_not_tell_hidden_words(planted: TestClient, engine: sa.Engine) -> None:
    headers = {"Authorization": f"Bearer {make_key(engine, Scope.READ, Scope.CURATE)[1]}"}
    name = {"kind": "missed_competitor", "note_id": 3, "start": 3, "end": 17}
    refused = planted.post("/v1/corrections", json=name, headers=headers)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "hidden")
    guessed = {**name, "kind": "missed_objection", "type": "trust", "quote": "Quenby Ardolph"}
    assert planted.post("/v1/corrections", json=guessed, headers=headers).json()["errors"][0]["code"] == "other_words"
    made = planted.post("/v1/corrections", json={**guessed, "quote": SIGN * 14}, headers=headers)
    assert (made.status_code, made.json()["quote"], made.json()["right"]["quote"]) == (201, SIGN * 14, SIGN * 14)
