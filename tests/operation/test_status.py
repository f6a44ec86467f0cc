"""One look at the installation: what is there, and what needs a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import read_session, write_session
from service.jobs.queries import (
    JobKind,
    JobState,
    WorkerState,
    add_job,
    beat,
    finish_job,
    forget_jobs,
    forget_silent,
    living_workers,
)
from service.jobs.tables import JobTable
from service.operation.words import ATTENTION
from tests.analyzers import UNREADABLE, FakeAnalyzer
from tests.work import analyse_all, note


def codes(client: TestClient) -> dict[str, int]:
    return {one["code"]: one["count"] for one in client.get("/v1/status").json()["attention"]}


def test_what_needs_a_person_is_told_until_it_is_mended(
    client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer
) -> None:
    assert codes(client) == {"no_worker": 1}
    now = datetime.now(UTC)
    with write_session(engine) as session:
        beat(session, "w", WorkerState.READY, now)
        finish_job(session, add_job(session, JobKind.FIT_THEMES, by="test", now=now).id, now, failure="too few")
    client.post("/v1/notes", json={"notes": [note("a"), note("b", UNREADABLE)]})
    status = client.get("/v1/status").json()
    assert status["backlog"]["waiting"] == 2
    assert 0 <= status["oldest_waiting_seconds"] < 60
    analyse_all(engine, analyzer)
    assert codes(client) == {"failed_notes": 1, "failed_jobs": 1}
    status = client.get("/v1/status").json()
    assert status["oldest_waiting_seconds"] is None
    assert status["database"] == engine.dialect.name
    assert status["database_bytes"] > 10_000
    assert status["free_mib"] > 0
    assert {one["code"] for one in status["attention"]} <= set(ATTENTION)
    assert all(one["text"]["en"] != one["text"]["fr"] for one in status["attention"])


def test_a_worker_of_before_the_clock_was_set_back_is_not_living(engine: sa.Engine) -> None:
    now = datetime.now(UTC)
    with write_session(engine) as session:
        beat(session, "dead", WorkerState.READY, now + timedelta(hours=1))
        beat(session, "alive", WorkerState.READY, now)
        assert living_workers(session, now) == ["alive"]
        forget_silent(session, now - timedelta(hours=1))
    with read_session(engine) as session:
        assert living_workers(session, now) == ["alive"]


def test_old_long_work_is_forgotten_and_unfinished_is_not(engine: sa.Engine) -> None:
    now = datetime.now(UTC)
    with write_session(engine) as session:
        old, fresh = (add_job(session, JobKind.BUILD_REPORT, by="test", now=now) for _ in range(2))
        finish_job(session, old.id, now - timedelta(days=91))
        finish_job(session, fresh.id, now - timedelta(days=1))
        waits = add_job(session, JobKind.BUILD_REPORT, by="test", now=now - timedelta(days=300))
        kept, waiting = {fresh.id, waits.id}, waits.id
    with write_session(engine) as session:
        forget_jobs(session, now - timedelta(days=90))
    with read_session(engine) as session:
        assert set(session.scalars(sa.select(JobTable.id))) == kept
        assert session.scalar(sa.select(JobTable.state).where(JobTable.id == waiting)) == JobState.WAITING
