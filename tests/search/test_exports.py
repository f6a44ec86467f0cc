"""Exports: the rows of the list in its order, right types, and no formula in any cell."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from openpyxl import load_workbook

from service import pages
from service.exports.writing import FORMULA_STARTS
from tests.analyzers import FakeAnalyzer
from tests.work import analyse_all, note

TABLES = [
    "insights",
    "objections",
    "competitors",
    "themes",
    "evidence?about=objection&id=price",
    "parts?about=objection&id=price",
    "series?about=objection&id=price",
    "deliveries",
    "notes",
    "search?q=expensive",
]
TEMPLATES = Path(pages.__file__).parent / "templates"
NOT_EXPORTED = {
    "reports.html": "each line is of files: a report has its tables as JSON and as a spreadsheet",
    "preview.html": "a form: the first rows of a file that its sender has",
}
EVIL = '=HYPERLINK("http://x","Firm")'


@pytest.fixture
def filled(client: TestClient, engine: sa.Engine) -> TestClient:
    notes = [
        note(
            f"n{i}", f"{start}cmd. It is too expensive, Été.", account={"id": f"a{i}", "name": EVIL, "segment": "north"}
        )
        for i, start in enumerate(FORMULA_STARTS)
    ]
    client.post("/v1/notes", json={"notes": notes})
    analyse_all(engine, FakeAnalyzer())
    return client


def read_csv(content: bytes, delimiter: str = ",") -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=delimiter))


def test_no_cell_of_any_table_is_a_formula(filled: TestClient) -> None:
    for table in TABLES:
        mark = "&" if "?" in table else "?"
        answer = filled.get(f"/v1/exports/{table}")
        assert answer.status_code == 200, answer.text
        cells = [cell for row in read_csv(answer.content) for cell in row]
        assert not [
            c for c in cells if c.startswith(FORMULA_STARTS) and not c.lstrip("-").replace(".", "").isdigit()
        ], table
        book = load_workbook(io.BytesIO(filled.get(f"/v1/exports/{table}{mark}format=xlsx").content))
        assert all(cell.data_type != "f" for row in book.active.rows for cell in row)
        assert isinstance(filled.get(f"/v1/exports/{table}{mark}format=json").json(), list)


def test_an_export_is_the_list(filled: TestClient) -> None:
    listed = filled.get("/v1/notes", params={"segment": "north"}).json()["items"]
    exported = filled.get("/v1/exports/notes", params={"segment": "north", "format": "json"}).json()
    assert [row["note_id"] for row in exported] == [item["id"] for item in listed]
    assert exported[0]["account"] == EVIL  # JSON is no spreadsheet
    sheet = load_workbook(io.BytesIO(filled.get("/v1/exports/notes?format=xlsx").content)).active
    names = [cell.value for cell in sheet[1]]
    row = dict(zip(names, sheet[2], strict=True))
    assert row["Time (UTC)"].is_date
    assert row["Account"].value == EVIL
    french = read_csv(filled.get("/v1/exports/objections?lang=fr").content, ";")
    assert french[0][:3] == ["Identifiant", "Titre", "Mentions"]
    assert french[1][1] == "Prix"
    assert "," in french[1][french[0].index("Part des notes")]  # 1,0
    insights = filled.get("/v1/insights").json()["items"]
    rows = json.loads(filled.get("/v1/exports/insights?format=json").content)
    assert [(row["rank"], row["id"]) for row in rows] == [(item["rank"], item["id"]) for item in insights]
    assert len(filled.get("/v1/exports/evidence?about=objection&id=price&format=json").json()) == len(FORMULA_STARTS)


def test_what_can_t_be_exported_is_said(filled: TestClient) -> None:
    assert filled.get("/v1/exports/notes?format=pdf").json()["errors"][0]["field"] == "format"
    assert filled.get("/v1/exports/evidence?about=objection&id=nothing").json()["errors"][0]["field"] == "id"
    assert filled.get("/v1/exports/evidence?about=theme&id=theme-99").status_code == 404
    assert filled.get("/v1/exports/notes?from=2026-02-01&to=2026-01-01").status_code == 422
    assert filled.get("/v1/exports/notes?from=2030-01-01&format=json").json() == []
    assert filled.get("/v1/exports/notes", headers={"Authorization": "Bearer x"}).status_code == 401


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_every_table_of_the_pages_has_its_export(path: Path) -> None:
    text = path.read_text("utf-8")
    tables = text.count("<table") if path.name not in NOT_EXPORTED else 0
    links = len(re.findall(r"\.exports\(|\.files\(|<p class=\"exports\"", text))
    assert links >= tables, f"{tables} tables, {links} exports"
