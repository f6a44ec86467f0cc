"""Databases with connections whose APIs stand on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from service.database import read_session, write_session
from service.jobs.queries import get_job
from service.settings import Settings
from service.source_tables import FetchTable
from service.sources import queries
from service.sources.contract import FetchWanted
from service.sources.fetching.syncing import Syncing, request_sync
from service.sources.fetching.working import Fetching, find_api
from service.tables import NoteTable
from tests.fetching.servers import HubSpotApi, serving


@pytest.fixture
def hubspot() -> Iterator[HubSpotApi]:
    with serving(HubSpotApi()) as api:
        assert isinstance(api, HubSpotApi)
        yield api


@pytest.fixture
def connect(engine: sa.Engine) -> Callable[..., None]:
    """Return what sets a connection up."""

    def add(source: str, secret: str = "", **options: Any) -> None:
        with write_session(engine) as session:
            queries.create_connection(session, source, "main", secret or f"{source}-secret", options, datetime.now(UTC))

    return add


def want(engine: sa.Engine, source: str, kind: str, *keys: str, at: datetime | None = None) -> None:
    """Say that events named records."""
    with write_session(engine) as session:
        for key in keys:
            queries.request_fetch(session, source, "main", FetchWanted(kind, key, "creation", at), datetime.now(UTC))


def fetch_due(engine: sa.Engine, settings: Settings, rounds: int = 10) -> None:
    """Fetch what is due, as a worker does but without the job engine."""
    fetching = Fetching(engine, settings)
    for _ in range(rounds):
        claimed: list[Any] = []

        def enqueue(_session: Session, *args: Any) -> None:
            claimed.append(args)  # noqa: B023

        fetching.claim(enqueue)
        if not claimed:
            return
        for args in claimed:
            fetching.run(*args)


def states(engine: sa.Engine) -> dict[str, tuple[str, str | None]]:
    """Return the state and failure of each record that was asked for, by its id."""
    with read_session(engine) as session:
        return {row.object_id: (row.state, row.failure) for row in session.scalars(sa.select(FetchTable))}


def texts(engine: sa.Engine) -> dict[str, str]:
    """Return the words of all notes by their ids at the source."""
    with read_session(engine) as session:
        rows = session.scalars(sa.select(NoteTable).where(NoteTable.deleted_at.is_(None)))
        return {row.external_id: row.text for row in rows}


def sync_due(engine: sa.Engine, settings: Settings) -> None:
    """Do the synchronisations that are due, as a worker does but without the job engine."""
    syncing = Syncing(engine, settings, Fetching(engine, settings))
    for _ in range(100):
        claimed: list[Any] = []

        def enqueue(_session: Session, *args: Any) -> None:
            claimed.append(args)  # noqa: B023

        syncing.claim(enqueue)
        if not claimed:
            return
        for args in claimed:
            syncing.run(*args)


def sync(engine: sa.Engine, settings: Settings, source: str, since: str | None = None) -> dict[str, Any]:
    """Synchronise a source and return what came of it."""
    with write_session(engine) as session:
        found = find_api(session, settings, source, "main", datetime.now(UTC))
        assert found is not None
        at = datetime.fromisoformat(since).replace(tzinfo=UTC) if since else None
        row = request_sync(session, *found, at, by="tests", now=datetime.now(UTC))
        job_id = row.job_id
    sync_due(engine, settings)
    with read_session(engine) as session:
        job = get_job(session, job_id)
        assert job is not None
        assert job.state == "done", job.failure
        return dict(job.result or {})


def shown(client: TestClient, external_id: str) -> dict[str, Any]:
    """Return a note as the API shows it."""
    (found,) = client.get("/v1/notes", params={"external_id": external_id}).json()["items"]
    return dict(client.get(f"/v1/notes/{found['id']}").json())
