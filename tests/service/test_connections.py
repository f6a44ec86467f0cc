"""Deliveries on both databases, over the wire, and connections on the command line."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.request
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
import uvicorn
from fastapi.testclient import TestClient
from standardwebhooks import Webhook

from service.source_tables import FetchTable, SourceActivityTable
from service.sources import queries
from service.sources.contract import FetchWanted


def signed(secret: str, body: dict[str, Any], key: str) -> tuple[bytes, dict[str, str]]:
    raw, at = json.dumps(body), datetime.fromtimestamp(int(time.time()), UTC)
    headers = {"webhook-id": key, "webhook-timestamp": str(int(at.timestamp()))}
    return raw.encode(), headers | {"webhook-signature": Webhook(secret).sign(key, at, raw)}


def event(kind: str, at: str, text: str = "Too expensive.") -> dict[str, Any]:
    return {"type": kind, "timestamp": at, "data": {"id": "n-1", "text": text}}


def test_a_note_s_life_by_webhook(client: TestClient, engine: sa.Engine) -> None:
    secret = client.post("/v1/connections", json={"source": "standard"}).json()["secret"]

    def post(body: dict[str, Any], key: str) -> dict[str, int]:
        raw, headers = signed(secret, body, key)
        answer = client.post("/v1/webhooks/standard", content=raw, headers=headers)
        assert answer.status_code == 202, answer.text
        return dict(answer.json()["results"])

    assert post(event("note.created", "2026-09-02T00:00:00Z"), "a") == {"created": 1}
    assert post(event("note.created", "2026-09-02T00:00:00Z"), "a") == {"duplicate": 1}
    assert post(event("note.updated", "2026-09-01T00:00:00Z", "Older."), "b") == {"stale": 1}
    assert post(event("note.deleted", "2026-09-03T00:00:00Z"), "c") == {"deleted": 1}
    assert post(event("note.updated", "2026-09-02T12:00:00Z", "Late."), "d") == {"stale": 1}
    assert client.get("/v1/notes").json()["total"] == 0
    with engine.connect() as connection:
        assert connection.scalar(sa.select(SourceActivityTable.deliveries)) == 5


def test_a_fetch_waits_once(engine: sa.Engine) -> None:
    now = datetime.now(UTC)
    with sa.orm.Session(engine) as session, session.begin():
        for reason in ("creation", "change"):
            queries.request_fetch(session, "hubspot", "main", FetchWanted("0-46", "7", reason, now), now)
    with engine.connect() as connection:
        row = connection.execute(sa.select(FetchTable.reason, FetchTable.state, FetchTable.attempts)).one()
    assert tuple(row) == ("change", "waiting", 0)


def test_over_the_wire(client: TestClient) -> None:
    secret = client.post("/v1/connections", json={"source": "standard"}).json()["secret"]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(client.app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        raw, headers = signed(secret, event("note.created", "2026-09-02T00:00:00Z"), "a")
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1/webhooks/standard"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, raw, headers), timeout=30) as answer:
                assert answer.status == 202
                assert json.load(answer) == {"results": {"created": 1}}
        finally:
            server.should_exit = True
            thread.join(20)
