"""A few hundred of the calls of `make probe`, always the same: every operation keeps to its document."""

from __future__ import annotations

import shutil
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import uvicorn
from fastapi.testclient import TestClient

from tests.analyzers import FakeAnalyzer
from tests.conftest import ADMIN_KEY
from tests.probe.calls import Outcome, joined, probe
from tests.work import analyse_all, note


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "binome.sqlite3"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def url(client: TestClient, engine: sa.Engine) -> Any:
    """The application behind a real server, with a few notes read."""
    client.put("/v1/catalog", json={"us": ["Clavance"], "competitors": [{"name": "Orbiport"}]})
    for number in range(3):
        client.post("/v1/notes", json=note(f"n{number}", "Orbiport is there. It is too expensive."))
    analyse_all(engine, FakeAnalyzer())
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        server = uvicorn.Server(uvicorn.Config(client.app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def test_every_operation_keeps_to_its_document(url: str, openapi: dict[str, Any]) -> None:
    outcome = probe(openapi, {"here": url}, ADMIN_KEY, each=1, seed=7)["here"]
    assert not outcome.faults, "\n\n".join(f"{name}\n{text}" for name, text in outcome.samples.items())
    assert len(outcome.statuses) == sum(len(item) for item in openapi["paths"].values())
    assert outcome.calls > 350


def test_operations_that_are_called_again_have_their_latest() -> None:
    before, again = Outcome(), Outcome()
    before.statuses["GET /a"].update({200: 3})
    before.statuses["GET /b"].update({200: 2, 500: 1})
    before.fault("GET /b", "Server error", "500")
    again.statuses["GET /b"].update({200: 4})
    told = joined(before.as_dict(), again.as_dict())
    assert (told["calls"], told["operations"], told["statuses"], told["faults"]) == (7, 2, {"200": 7}, {})


def test_what_is_not_documented_is_seen(url: str, openapi: dict[str, Any]) -> None:
    """A document that promises something else is caught: the checks do look."""
    wrong = {"200": {"description": "A number.", "content": {"application/json": {"schema": {"type": "integer"}}}}}
    document = {**openapi, "paths": {"/v1/catalog": {"get": {"responses": wrong, "security": [{"HTTPBearer": []}]}}}}
    outcome = probe(document, {"here": url}, ADMIN_KEY, each=1, seed=7)["here"]
    assert outcome.faults["GET /v1/catalog"]
