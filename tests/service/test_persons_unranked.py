"""Nothing ranks persons: no schema, filter, statement, list, page, export or report orders or counts by author."""

from __future__ import annotations

import csv
import io
import re
import shutil
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.app import create_app
from service.auth.scopes import Scope
from service.database import make_engine, read_session, write_session
from service.exports.columns import EVIDENCE_COLUMNS, HEADINGS, INSIGHT_COLUMNS, ITEM_COLUMNS, NOTE_COLUMNS
from service.reports.content import build_content, month_period
from service.reports.ledger import read_ledger
from service.reports.rendering import render
from service.reports.schemas import Edition, Format, ReportLanguage
from service.settings import Settings
from service.tables import PassageTable, ThemeTable
from tests.access.matrix import address_of, routes
from tests.service.visits import NOW, make_key, name_competitor, read_in, sign_in
from tests.work import note

SERVICE = Path(__file__).parents[2] / "service"
PERSON = re.compile(r"author|rep|person|user|actor|writer|owner|seller")
SCHEMAS_OF_ONE = {"AuditEvent"}  # a row of the log is one act, in the order of time; for administrators
ENUMS_OF_OTHER = {"Subject", "DecidedBy", "Scope", "PersonalKind"}  # of what is erased or hidden; who decided; rights
REPS = ("Zelda Quill", "zquill", "Ines Brandt", "ibrandt")
OF_NOTES = ("/v1/notes", "/v1/search", "/v1/exports/notes", "/v1/exports/search", "/notes/", "/search")
"""Where a note's author stands beside the note, a row a note."""


def _numeric(schema: Any) -> bool:
    kinds = [schema, *schema.get("anyOf", [])] if isinstance(schema, dict) else []
    return any(kind.get("type") in {"integer", "number"} for kind in kinds)


def rankings_of_persons(document: dict[str, Any]) -> list[str]:
    """Return what of an OpenAPI document could count by person, or order by one."""
    found = []
    for name, schema in document["components"]["schemas"].items():
        fields = schema.get("properties", {})
        persons = [field for field in fields if PERSON.fullmatch(field.removesuffix("_id").removesuffix("s"))]
        counts = [field for field in fields if _numeric(fields[field])]
        mapped = [field for field in persons if _numeric(fields[field].get("additionalProperties"))]
        if mapped or ([f for f in persons if f not in counts] and counts and name not in SCHEMAS_OF_ONE):
            found.append(name)
        values = [str(value) for value in schema.get("enum", [])]
        if name not in ENUMS_OF_OTHER and any(PERSON.fullmatch(value.lstrip("-")) for value in values):
            found.append(name)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                values = [str(value) for value in parameter["schema"].get("enum", [])]
                if any(PERSON.fullmatch(value.lstrip("-")) for value in values):
                    found.append(f"{path} {parameter['name']}")
    return found


def test_no_schema_counts_by_person_and_no_parameter_orders_by_one(openapi: dict[str, Any]) -> None:
    assert rankings_of_persons(openapi) == []
    assert set(openapi["components"]["schemas"]) >= SCHEMAS_OF_ONE | ENUMS_OF_OTHER


@pytest.mark.parametrize(
    "planted",
    [
        {"properties": {"author": {"type": "string"}, "notes": {"type": "integer"}}},
        {"properties": {"author": {"$ref": "#/x"}, "share": {"anyOf": [{"type": "number"}, {"type": "null"}]}}},
        {"properties": {"authors": {"type": "object", "additionalProperties": {"type": "integer"}}}},
        {"properties": {"user_id": {"type": "string"}, "accounts": {"type": "integer"}}},
        {"enum": ["segment", "team", "author"]},
        {"enum": ["date", "-rep"]},
    ],
)
def test_a_planted_ranking_of_persons_is_found(planted: dict[str, Any]) -> None:
    assert rankings_of_persons({"components": {"schemas": {"Planted": planted}}, "paths": {}}) == ["Planted"]


def test_a_planted_parameter_is_found() -> None:
    parameter = {"name": "sort", "schema": {"enum": ["notes", "author"]}}
    document = {"components": {"schemas": {}}, "paths": {"/v1/x": {"get": {"parameters": [parameter]}}}}
    assert rankings_of_persons(document) == ["/v1/x sort"]


def grouped_by_author(source: str) -> list[str]:
    """Return the groupings and orders of statements in a source text that name an author."""
    calls = re.findall(r"\.(?:group_by|order_by|partition_by)\(([^\n]*)", source)
    lists = [call for call in calls if ".limit(1)" not in call]  # to pick one is no order
    return [call for call in lists if re.search(r"author_id|AuthorTable\.(?:id|key|name)", call)]


def test_no_statement_groups_or_orders_by_author() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in SERVICE.rglob("*.py")}
    assert sum(".group_by(" in source for source in sources.values()) > 10
    assert {str(path): found for path, source in sources.items() if (found := grouped_by_author(source))} == {}
    assert grouped_by_author("    .group_by(NoteTable.author_id)\n") != []
    assert grouped_by_author("    .order_by(AuthorTable.name.desc())\n") != []


def test_no_export_has_sums_by_author() -> None:
    """Only a list of notes names authors, a row a note; the lists of items have how many there are."""
    for columns in (INSIGHT_COLUMNS, ITEM_COLUMNS, EVIDENCE_COLUMNS):
        assert "author" not in columns
    sums = set(NOTE_COLUMNS) & {"mentions", "notes", "accounts", "share", "score", "rank"}
    assert "author" in NOTE_COLUMNS
    assert sums == set()


@pytest.fixture(scope="module")
def engine(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """Notes of two reps about a competitor, an objection and a theme."""
    path = tmp_path_factory.mktemp("persons") / "binome.sqlite3"
    shutil.copy(sqlite_template, path)
    engine = make_engine(f"sqlite:///{path}")
    name_competitor(engine, "Orbiport")
    reps = [{"id": key, "name": name, "team": "north"} for name, key in (REPS[:2], REPS[2:])]
    accounts = [{"id": f"a{n}", "name": f"Firm {n}", "segment": "office"} for n in range(6)]
    text = "They use Orbiport. It is too expensive."
    read_in(engine, *(note(f"n{n}", text, author=reps[n % 2], account=accounts[n]) for n in range(6)))
    with write_session(engine) as session:
        moment = {"created_at": NOW, "updated_at": NOW}
        session.add(
            ThemeTable(id=1, key="theme-1", label_en="Doors", label_fr="Portes", keywords={}, centroid=b"", **moment)
        )
        session.flush()
        session.execute(sa.update(PassageTable).values(theme_id=1, similarity=0.9))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def admin(engine: sa.Engine, tmp_path_factory: pytest.TempPathFactory, openapi: dict[str, Any]) -> Iterator[TestClient]:
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("data"), _env_file=None), engine)
    app.openapi = lambda: openapi
    headers = {"Authorization": f"Bearer {make_key(engine, Scope.ADMIN)[1]}", "Accept": "text/html, */*"}
    with TestClient(app, raise_server_exceptions=False, headers=headers, follow_redirects=False) as client:
        yield sign_in(client, engine, Scope.ADMIN)


def _addresses(client: TestClient) -> list[str]:
    named = {
        "{name}": "orbiport",
        "{type_id}": "price",
        "{theme_id}": "theme-1",
        "{note_id}": "1",
        "{month}": "2026-09",
    }
    found = ["/insights/competitor/orbiport", "/insights/theme/theme-1", "/v1/themes/theme-1/series?split=team"]
    found += ["/v1/exports/evidence?about=competitor&id=orbiport", "/v1/search?q=expensive", "/search?q=expensive"]
    found += ["/v1/exports/search?q=expensive", "/v1/exports/notes?format=json"]
    for method, path, _ in sorted(set(routes(client.app))):  # type: ignore[arg-type]
        if method == "GET":
            for place, name in named.items():
                path = path.replace(place, name)
            found.append(address_of(path))
    return found


def test_authors_stand_nowhere_but_beside_their_notes(admin: TestClient) -> None:
    """Every address, as an administrator sees it: a list by author would name them."""
    named, given = set(), 0
    for address in _addresses(admin):
        answer = admin.get(address)
        given += answer.status_code == 200
        if any(rep in answer.content.decode("utf-8", "replace") for rep in REPS):
            named.add(address)
    assert given > 60
    assert {address for address in named if not address.startswith(OF_NOTES)} == set()
    assert {"/v1/notes", "/v1/notes/1", "/notes/1"} <= named


def test_lists_that_name_authors_have_a_row_a_note_by_time(admin: TestClient) -> None:
    items = admin.get("/v1/notes").json()["items"]
    assert [item["id"] for item in items] == ["6", "5", "4", "3", "2", "1"]
    rows = list(csv.DictReader(io.StringIO(admin.get("/v1/exports/notes").content.decode("utf-8-sig"))))
    assert [row["Note"] for row in rows] == ["6", "5", "4", "3", "2", "1"]
    assert HEADINGS["author"][0] in rows[0]


def test_reports_name_no_author_in_any_form(engine: sa.Engine) -> None:
    with read_session(engine) as session:
        ledger = read_ledger(session, month_period("2026-09"))
        content = build_content(session, "2026-09", datetime(2026, 10, 2, tzinfo=UTC), ledger)
    assert content.coverage.authors == 2
    about = {"created_by": "tests", "reason": None, "sha256": "0", "erased": 0, "differences": []}
    edition = Edition(month="2026-09", edition=1, created_at=NOW, **about)
    texts = [content.model_dump_json()]
    for form in set(Format) - {Format.PDF}:  # what it has is the page's
        texts += [_text(render(content, edition, form, language)) for language in ReportLanguage]
    assert all("price" in text.lower() or "prix" in text.lower() for text in texts)
    assert not [rep for rep in REPS for text in texts if rep in text]


def _text(content: bytes) -> str:
    if not content.startswith(b"PK"):
        return content.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return "".join(packed.read(name).decode() for name in packed.namelist() if name.endswith(".xml"))
