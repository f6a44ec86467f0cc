"""The worker with its job engine: nothing is lost, nothing done twice, nothing piles up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import read_session, write_session
from service.jobs import worker as worker_module
from service.jobs.engine import ANALYSIS_QUEUE
from service.jobs.queries import WorkerState, beat
from service.notes.queries import state_condition
from service.notes.schemas import AnalysisState
from service.tables import NoteTable, ObjectionTable
from tests.analyzers import DEADLY, UNREADABLE, FakeAnalyzer
from tests.chaos.worker import started
from tests.work import note, wait_until, worker_running

pytestmark = pytest.mark.slow


def state_count(engine: sa.Engine, state: AnalysisState) -> int:
    with read_session(engine) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(NoteTable).where(state_condition(state))) or 0


def post(client: TestClient, *notes: dict) -> None:
    assert client.post("/v1/notes", json={"notes": list(notes)}).status_code == 202


def engine_tables(engine: sa.Engine) -> int:
    """Count the job engine's rows: jobs and their steps."""
    schema = None if engine.dialect.name == "sqlite" else "dbos"
    with engine.connect() as connection:
        names = [
            n for n in sa.inspect(connection).get_table_names(schema) if n in {"workflow_status", "operation_outputs"}
        ]
        assert names
        return sum(
            connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name, schema=schema))) or 0
            for name in names
        )


def test_notes_are_analysed_and_readiness_follows_the_worker(
    client: TestClient, engine: sa.Engine, database_url: str, analyzer: FakeAnalyzer
) -> None:
    post(client, *(note(str(i)) for i in range(150)))
    assert client.get("/readyz").status_code == 503
    with worker_running(engine, database_url, analyzer):
        wait_until(lambda: client.get("/readyz").status_code == 200)
        wait_until(lambda: client.get("/v1/backlog").json()["analysed"] == 150)
    assert client.get("/readyz").status_code == 503
    assert len(analyzer.read) == 150


def test_finished_jobs_are_forgotten(
    client: TestClient,
    engine: sa.Engine,
    database_url: str,
    analyzer: FakeAnalyzer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """P7: the job engine's tables stay small."""
    monkeypatch.setattr(worker_module, "KEEP_JOBS", timedelta(seconds=-5))
    monkeypatch.setattr(worker_module, "HOUSEKEEPING_SECONDS", 1)
    with worker_running(engine, database_url, analyzer):
        for round_ in range(5):
            post(client, *(note(f"{round_}-{i}") for i in range(20)))
            wait_until(lambda round_=round_: client.get("/v1/backlog").json()["analysed"] == 20 * (round_ + 1))
        wait_until(lambda: engine_tables(engine) == 0)


def test_a_note_that_kills_its_worker_is_parked_alone(client: TestClient, engine: sa.Engine, database_url: str) -> None:
    """P9: the batch breaks, its notes go one by one, the poison note is parked with its reason, the rest is read."""
    post(client, note("good"), note("deadly", f"A {DEADLY}."), note("fine"), note("bad", f"An {UNREADABLE}."))
    process = started(database_url, "mortal", recoveries=1, reap_seconds=0.5)
    starts = 1
    try:
        while state_count(engine, AnalysisState.PENDING):
            if not process.is_alive():
                starts += 1
                assert starts < 40, "the number of restarts is bounded"
                process = started(database_url, "mortal", recoveries=1, reap_seconds=0.5)
            wait_until(lambda p=process: not p.is_alive() or not state_count(engine, AnalysisState.PENDING), 60, 0.2)
    finally:
        process.terminate()
        process.join(30)
    failed = client.get("/v1/notes", params={"state": "failed"}).json()["items"]
    assert sorted(item["external_id"] for item in failed) == ["bad", "deadly"]
    deadly = next(item for item in failed if item["external_id"] == "deadly")
    assert "stopped the worker" in client.get(f"/v1/notes/{deadly['id']}").json()["analysis"]["error"]
    assert client.get("/v1/notes", params={"state": "done"}).json()["total"] == 2


def test_jobs_of_a_dead_worker_are_taken_over_by_another(
    client: TestClient, engine: sa.Engine, database_url: str, analyzer: FakeAnalyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.jobs.queries.SILENT_AFTER", timedelta(seconds=2))
    monkeypatch.setattr(worker_module, "BEAT_SECONDS", 0.5)
    monkeypatch.setattr(worker_module, "REAP_SECONDS", 0.5)
    post(client, *(note(str(i), "It is too expensive.") for i in range(60)))
    slow = started(database_url, "never-back", slow=600)
    try:
        wait_until(lambda: client.get("/v1/backlog").json()["queued"] == 60, 60)
        wait_until(lambda: slow.is_alive() and _claimed(engine), 60)
    finally:
        slow.kill()
        slow.join()
    with worker_running(engine, database_url, analyzer):
        wait_until(lambda: client.get("/v1/backlog").json()["analysed"] == 60, 60)
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(ObjectionTable)) == 60


def _claimed(engine: sa.Engine) -> bool:
    schema = None if engine.dialect.name == "sqlite" else "dbos"
    table = sa.table("workflow_status", sa.column("status"), schema=schema)
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table).where(table.c.status == "PENDING")) == 1


def test_a_fit_is_asked_for_once_and_reported(
    client: TestClient, engine: sa.Engine, database_url: str, analyzer: FakeAnalyzer
) -> None:
    first = client.post("/v1/themes/refit").json()
    second = client.post("/v1/themes/refit").json()
    assert first["id"] == second["id"]
    with worker_running(engine, database_url, analyzer):
        wait_until(lambda: client.get(f"/v1/jobs/{first['id']}").json()["state"] in {"done", "failed"}, 60)
    job = client.get(f"/v1/jobs/{first['id']}").json()
    assert job["finished_at"]
    assert (job["state"] == "failed") == bool(job["failure"])
    assert client.get("/v1/jobs").json()["total"] == 1


def test_silent_workers_are_forgotten(client: TestClient, engine: sa.Engine) -> None:
    with write_session(engine) as session:
        beat(session, "old", WorkerState.READY, datetime.now(UTC) - timedelta(seconds=25))
    assert client.get("/readyz").status_code == 503
    with write_session(engine) as session:
        beat(session, "old", WorkerState.READY, datetime.now(UTC))
    assert client.get("/readyz").status_code == 200


def test_a_relay_that_finds_nothing_writes_nothing(
    client: TestClient, engine: sa.Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks five times a second: a transaction that writes would have others wait for nothing."""
    worker = worker_module.Worker(engine, database_url, "alone", FakeAnalyzer)
    with monkeypatch.context() as patch:
        patch.setattr(worker_module, "write_session", None)
        assert worker._relay() is False
    post(client, note("a"))
    asked: list[tuple[object, ...]] = []
    worker._jobs = SimpleNamespace(enqueue=lambda session, *job: asked.append(job))
    assert worker._relay() is True
    assert [job[:2] for job in asked] == [(ANALYSIS_QUEUE, worker_module.ANALYSE_BATCH)]
