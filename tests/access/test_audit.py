"""The audit log: who saw and changed what, nothing personal in clear, and tampering shows."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from typer.testing import CliRunner

from service.audit.acts import Act, acting, insert_acts
from service.audit.chain import Verdict, prune, seal_rows, verify
from service.audit.recording import Recorder
from service.audit.tables import AuditChainTable, AuditEventTable
from service.auth.queries import create_key
from service.auth.scopes import Role, Scope
from service.backup.restoring import restore_backup
from service.backup.writing import write_backup
from service.cli import cli
from service.database import make_engine, write_session
from service.settings import Settings
from tests.service.test_users import add_person
from tests.service.test_users import sign_in as by_password
from tests.service.visits import read_in, shown
from tests.work import note

NAME = "Marguerite Duval"


def logged(client: TestClient, **filters: object) -> list[dict]:
    client.app.state.recorder.flush()
    return client.get("/v1/audit", params=filters).json()["items"]


def acts(client: TestClient, **filters: object) -> list[tuple]:
    return [(one["actor"], one["action"], one["status"], one["changed"]) for one in logged(client, **filters)]


def check(engine: sa.Engine, seal: str | None = None) -> Verdict:
    with write_session(engine) as session:
        return verify(session, seal)


@pytest.fixture
def written(client: TestClient) -> TestClient:
    """A client some of whose acts are in the log: positions 1 to 4."""
    client.get("/v1/notes/7")
    client.get("/v1/search", params={"q": NAME, "language": "fr"})
    client.get("/v1/notes", headers={"Authorization": "Bearer bn_wrong"}, params={"account": NAME})
    client.app.state.recorder.flush()
    client.post("/v1/keys", json={"name": "crm", "scopes": ["read"]})
    client.app.state.recorder.flush()
    return client


def test_who_saw_and_changed_what(written: TestClient) -> None:
    page = written.get("/v1/audit").json()
    assert [(one["actor"], one["action"], one["status"], one["changed"]) for one in page["items"]] == [
        ("key:1", "POST /v1/keys", 201, {"api_keys": [2]}),
        ("nobody", "GET /v1/notes", 401, None),
        ("key:1", "GET /v1/search", 200, None),
        ("key:1", "GET /v1/notes/{note_id}", 404, None),
    ]
    assert page["items"][3]["subject"] == {"note_id": "7"}
    assert page["items"][0]["address"] == "testclient"
    assert written.get("/v1/audit?actor=nobody").json()["total"] == 1
    assert written.get("/v1/audit?changes=true").json()["total"] == 1
    assert written.get("/v1/audit", params={"until": "2020-01-01T00:00:00Z"}).json()["items"] == []
    first = written.get("/v1/audit?limit=3").json()
    second = written.get(f"/v1/audit?limit=3&cursor={first['next']}").json()
    ids = [int(one["id"]) for one in [*first["items"], *second["items"]]]
    newest = ids[0]  # 4, or more where a second has passed: to read the log is written there too
    assert ids == list(range(newest, newest - min(6, newest), -1))


def test_every_change_is_written_with_itself(client: TestClient, engine: sa.Engine) -> None:
    """Not even a process that is killed at once loses it: nothing is flushed here."""
    (note_id,) = read_in(engine, note("a", "It is too expensive for us."))
    user = client.post("/v1/users", json={"email": "bo@firm.example", "name": "Bo"}).json()["id"]
    client.patch(f"/v1/users/{user}", json={"role": "curator"})
    client.put("/v1/catalog", json={"us": ["Clavance"], "competitors": [{"name": "Rival"}]})
    client.post(
        "/v1/corrections",
        json={"kind": "missed_competitor", "note_id": str(note_id), "start": 0, "end": 2, "name": "It"},
    )
    client.post("/v1/connections", json={"source": "zapier"})
    client.post("/v1/erasures", json={"kind": "person", "id": NAME, "confirm": True})
    with engine.connect() as connection:
        rows = connection.execute(sa.select(AuditEventTable.action, AuditEventTable.changed)).all()
    changed = {row.action: set(row.changed) for row in rows}
    assert {"users", "sessions"} <= changed["POST /v1/users"]
    assert changed["PATCH /v1/users/{user_id}"] == {"users"}
    assert changed["POST /v1/corrections"] >= {"corrections"}
    assert changed["POST /v1/connections"] == {"connections"}
    assert changed["POST /v1/erasures"] >= {"erasures"}
    assert "PUT /v1/catalog" in changed


def test_a_change_that_fails_is_not_in_it_as_done(client: TestClient) -> None:
    client.post("/v1/users", json={"email": "bo@firm.example", "name": "Bo"})
    client.post("/v1/users", json={"email": "bo@firm.example", "name": "Bo"})
    assert acts(client)[0] == ("key:1", "POST /v1/users", 409, None)
    assert len(acts(client, changes=True)) == 1


def test_people_sign_in_look_at_pages_and_sign_out(client: TestClient, browser: TestClient, engine: sa.Engine) -> None:
    person = add_person(engine, Role.ADMIN)
    assert by_password(browser, "wrong wrong wrong") == 401
    assert by_password(browser) == 303
    browser.get("/search", params={"q": NAME})
    browser.post("/sign-out")
    browser.app.state.recorder.flush()
    found = [(actor, action) for actor, action, _, _ in acts(client)]
    assert found.count(("nobody", "POST /sign-in")) == 1
    assert {(f"user:{person}", one) for one in ("POST /sign-in", "GET /search", "POST /sign-out")} <= set(found)


def test_what_programs_send_in_is_counted(client: TestClient) -> None:
    for number in range(5):
        assert client.post("/v1/notes", json=note(f"n{number}", "Hello.")).status_code == 202
    (one,) = logged(client)
    assert (one["action"], one["times"], one["changed"]) == ("POST /v1/notes", 5, None)


def test_what_is_looked_for_is_there_as_a_hash_that_an_erasure_blinds(written: TestClient, engine: sa.Engine) -> None:
    def searched() -> str:
        written.get("/v1/search", params={"q": NAME, "account": NAME})
        written.get(f"/v1/competitors/{NAME}")
        written.get("/v1/search", params={"q": "price"})
        assert logged(written)[0]["filters"]["q"].startswith("hash:")
        assert NAME.split()[0] not in json.dumps(logged(written))
        return logged(written, action="GET /v1/search")[1]["filters"]["q"]

    assert logged(written, action="GET /v1/search")[0]["filters"]["language"] == "fr"
    before = searched()
    assert before == searched()
    done = written.post("/v1/erasures", json={"kind": "person", "id": NAME, "also": ["M. D."], "confirm": True})
    assert done.status_code == 200, done.text
    assert before.startswith("hash:")
    assert searched() != before
    with engine.connect() as connection:
        rows = str(connection.execute(sa.select(sa.text("*")).select_from(AuditEventTable)).all())
    assert "Marguerite" not in rows
    assert "Duval" not in rows
    assert check(engine).broken_at is None


def test_it_is_written_out_and_no_cell_is_a_formula(written: TestClient, engine: sa.Engine) -> None:
    with write_session(engine) as session:
        formula = {"request_id": "", "address": "=1+1", "action": "@x", "subject": {}, "filters": {"=q": "7"}}
        insert_acts(session, [{**formula, "at": datetime.now(UTC), "actor": "nobody", "status": 401, "times": 1}])
    lines = written.get("/v1/audit/export").text.splitlines()
    assert [json.loads(line)["action"] for line in lines][:2] == ["@x", "POST /v1/keys"]
    answer = written.get("/v1/audit/export?format=csv&actor=nobody")
    assert "binome-audit.csv" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["action"], row["address"]) for row in rows] == [("'@x", "'=1+1"), ("GET /v1/notes", "testclient")]
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    sheet = load_workbook(io.BytesIO(written.get("/v1/audit/export?format=xlsx&actor=nobody").content)).active
    cells = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert [(row[4], row[3]) for row in cells] == [("@x", "=1+1"), ("GET /v1/notes", "testclient")]
    assert all(cell.data_type != "f" for row in sheet.rows for cell in row)


def test_commands_are_in_it(settings: Settings, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINOME_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("BINOME_DATA_DIR", str(settings.data_dir))
    run = CliRunner().invoke
    assert run(cli, ["users", "add", "marguerite@firm.example", "--role", "reader"]).exit_code == 0
    assert run(cli, ["export", "notes"]).exit_code == 0
    checked = run(cli, ["audit", "verify"])
    assert checked.exit_code == 0
    assert "0 rows fit, 2 not sealed yet" in checked.output
    Recorder(engine, 0).flush()
    assert "3 rows fit" in run(cli, ["audit", "verify"]).output
    found = [json.loads(line) for line in run(cli, ["audit", "export"]).stdout.splitlines()]
    assert [one["action"] for one in found][-3:] == ["binome audit verify", "binome export", "binome users add"]
    assert {one["actor"].partition(":")[0] for one in found} == {"command"}
    assert "marguerite" not in json.dumps(found)
    with write_session(engine) as session:
        session.execute(sa.update(AuditEventTable).where(AuditEventTable.position == 2).values(status=1))
    broken = run(cli, ["audit", "verify"])
    assert broken.exit_code == 1


@pytest.mark.parametrize(
    "tamper",
    [
        sa.update(AuditEventTable).where(AuditEventTable.position == 2).values(actor="key:2"),
        sa.update(AuditEventTable).where(AuditEventTable.position == 4).values(changed=None),
        sa.delete(AuditEventTable).where(AuditEventTable.position == 3),
        sa.delete(AuditEventTable).where(AuditEventTable.position == 4),
        sa.delete(AuditEventTable).where(AuditEventTable.position == 1),
    ],
)
def test_tampering_shows(written: TestClient, engine: sa.Engine, tamper: sa.Executable) -> None:
    assert check(engine).broken_at is None
    with write_session(engine) as session:
        session.execute(tamper)
    assert check(engine).broken_at is not None


def test_a_seal_that_was_kept_shows_a_log_written_anew(written: TestClient, engine: sa.Engine) -> None:
    with write_session(engine) as session:
        kept = session.scalars(sa.select(AuditChainTable.last_seal)).one()
    assert check(engine, kept).known is True
    assert check(engine, "0" * 64).known is False


def test_retention_keeps_the_rest_of_the_chain_whole(written: TestClient, engine: sa.Engine) -> None:
    later = datetime.now(UTC) + timedelta(days=30)
    with write_session(engine) as session:
        assert prune(session, 0, later) == 0
        assert prune(session, 40, later) == 0
        assert prune(session, 20, later) == 4
    assert check(engine).broken_at is None
    written.get("/v1/notes/8")
    assert logged(written)[0]["position"] == 5
    assert check(engine).broken_at is None


def test_a_restored_log_still_fits(written: TestClient, engine: sa.Engine, empty_url: str, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("backup") / "b.zip"
    write_backup(engine, path, datetime.now(UTC))
    restore_backup(empty_url, path)
    restored = make_engine(empty_url)
    assert check(restored) == check(engine)
    restored.dispose()


def test_many_who_write_at_once_break_no_chain(engine: sa.Engine) -> None:
    """Transactions that write acts with their changes, recorders that write and seal, all at the same time."""
    faults: list[BaseException] = []

    def change(number: int) -> None:
        described = {"request_id": "", "address": None, "action": "POST", "subject": {}, "filters": {}, "status": 200}
        for turn in range(10):
            with acting(Act(lambda: described, f"key:{number}")), write_session(engine) as session:
                create_key(session, name=f"{number}-{turn}", scopes=[Scope.READ], now=datetime.now(UTC))

    def record(number: int) -> None:
        recorder = Recorder(engine, 400)
        for turn in range(10):
            described = {"request_id": "", "address": None, "action": "GET", "filters": {}, "status": 200}
            recorder.add(actor=f"user:{number}", subject={"turn": turn}, **described)
            recorder.flush()
        assert not recorder._waiting

    def guarded(work, number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=guarded, args=(work, n)) for work in (change, record) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with write_session(engine) as session:
        seal_rows(session)
    verdict = check(engine)
    assert (verdict.rows, verdict.unsealed, verdict.broken_at) == (80, 0, None)


def test_a_database_that_is_away_gets_it_later(client: TestClient, engine: sa.Engine) -> None:
    client.get("/v1/notes/7")
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE audit_events RENAME TO elsewhere"))
    client.app.state.recorder.flush()
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO audit_events"))
    assert acts(client)[0][1] == "GET /v1/notes/{note_id}"


def test_starting_tells_the_settings_but_no_secret(settings: Settings) -> None:
    told = settings.model_copy(update={"port": 8010, "smtp_url": "smtp://u:geheim@mail.example"}).not_as_they_come()
    assert told["port"] == "8010"
    assert told["smtp_url"] == told["admin_key"] == "set"


def test_a_page_shows_it_to_administrators(admin: TestClient, engine: sa.Engine) -> None:
    assert admin.post("/keys", data={"name": "crm <b>", "scope-read": "on"}).status_code == 201
    admin.get("/search", params={"q": NAME, "from": "2026-01-01"})
    for _ in range(60):
        admin.get("/status")
        admin.app.state.recorder.flush()
    first = admin.get("/audit").text
    assert "Older lines" in first
    older = admin.get(re.findall(r'href="(/audit\?before=\d+)"', first)[0]).text
    assert "POST /keys" in older
    assert "api_keys 2" in older
    assert "from=2026-01-01" in older
    assert "Marguerite" not in first + older
    changes = admin.get("/audit?changes=only&actor=key:1&lang=fr")
    assert "1 ligne" in shown(changes.text)
    assert "GET /status" not in changes.text
    export = re.findall(r'href="(/v1/audit/export[^"]+)"', changes.text)[0]
    assert "actor=key%3A1" in export
    assert len(admin.get(unescape(export)).text.splitlines()) == 2
    for wrong in ("?from=x&to=2026-99-01&before=-1&changes=7", "?to=9999-12-31", "?from=0001-01-01&actor=x"):
        assert admin.get(f"/audit{wrong}").status_code == 200, wrong
