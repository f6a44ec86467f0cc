"""A note that was read, and what corrects it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import write_session
from service.notes.queries import requeue
from tests.analyzers import FakeAnalyzer
from tests.work import analyse_all, note

CATALOG = {
    "us": ["Clavance"],
    "competitors": [{"name": "Zendesk", "aliases": ["zd"]}, {"name": "Freshdesk", "aliases": []}],
}
TEXT = "The director finds it too expensive. They use zd today. No offline mode. Orbel was there too."
PERIOD = {"from": "2026-09-01", "to": "2026-09-30"}


def analysis(client: TestClient, note_id: int = 1) -> dict[str, Any]:
    return client.get(f"/v1/notes/{note_id}").json()["analysis"]


def objection_id(client: TestClient) -> str:
    return analysis(client)["objections"][0]["id"]


def mention_id(client: TestClient) -> str:
    return analysis(client)["competitors"][0]["id"]


def correct(client: TestClient, kind: str, expected: int = 201, /, **fields: Any) -> dict[str, Any]:
    answer = client.post("/v1/corrections", json={"kind": kind, **fields})
    assert answer.status_code == expected, answer.text
    return answer.json()


def missed(words: str, text: str = TEXT, **fields: Any) -> dict[str, Any]:
    start = text.index(words)
    return {"note_id": "1", "start": start, "end": start + len(words), "quote": words, **fields}


def counts(client: TestClient, kind: str) -> dict[str, int]:
    items = client.get(f"/v1/{kind}", params=PERIOD).json()["items"]
    return {item["id"]: item["mentions"] for item in items}


def read_again(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer, text: str = TEXT) -> dict[str, Any]:
    client.post("/v1/notes", json=note("a", text))
    with write_session(engine) as session:
        requeue(session, [])
    analyse_all(engine, analyzer)
    return analysis(client)
