"""What Prometheus reads: counted by service and workers, of few labels, for those who may."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from service.app import create_app
from service.auth.queries import create_key
from service.auth.scopes import Scope
from service.database import read_session, write_session
from service.operation.counts import UnsavedCounts
from service.operation.instruments import NOTES_READ
from service.operation.tables import CountTable
from service.settings import Settings
from tests.analyzers import UNREADABLE, FakeAnalyzer
from tests.work import analyse_all, note

ROOT = Path(__file__).parents[2]
OPERATION = ROOT / "service" / "operation"
TOKEN = "token-of-prometheus"


def samples(client: TestClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(client: TestClient, name: str, **labels: str) -> float:
    return samples(client).get((name, tuple(sorted(labels.items()))), 0.0)


def test_requests_notes_and_state_are_counted(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> None:
    taken = {"source": "api", "result": "created", "process": "service"}
    asked = {"method": "POST", "route": "/v1/notes", "status": "202", "process": "service"}
    odd = {"source": "other", "result": "created", "process": "service"}
    before = value(client, "binome_notes_taken_total", **taken), value(client, "binome_http_requests_total", **asked)
    others = value(client, "binome_notes_taken_total", **odd)
    client.post("/v1/notes", json={"notes": [note("a"), note("b"), note("c", source="of-my-own-making")]})
    client.post("/v1/notes", json=note("d", text=""))
    assert value(client, "binome_notes_taken_total", **taken) == before[0] + 2
    assert value(client, "binome_notes_taken_total", **odd) == others + 1, "no label for each name that callers invent"
    assert value(client, "binome_http_requests_total", **asked) == before[1] + 1
    assert value(client, "binome_notes", state="waiting") == 3
    analyse_all(engine, analyzer)
    assert value(client, "binome_notes", state="analysed") == 3
    found = {name for name, _ in samples(client)}
    assert {"binome_database_bytes", "binome_disk_free_bytes", "binome_build_info", "binome_workers_ready"} <= found


def test_a_path_that_does_not_exist_has_no_label_of_its_own(client: TestClient) -> None:
    for i in range(5):
        client.get(f"/v1/invented-{i}")
    routes = {dict(labels).get("route") for name, labels in samples(client) if name == "binome_http_requests_total"}
    assert not [route for route in routes if route and "invented" in route]


def test_what_is_not_stored_is_not_counted(client: TestClient, engine: sa.Engine) -> None:
    labels = {"source": "api", "result": "created", "process": "service"}
    before = value(client, "binome_notes_taken_total", **labels)

    def fail(_connection: sa.Connection) -> None:
        raise sa.exc.OperationalError("commit", {}, Exception("the disk is gone"))

    sa.event.listen(engine, "commit", fail)
    try:
        assert client.post("/v1/notes", json=note("a")).status_code == 503
    finally:
        sa.event.remove(engine, "commit", fail)
    assert value(client, "binome_notes_taken_total", **labels) == before


def test_workers_count_into_the_database(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> None:
    """Two workers and one that came before add up; what is saved is not saved again."""
    counts = UnsavedCounts()
    client.post("/v1/notes", json={"notes": [note("a"), note("b"), note("c", UNREADABLE)]})
    analyse_all(engine, analyzer)
    for _ in range(2):
        with write_session(engine) as session:
            saved = counts.save(session)
        counts.done(saved)
    read = {"result": "read", "process": "workers"}
    assert value(client, "binome_notes_read_total", **read) == 2
    other = UnsavedCounts()
    NOTES_READ.labels("read").inc(5)
    with write_session(engine) as session:
        other.save(session)
    assert value(client, "binome_notes_read_total", **read) == 7
    with read_session(engine) as session:
        names = set(session.scalars(sa.select(CountTable.name)))
    assert "binome_analysis_batch_seconds_bucket" in names
    assert not [name for name in names if name.endswith("_created")]


@pytest.mark.parametrize(("sent", "status"), [(TOKEN, 200), (TOKEN + "x", 401), ("", 401)])
def test_who_may_read_metrics(
    client: TestClient, settings: Settings, engine: sa.Engine, sent: str, status: int
) -> None:
    app = create_app(settings.model_copy(update={"metrics_token": TOKEN}), engine)
    app.openapi = client.app.openapi
    scraper = TestClient(app)
    headers = {"Authorization": f"Bearer {sent}"} if sent else {}
    assert scraper.get("/metrics", headers=headers).status_code == status
    assert scraper.get("/v1/notes", headers=headers).status_code == 401, "the token opens nothing else"
    with write_session(engine) as session:
        key = create_key(session, name="reader", scopes=[Scope.READ], now=datetime.now(UTC))[1]
    assert scraper.get("/metrics", headers={"Authorization": f"Bearer {key}"}).status_code == 403


def test_dashboard_and_alerts_name_metrics_that_are_there(client: TestClient, engine: sa.Engine) -> None:
    client.post("/v1/notes", json=note("a"))
    families = text_string_to_metric_families(client.get("/metrics").text)
    known = {"binome_source_late", "binome_source_last_note_seconds", "binome_last_fit_seconds"}  # only where there are
    for family in families:
        known |= {family.name, f"{family.name}_total", f"{family.name}_bucket", f"{family.name}_count"}
        known |= {sample.name for sample in family.samples}
    for name in ("grafana.json", "alerts.yml"):
        text = (OPERATION / name).read_text(encoding="utf-8")
        named = set(re.findall(r"\bbinome_[a-z_]+", text))
        assert named, name
        assert named <= known, named - known
    dashboard = json.loads((OPERATION / "grafana.json").read_text(encoding="utf-8"))
    assert len(dashboard["panels"]) >= 8
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
