"""All that is held on a person: nothing that an erasure would strike is missing, and nothing of others comes along."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from service.auth.scopes import Role, Scope
from service.auth.sessions import SessionKind, open_session
from service.auth.tables import UserTable
from service.cli import cli
from service.database import write_session
from service.jobs.tables import JobTable
from service.saved_filters.tables import SavedFilterTable
from service.source_tables import ImportRefusalTable, ImportTable, KeptDeliveryTable, NoteContactTable
from service.sources.contract import Aside
from service.sources.faults.queries import keep_delivery, set_aside
from service.tables import NoteTable
from service.users.queries import add_user
from tests.service.visits import make_key, read_in
from tests.work import note

NOW = datetime(2026, 10, 2, 6, tzinfo=UTC)
ILONA = {"id": "rep-07", "name": "Ilona Vasseur", "team": "north"}
EMAIL = "ilona@firm.example"


@pytest.fixture
def held(client: TestClient, engine: sa.Engine) -> TestClient:
    read_in(
        engine,
        note("written", "It is too expensive.", author=ILONA),
        note("told", "I told Ilona Vasseur that it is dear; ilona vasseur agreed.", author={"id": "r2", "name": "Max"}),
        note("other", "Nobody is named here: too expensive.", author={"id": "r2", "name": "Max"}),
        note("about", "They wait for our offer.", source="hubspot"),
    )
    with write_session(engine) as session:
        user = add_user(session, email=EMAIL, name="I. Vasseur", role=Role.CURATOR, sees_personal=False, now=NOW)
        assert user is not None
        open_session(session, user, SessionKind.COOKIE, NOW)
        session.add(NoteContactTable(source="hubspot", external_id="about", contact="c-9"))
        fault = set_aside(session, "mail", "main", Aside("no_text", "unread", "From Ilona Vasseur", "m1"), NOW)
        kept = {"source": "mail", "connection": "main", "method": "POST", "received_at": NOW, "headers": {}}
        keep_delivery(session, [fault], KeptDeliveryTable(body=b"Ilona+Vasseur+wrote", **kept))
        given = {"size": 1, "options": {}, "found": {}, "results": {}, "created_at": NOW}
        mine = ImportTable(name="mine.csv", fingerprint="a", requested_by="I. Vasseur", **given)
        session.add_all([mine, ImportTable(name="other.csv", fingerprint="b", requested_by="Max", **given)])
        session.flush()
        row = {"number": 1, "member": "", "field": "date", "code": "date", "message": "no date"}
        session.add(ImportRefusalTable(import_id=mine.id, cells={"Note": "Call with ilona vasseur"}, **row))
        session.add(ImportRefusalTable(import_id=mine.id, cells={"Note": "Call with Max"}, **row))
        saved = {"shared": False, "created_at": NOW}
        session.add(SavedFilterTable(owner=f"user:{user.id}", name="Mine", filters={"team": "north"}, **saved))
        session.add(SavedFilterTable(owner="key:1", name="Of rep-07", filters={"author": "rep-07"}, **saved))
        asked = {"state": "done", "created_at": NOW, "params": {}}
        session.add(JobTable(kind="build_report", requested_by="I. Vasseur", **asked))
        session.add(JobTable(kind="build_report", requested_by="Max", **asked))
    return client


def export(client: TestClient, **asked: str) -> dict[str, Any]:
    answer = client.get("/v1/persons/export", params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def test_all_of_a_person_and_nothing_of_others(held: TestClient, engine: sa.Engine) -> None:
    found = export(held, name="Ilona Vasseur", email="Ilona@firm.example", contact="c-9")
    assert [author["id"] for author in found["authors"]] == ["rep-07"]
    assert {one["external_id"]: one["why"] for one in found["notes"]} == {
        "written": ["written"],
        "told": ["mentions"],
        "about": ["about"],
    }
    (told,) = [one for one in found["notes"] if one["external_id"] == "told"]
    assert [told["text"][span["start"] : span["end"]] for span in told["spans"]] == ["Ilona Vasseur", "ilona vasseur"]
    assert [(user["email"], user["role"]) for user in found["users"]] == [(EMAIL, "curator")]
    assert "password" not in str(found["users"])
    assert [one["kind"] for one in found["sessions"]] == ["cookie"]
    kinds = sorted((one["kind"], one["why"]) for one in found["records"])
    assert kinds == [
        ("import_refusals", "mentions"),
        ("imports", "did"),
        ("jobs", "did"),
        ("kept_deliveries", "mentions"),
        ("saved_filters", "did"),
        ("saved_filters", "mentions"),
        ("set_aside", "mentions"),
    ]
    assert "Max" not in str(found["records"])


def test_it_shows_what_an_erasure_of_the_name_takes(held: TestClient) -> None:
    found = export(held, name="Ilona Vasseur")
    counts = held.post("/v1/erasures", json={"kind": "person", "id": "Ilona Vasseur"}).json()["counts"]
    mentioning = [one for one in found["notes"] if "mentions" in one["why"]]
    assert len(mentioning) == counts["struck_notes"] == 1
    kept = [one for one in found["records"] if one["kind"] in {"kept_deliveries", "set_aside", "import_refusals"}]
    assert len(kept) == counts["records"] == 3
    held.post("/v1/erasures", json={"kind": "person", "id": "Ilona Vasseur", "confirm": True})
    held.post("/v1/erasures", json={"kind": "author", "id": "rep-07", "confirm": True})
    after = export(held, name="Ilona Vasseur")
    assert (after["authors"], after["notes"]) == ([], [])
    assert [one for one in after["records"] if one["why"] == "mentions"] == []


def test_it_can_be_read(held: TestClient, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    text = held.get("/v1/persons/export", params={"author": "rep-07", "format": "text"}).text
    assert "It is too expensive." in text
    assert "written" in text
    assert held.get("/v1/persons/export", params={"name": "Nobody Here", "format": "text"}).text.endswith("Nothing.\n")
    monkeypatch.setenv("BINOME_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("BINOME_DATA_DIR", str(tmp_path))
    written = CliRunner().invoke(cli, ["export", "person", "--author", "rep-07"])
    assert written.exit_code == 0, written.output
    assert '"rep-07"' in written.output


def test_who_may_ask_is_told_and_written_down(held: TestClient, engine: sa.Engine) -> None:
    assert held.get("/v1/persons/export").status_code == 422
    assert held.get("/v1/persons/export", params={"source": "hubspot"}).status_code == 422
    _, secret = make_key(engine, Scope.READ, Scope.PERSONAL)
    refused = held.get("/v1/persons/export?name=Max", headers={"Authorization": f"Bearer {secret}"})
    assert refused.status_code == 403
    export(held, name="Ilona Vasseur")
    held.app.state.recorder.flush()
    acts = held.get("/v1/audit", params={"action": "GET /v1/persons/export"}).json()["items"]
    assert any(act["status"] == 200 for act in acts)
    assert "Ilona" not in str(acts), "the log has a keyed hash"


def test_the_account_goes_by_the_address_alone(held: TestClient, engine: sa.Engine) -> None:
    found = export(held, email=EMAIL)
    assert len(found["users"]) == 1
    assert found["notes"] == []
    with write_session(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(UserTable)) == 1
        assert session.scalar(sa.select(sa.func.count()).select_from(NoteTable)) == 4
