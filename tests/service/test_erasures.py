"""Erasing for good: planted words are in no byte of the database afterwards, and do not come back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import write_session
from service.reports.building import build
from service.source_tables import ImportRefusalTable, ImportTable, KeptDeliveryTable
from service.sources.contract import Aside
from service.sources.faults.queries import keep_delivery, set_aside
from service.tables import ThemeTable
from tests.analyzers import FakeAnalyzer
from tests.service.visits import make_theme
from tests.work import analyse_all, note

NOW = datetime(2026, 10, 2, 6, tzinfo=UTC)
WORDS = "Their xylomantic zorbulator is too expensive for Quenby Ardolph."
PLANTED = ("xylomantic", "zorbulator", "quenby", "ardolph", "vexmoor", "trundlewick", "msg-9f@vexmoor")
OTHER = {"id": "acc-2", "name": "Other Firm"}
ACCOUNT = {"id": "crm-vexmoor", "name": "Vexmoor Trundlewick"}


@pytest.fixture
def planted(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> TestClient:
    """A note whose unusual words went everywhere."""
    client.post("/v1/notes", json=note("msg-9f@vexmoor.example", WORDS, source="mail", account=ACCOUNT))
    client.post("/v1/notes", json=note("2", "It is too expensive; Vexmoor Trundlewick says so.", account=OTHER))
    client.post("/v1/notes", json=note("3", "Another day, too expensive.", account=OTHER))
    analyse_all(engine, analyzer)
    make_theme(engine, "theme-1", "Zorbulator prices", "Prix")
    with write_session(engine) as session:
        session.execute(sa.update(ThemeTable).values(keywords={"en": ["zorbulator", "price"], "fr": []}))
        fault = set_aside(session, "mail", "main", Aside("no_text", "unread", WORDS, "msg-9f@vexmoor.example"), NOW)
        innocent = set_aside(session, "mail", "main", Aside("no_text", "unread", "Nothing else."), NOW)
        for row, body in ((fault, WORDS.encode()), (innocent, b"Nothing else.")):
            fields = {"source": "mail", "connection": "main", "method": "POST", "received_at": NOW}
            keep_delivery(session, [row], KeptDeliveryTable(headers={"subject": "x"}, body=body, **fields))
        imported = ImportTable(
            name="Vexmoor Trundlewick.csv",
            fingerprint="f",
            size=1,
            options={},
            found={},
            results={},
            requested_by="tests",
            created_at=NOW,
        )
        session.add(imported)
        session.flush()
        refused = {"number": 1, "member": "", "field": "date", "code": "date", "message": "no date"}
        session.add(ImportRefusalTable(import_id=imported.id, cells={"Note": WORDS}, **refused))
        session.add(ImportRefusalTable(import_id=imported.id, cells={"Note": "Too expensive."}, **refused))
    build(engine, "2026-09", NOW, by="tests")
    return client


@pytest.fixture
def stored_bytes(engine: sa.Engine, tmp_path: Path, database_url: str) -> Callable[[], bytes]:
    """Reads all that the database has in its files: SQLite's, or the heap and index files of PostgreSQL."""

    def read() -> bytes:
        if database_url.startswith("sqlite"):
            return b"".join(path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()).lower()
        with engine.connect() as connection:
            connection.execute(sa.text("commit"))
            connection.exec_driver_sql("checkpoint")
            folder = "'base/' || (select oid from pg_database where datname = current_database())"
            listed = f"pg_ls_dir({folder}) as f where f ~ '^[0-9]+'"
            query = f"select pg_read_binary_file({folder} || '/' || f) from {listed}"
            return b"".join(bytes(row[0]) for row in connection.execute(sa.text(query))).lower()

    return read


def erase(client: TestClient, **fields: Any) -> dict[str, Any]:
    answer = client.post("/v1/erasures", json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_erased_words_are_in_no_byte(
    planted: TestClient,
    engine: sa.Engine,
    analyzer: FakeAnalyzer,
    stored_bytes: Callable[[], bytes],
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert all(word.encode() in stored_bytes() for word in PLANTED)
    request = {"kind": "account", "id": "crm-vexmoor", "also": ["Quenby Ardolph"]}
    counted = erase(planted, **request)
    assert counted["id"] is None
    assert planted.get("/v1/notes").json()["total"] == 3
    done = erase(planted, **request, confirm=True)
    assert done["counts"] == counted["counts"]
    assert (done["counts"]["notes"], done["counts"]["struck_notes"]) == (1, 1)
    analyse_all(engine, analyzer)
    left = stored_bytes()
    assert [word for word in PLANTED if word.encode() in left] == []
    out, err = capfd.readouterr()
    assert [word for word in PLANTED if word in (out + err).lower()] == []
    assert b"nothing else." in left
    assert planted.get("/v1/reports/2026-09").status_code == 200
    texts = [planted.get(f"/v1/notes/{n['id']}").json()["text"] for n in planted.get("/v1/notes").json()["items"]]
    assert sorted(texts) == ["Another day, too expensive.", "It is too expensive; [erased] says so."]


def test_what_is_erased_does_not_come_back_until_it_is_lifted(planted: TestClient) -> None:
    erasure = erase(planted, kind="account", id="Vexmoor Trundlewick", confirm=True)
    again = note("msg-9f@vexmoor.example", WORDS, source="mail", updated_at="2030-01-01T00:00:00Z")
    assert planted.post("/v1/notes", json=again).json()["results"][0]["result"] == "stale"
    other = note("msg-9f@vexmoor.example", WORDS, source="other")
    assert planted.post("/v1/notes", json=other).json()["results"][0]["result"] == "created"
    assert planted.post(f"/v1/erasures/{erasure['id']}/lift").json()["lifted_at"]
    assert planted.post("/v1/notes", json=again).json()["results"][0]["result"] == "created"
    assert [one["id"] for one in planted.get("/v1/erasures").json()["items"]] == [erasure["id"]]


def test_an_author_leaves_their_notes(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> None:
    client.post("/v1/notes", json=note("1", "Said to Ilona Vasseur.", author={"id": "r1", "name": "Ilona Vasseur"}))
    analyse_all(engine, analyzer)
    done = erase(client, kind="author", id="Ilona Vasseur", confirm=True)
    assert (done["counts"]["notes"], done["counts"]["struck_notes"]) == (0, 1)
    (kept,) = client.get("/v1/notes").json()["items"]
    read = client.get(f"/v1/notes/{kept['id']}").json()
    assert (read["text"], read["author"]) == ("Said to [erased].", None)


def test_what_is_not_there_is_told(client: TestClient) -> None:
    for kind in ("note", "account", "author"):
        answer = client.post("/v1/erasures", json={"kind": kind, "id": "nothing", "confirm": True})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert client.post("/v1/erasures/7/lift").status_code == 404
    assert client.get("/v1/erasures").json() == {"items": [], "next": None, "total": 0}
