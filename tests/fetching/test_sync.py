"""Synchronisation: page by page from a stored cursor, on demand and on schedule."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from service.cli import cli
from service.database import read_session, write_session
from service.settings import Settings
from service.source_tables import SourceActivityTable, SyncTable
from service.sources.fetching import hubspot as hubspot_module
from service.sources.fetching.syncing import Syncing
from service.sources.fetching.working import Fetching
from service.tables import DealTable
from tests.fetching.conftest import fetch_due, shown, sync_due, texts, want
from tests.fetching.servers import HubSpotApi
from tests.fetching.test_hubspot import CALLS, DEALS, NOTES, fill
from tests.service.test_cli import run

Connect = Callable[..., None]


def test_first_synchronisation(
    client: TestClient, engine: sa.Engine, settings: Settings, hubspot: HubSpotApi, connect: Connect
) -> None:
    connect("hubspot", access_token="token-1", base_url=hubspot.url, reconcile_hours=0)
    fill(hubspot, 25)
    hubspot.put(DEALS, "77", amount="100", dealstage="x", hs_is_closed_won="true")
    hubspot.page_size = 10
    hubspot.forbidden = {"0-49"}
    hubspot.put(CALLS, "7", hs_call_body="Called.")
    want(engine, "hubspot", NOTES, "3")
    fetch_due(engine, settings)
    usual = client.get("/v1/sources").json()
    asked = client.post("/v1/sources/hubspot:main/sync")
    assert (asked.status_code, asked.json()["kind"], asked.json()["state"]) == (202, "sync_source", "queued")
    assert client.post("/v1/sources/1/sync", json={"since": "2026-01-01"}).json()["id"] == asked.json()["id"]
    sync_due(engine, settings)
    job = client.get(f"/v1/jobs/{asked.json()['id']}").json()
    assert (job["state"], job["done"], job["result"]["created"], job["result"]["records"]) == ("done", 32, 25, 32)
    assert job["result"]["skipped"] == {"0-49": "it answered 403: the token may not read this: /crm/v3/objects/0-49"}
    assert len(texts(engine)) == 26
    with read_session(engine) as session:
        outcome = session.scalar(sa.select(DealTable.outcome).where(DealTable.key == "77"))
    assert outcome == "won", "a deal without notes: some may come for it later"
    assert shown(client, "0-46:25")["account"]["id"] == "2001"
    (source,) = [one for one in client.get("/v1/sources").json()["items"] if one["source"] == "hubspot"]
    assert source["api"][0]["sync"]["state"] == "done"
    assert "403" in source["api"][0]["attention"]
    before = next(one for one in usual["items"] if one["source"] == "hubspot")["freshness"][0]
    after = source["freshness"][0]
    assert (after["notes"], after["usual_gap_seconds"]) == (26, before["usual_gap_seconds"]), "history is no habit"
    assert after["last_note_at"] == before["last_note_at"]
    for wrong, status in (("slack", 404), ("gong", 409), ("99", 404), ("hubspot:other", 409)):
        assert client.post(f"/v1/sources/{wrong}/sync").status_code == status, wrong
    assert client.post("/v1/sources/hubspot/sync", json={"since": "x"}).status_code == 422


def test_changes_since(
    client: TestClient, engine: sa.Engine, settings: Settings, hubspot: HubSpotApi, connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A search gives so many records at most: it goes on from the last change that it saw."""
    monkeypatch.setattr(hubspot_module, "SEARCH_MOST", 20)
    hubspot.page_size = 10
    connect("hubspot", access_token="token-1", base_url=hubspot.url)
    for number in range(1, 64):
        hubspot.put(NOTES, str(number), f"2026-09-02T10:{number // 3:02}:00Z", hs_note_body=f"Note {number}")
    hubspot.put(DEALS, "1001", "2026-09-05T10:00:00Z", dealstage="closedlost")
    hubspot.link(NOTES, "60", DEALS, "1001")
    hubspot.put(DEALS, "1002", "2026-09-05T11:00:00Z", dealstage="closedwon")
    now = datetime.now(UTC)
    syncing = Syncing(engine, settings, Fetching(engine, settings))
    syncing.reconcile()
    with read_session(engine) as session:
        assert session.scalar(sa.select(SyncTable.id)) is None, "what was set up just now has missed nothing"
    with write_session(engine) as session:
        table = sa.table("api_states", sa.column("created_at", sa.DateTime(timezone=True)))
        session.execute(sa.update(table).values(created_at=datetime(2026, 9, 2, 10, 5)))
    syncing.reconcile()
    syncing.reconcile()
    sync_due(engine, settings)
    with read_session(engine) as session:
        row = session.scalars(sa.select(SyncTable)).one()
        assert row.state == "done"
        assert row.since is not None
        assert now - row.started_at < timedelta(minutes=5)
    assert sorted(int(key.removeprefix("0-46:")) for key in texts(engine)) == list(range(1, 64))
    assert shown(client, "0-46:60")["deal"]["outcome"] == "lost"
    later = {"external_id": "report-1", "text": "Far too dear for them.", "deal": {"id": "1002"}}
    assert client.post("/v1/notes", json=later).status_code == 202
    assert shown(client, "report-1")["deal"]["outcome"] == "won", "told by a synchronisation before it had a note"
    syncing.reconcile()
    with read_session(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SyncTable)) == 1, "not before six hours"
        assert session.scalars(sa.select(SourceActivityTable.gap_seconds)).one() is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_on_the_command_line(
    database_url: str, tmp_path: Path, connect: Connect, hubspot: HubSpotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BINOME_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("BINOME_DATABASE_URL", database_url)
    connect("hubspot", access_token="token-1", base_url=hubspot.url)
    assert run("connections", "sync", "hubspot", "--since", "2026-01-01").startswith("job 1")
    (listed,) = json.loads(run("connections", "list", "--json"))
    assert listed["options"]["access_token"] == "***"
    refused = CliRunner().invoke(cli, ["connections", "sync", "gong"])
    assert "gong has no connection 'main' with an API" in str(refused.exception)
