"""What could not be taken: played again once its cause is mended, or dismissed, by whom and when."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from service.cli import cli
from service.database import write_session
from service.source_tables import FetchTable, KeptDeliveryTable, SetAsideTable
from service.sources.contract import Aside
from service.sources.faults.queries import forget_old, set_aside
from tests.service.visits import NOW, shown

SECRET = "a-token-of-zapier"


@pytest.fixture
def zapier(client: TestClient) -> str:
    """Let Zapier in, with a mapping that is wrong; return its connection's id."""
    body = {"source": "zapier", "secret": SECRET, "options": {"fields": {"Corps": "title", "Note": None}}}
    return str(client.post("/v1/connections", json=body).json()["id"])


def mend(client: TestClient, connection: str, **fields: str | None) -> None:
    assert client.patch(f"/v1/connections/{connection}", json={"options": {"fields": fields}}).status_code == 200


def post(client: TestClient, body: Any) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    return client.post("/v1/webhooks/zapier", content=content, headers=headers)


def faults(client: TestClient, **params: str) -> list[dict[str, Any]]:
    return list(client.get("/v1/sources/faults", params=params).json()["items"])


def count(engine: sa.Engine, table: Any) -> int:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_what_was_set_aside_goes_after_90_days_though_nothing_new_comes(
    client: TestClient, engine: sa.Engine, zapier: str
) -> None:
    post(client, {"id": "1", "Datum": "2026-09-01", "Bemerkung": "They find it too expensive."})
    for days, kept in ((89, 1), (91, 0)):
        with write_session(engine) as session:
            forget_old(session, datetime.now(UTC) + timedelta(days=days))
        assert (count(engine, SetAsideTable), count(engine, KeptDeliveryTable)) == (kept, kept)


def test_a_refused_body_is_played_again_after_its_mapping_is_mended(
    client: TestClient, engine: sa.Engine, zapier: str
) -> None:
    refused = post(client, {"id": "1", "Datum": "2026-09-01", "Bemerkung": "They find it too expensive."})
    assert refused.status_code == 422
    (fault,) = faults(client)
    assert (fault["state"], fault["replayable"]) == ("open", True)
    again = client.post(f"/v1/sources/faults/{fault['id']}/replay")
    assert again.status_code == 409, "nothing is mended yet"
    assert "still" in again.json()["detail"]
    mend(client, zapier, Bemerkung="text", Datum="occurred_at")
    again = client.post(f"/v1/sources/faults/{fault['id']}/replay")
    assert (again.status_code, again.json()) == (202, {"results": {"created": 1}})
    (note,) = client.get("/v1/notes").json()["items"]
    assert (note["source"], note["occurred_at"]) == ("zapier", "2026-09-01T00:00:00Z")
    assert faults(client) == []
    (settled,) = faults(client, state="replayed")
    assert (settled["settled_by"], settled["payload"]) == ("tests", "")
    assert count(engine, KeptDeliveryTable) == 0, "what was sent is kept no longer than needed"
    assert client.post(f"/v1/sources/faults/{fault['id']}/replay").status_code == 409
    assert client.post(f"/v1/sources/faults/{fault['id']}/dismiss").status_code == 409
    sources = {one["source"]: one for one in client.get("/v1/sources").json()["items"]}
    assert sources["zapier"]["set_aside"] == 0


def test_items_of_a_batch_go_along_and_nothing_newer_is_overwritten(
    client: TestClient, engine: sa.Engine, zapier: str
) -> None:
    mend(client, zapier, Corps="text", Wann="occurred_at")
    first = {"id": "1", "Corps": "Too expensive for them.", "Wann": "01/09/2026"}
    bad = [{"id": name, "Corps": "They want a discount.", "Wann": "31/31/2026"} for name in ("2", "3")]
    assert post(client, {"items": [first, *bad]}).json() == {"results": {"created": 1, "set_aside": 2}}
    post(client, {**first, "Corps": "An edit that came later."})
    with write_session(engine) as session:  # the body is kept, the token that proved it is not
        (kept,) = session.scalars(sa.select(KeptDeliveryTable))
        assert SECRET not in json.dumps(kept.headers)
        assert b"discount" in kept.body
    mend(client, zapier, Corps="text", Wann=None)
    one, other = faults(client)
    came = client.post(f"/v1/sources/faults/{one['id']}/replay").json()["results"]
    assert came == {"created": 2, "stale": 1}
    assert faults(client) == [], f"{other['id']} is of the same delivery"
    texts = {note["external_id"]: client.get(f"/v1/notes/{note['id']}").json()["text"]
             for note in client.get("/v1/notes").json()["items"]}  # fmt: skip
    assert texts["1"] == "An edit that came later."
    assert texts["2"] == "They want a discount."


def test_many_are_played_again_or_dismissed_at_once(client: TestClient, engine: sa.Engine, zapier: str) -> None:
    for number in range(3):
        post(client, {"id": f"{number}", "Bemerkung": "Too dear."})
    post(client, b"{")
    mend(client, zapier, Bemerkung="text")
    came = client.post("/v1/sources/faults/replay", json={"source": "zapier"}).json()
    assert came == {"results": {"created": 3}, "replayed": 3, "refused": 1, "left": 0}
    assert client.post("/v1/sources/faults/dismiss", json={"code": "invalid_form"}).json() == {"dismissed": 0}
    assert client.post("/v1/sources/faults/dismiss", json={"code": "invalid_json"}).json() == {"dismissed": 1}
    assert faults(client) == []
    assert {one["state"] for one in faults(client, state="all")} == {"replayed", "dismissed"}
    assert count(engine, KeptDeliveryTable) == 0
    assert client.post("/v1/sources/faults/99999/replay").status_code == 404
    assert client.post("/v1/sources/faults/99999/dismiss").status_code == 404


def test_what_can_t_be_played_again_says_so(client: TestClient, engine: sa.Engine) -> None:
    with write_session(engine) as session:
        set_aside(session, "hubspot", "main", Aside("privacy_deletion", "contact 5 asks for erasure"), NOW)
        failed = Aside("fetch_failed", "0-46 can't be fetched", None, "77")
        set_aside(session, "hubspot", "main", failed, NOW, {"object_type": "0-46", "object_id": "77"})
    record, notice = faults(client)
    assert (record["replayable"], notice["replayable"]) == (True, False)
    assert client.post(f"/v1/sources/faults/{notice['id']}/replay").status_code == 409
    gone = client.post(f"/v1/sources/faults/{record['id']}/replay")
    assert gone.status_code == 409
    assert "credentials" in gone.json()["detail"]
    body = {"source": "hubspot", "secret": "hubspot-secret", "options": {"access_token": "pat-eu1-7"}}
    client.post("/v1/connections", json=body)
    assert client.post(f"/v1/sources/faults/{record['id']}/replay").json() == {"results": {"to_fetch": 1}}
    with engine.connect() as connection:
        row = connection.execute(sa.select(FetchTable.object_id, FetchTable.state, FetchTable.reason)).one()
        assert tuple(row) == ("77", "waiting", "replay")


def test_a_connection_that_is_gone_plays_nothing_again(client: TestClient, zapier: str) -> None:
    body = {"source": "standard", "secret": "whsec_" + "A" * 32, "name": "main"}
    made = client.post("/v1/connections", json=body).json()
    post(client, {"id": "1", "Bemerkung": "Too dear."})
    client.delete(f"/v1/connections/{zapier}")
    (fault,) = faults(client)
    # a holder of a key may send without a connection, so it is read with no options at all
    assert client.post(f"/v1/sources/faults/{fault['id']}/replay").status_code == 409
    assert client.delete(f"/v1/connections/{made['id']}").status_code == 204


def test_faults_and_what_is_kept_are_forgotten_after_ninety_days(
    client: TestClient, engine: sa.Engine, zapier: str
) -> None:
    post(client, {"id": "1", "Bemerkung": "Too dear."})
    with write_session(engine) as session:
        session.execute(sa.update(SetAsideTable).values(received_at=datetime.now(UTC) - timedelta(days=91)))
    post(client, {"id": "2", "Bemerkung": "Too dear."})
    assert (count(engine, SetAsideTable), count(engine, KeptDeliveryTable)) == (1, 1)


def test_the_page_plays_again_and_dismisses(admin: TestClient, engine: sa.Engine) -> None:
    with write_session(engine) as session:
        set_aside(session, "hubspot", "main", Aside("foreign_portal", "the event is of portal 7"), NOW)
        failed = Aside("fetch_failed", "0-46 can't be fetched", None, "77")
        set_aside(session, "hubspot", "main", failed, NOW, {"object_type": "0-46", "object_id": "77"})
        ids = [row.id for row in session.scalars(sa.select(SetAsideTable).order_by(SetAsideTable.id))]
    page = admin.get("/sources").text
    assert page.count('value="replay"') == 2, "for the one that can be played again, and for all"
    refused = admin.post(f"/sources/faults/{ids[1]}", data={"do": "replay"})
    assert refused.status_code == 409
    assert "has no credentials for its API" in shown(refused.text)
    assert "Some can't be taken still" in shown(admin.post("/sources/faults", data={"do": "replay"}).text)
    assert admin.post(f"/sources/faults/{ids[0]}", data={"do": "dismiss"}).status_code == 303
    assert "the event is of portal 7" not in admin.get("/sources").text
    assert admin.post("/sources/faults", data={"do": "dismiss"}).status_code == 303
    assert "Tout ce qui a été envoyé a été pris" in shown(admin.get("/sources?lang=fr").text)


def test_who_may_not_administer_settles_nothing(signed: TestClient) -> None:
    for path in ("/sources/faults", "/sources/faults/1"):
        assert signed.post(path, data={"do": "dismiss"}).status_code == 403


def test_the_command_lists_plays_again_and_dismisses(
    client: TestClient, zapier: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(client, {"id": "1", "Bemerkung": "Too dear."})
    post(client, b"{")
    mend(client, zapier, Bemerkung="text")
    monkeypatch.setenv("BINOME_DATABASE_URL", database_url)
    monkeypatch.setenv("BINOME_DATA_DIR", str(tmp_path))  # with the key of its secrets
    run = CliRunner().invoke
    listed = json.loads(run(cli, ["faults", "list", "--json"]).stdout)
    assert listed[0]["code"] == "invalid_json"
    done = run(cli, ["faults", "replay", "--source", "zapier"])
    assert (done.exit_code, done.stdout) == (1, "1 played again (created 1), 1 can't be taken still.\n")
    assert run(cli, ["faults", "dismiss", listed[0]["id"]]).stdout == "1 dismissed.\n"
    assert run(cli, ["faults", "dismiss"]).exit_code == 1
    assert json.loads(run(cli, ["faults", "list", "--json"]).stdout) == []
