"""While too much waits, each sender is refused in the way that makes it come again; its deletions are taken."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.operation.pressure import Pressure
from service.settings import Settings
from tests.sources.senders import ADMIN, notes, send
from tests.sources.test_deliveries import NAMES, signed
from tests.work import note

ONLY_ON_503 = {"salesforce", "dynamics", "sendgrid", "ses"}


@pytest.fixture
def busy(client: TestClient, settings: Settings, engine: sa.Engine) -> TestClient:
    """A client of a service with more notes unread than it may have."""
    assert client.post("/v1/notes", json={"notes": [note("1"), note("2")]}, headers=ADMIN).status_code == 202
    client.app.state.pressure = Pressure(engine, settings.model_copy(update={"max_backlog": 1}))
    return client


@pytest.mark.parametrize("name", NAMES)
def test_refused_now_and_taken_later(busy: TestClient, engine: sa.Engine, settings: Settings, name: str) -> None:
    refused = send(busy, signed(name))
    assert refused.status_code == (503 if name in ONLY_ON_503 else 429), refused.text
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.json()["code"] == "overloaded"
    assert len(notes(busy)) == 2
    busy.app.state.pressure = Pressure(engine, settings)
    assert send(busy, signed(name)).is_success, "the same delivery is no repeat: nothing of it was stored"


def test_a_deletion_is_taken(busy: TestClient) -> None:
    deletion = {
        "type": "note.deleted",
        "timestamp": "2026-09-14T10:20:00Z",
        "data": {"external_id": "x", "deleted": True},
    }
    assert send(busy, signed("standard", deletion)).is_success
