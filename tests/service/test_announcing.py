"""What is new or risen is announced once; the first ranking, the sample workspace and imports are not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import read_session, write_session
from service.deliveries import watching
from service.deliveries.events import EventType
from service.deliveries.watching import Watcher
from service.outgoing_tables import EventTable, WatchTable
from service.settings import Settings, Switch
from service.source_tables import SourceActivityTable
from tests.analyzers import FakeAnalyzer
from tests.receivers import Receiver, deliver_due, receiving
from tests.service.visits import make_theme, name_competitor, read_in
from tests.work import note, wait_until, worker_running

NOW = datetime.now(UTC)
FAR, NEAR = 45, 5  # days ago, in the 30 days before and in the last


@pytest.fixture
def settings(settings: Settings) -> Settings:
    changes = {"outgoing_private": Switch.ON, "public_url": "https://binome.firm.com"}
    return settings.model_copy(update=changes)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def notes(name: str, count: int, days_ago: int, text: str, **fields: object) -> list[dict]:
    at = (NOW - timedelta(days=days_ago)).isoformat()
    return [
        note(
            f"{name}-{i}",
            text,
            **{"occurred_at": at, "account": {"id": f"{name}{i}"}, "author": {"id": f"w{i % 5}"}, **fields},
        )
        for i in range(count)
    ]


def quiet(engine: sa.Engine, **fields: object) -> None:
    """Notes of two months in which nothing rises, and a competitor in the catalogue."""
    name_competitor(engine, "Orbiport")
    read_in(
        engine, *notes("far", 30, FAR, "A good talk.", **fields), *notes("near", 30, NEAR, "A good talk.", **fields)
    )


def look(engine: sa.Engine, settings: Settings) -> list[str]:
    """Look once, and return the types of the events that are new since."""
    with read_session(engine) as session:
        before = session.scalar(sa.select(sa.func.max(EventTable.id))) or 0
        watch_id = session.scalars(sa.select(WatchTable.id)).one()
    Watcher(engine, settings).run(watch_id)
    with read_session(engine) as session:
        return list(session.scalars(sa.select(EventTable.type).where(EventTable.id > before).order_by(EventTable.id)))


def test_a_rise_is_announced_once_and_again_when_it_rises_further(
    client: TestClient, engine: sa.Engine, settings: Settings, receiver: Receiver
) -> None:
    quiet(engine)
    assert look(engine, settings) == [], "the first look takes stock"
    client.post("/v1/webhook-endpoints", json={"url": receiver.url})
    client.post("/v1/webhook-endpoints", json={"url": f"{receiver.url}/quotes", "quotes": True})
    read_in(engine, *notes("rise", 10, 2, "They look at Orbiport now."))
    assert look(engine, settings) == ["insight.new"]
    read_in(engine, *notes("same", 1, 1, "They look at Orbiport now."))
    assert look(engine, settings) == [], "not at every note"
    deliver_due(engine, settings)
    plain, quoting = (json.loads(got.body)["data"] for got in sorted(receiver.got, key=lambda got: got.path))
    assert (plain["insight"]["about"], plain["insight"]["id"]) == ("competitor", "orbiport")
    assert plain["insight"]["measures"]["trend"]["significant"] is True
    assert plain["url"].startswith("https://binome.firm.com/insights/competitor/orbiport?from=20")
    assert "They look at" not in json.dumps(plain)
    assert len({quote["account"] for quote in quoting["quotes"]}) == 3
    read_in(engine, *notes("further", 30, 1, "Orbiport again."))
    assert look(engine, settings) == ["insight.risen"]


def test_a_rise_that_was_there_at_the_first_look_is_not_announced(
    client: TestClient, engine: sa.Engine, settings: Settings
) -> None:
    quiet(engine)
    read_in(engine, *notes("rise", 15, 2, "Orbiport, and it is too expensive."))
    assert look(engine, settings) == []
    read_in(engine, *notes("more", 2, 1, "Orbiport, and it is too expensive."))
    assert look(engine, settings) == []


def test_the_sample_workspace_and_imports_are_not_announced(
    client: TestClient, engine: sa.Engine, settings: Settings
) -> None:
    quiet(engine, source="sample")
    assert look(engine, settings) == []
    read_in(engine, *notes("rise", 10, 2, "They look at Orbiport.", source="sample"))
    assert look(engine, settings) == [], "the sample is all there is"
    read_in(engine, *notes("own", 1, 2, "A good talk."))
    assert look(engine, settings) == [], "the first look at own notes takes stock"
    read_in(engine, *notes("import", 150, 2, "It is too expensive."))
    assert look(engine, settings) == [], "most notes are new: an import"
    read_in(engine, *notes("risen", 120, 2, "It is too expensive, Orbiport is not."))
    assert "insight.risen" in look(engine, settings)


def test_an_emerging_theme_is_announced_once(client: TestClient, engine: sa.Engine, settings: Settings) -> None:
    name_competitor(engine, "Orbiport")
    read_in(engine, *notes("old", 60, 200, "A good talk."))
    read_in(engine, *notes("near", 20, 2, "The door is heavy."))
    assert look(engine, settings) == []
    with write_session(engine) as session:
        session.execute(sa.update(WatchTable).values(ranked_at=datetime.now(UTC)))
    make_theme(engine, "theme-1", "Doors", "Portes")
    with write_session(engine) as session:
        session.execute(sa.text("update passages set theme_id = null where note_id <= 60"))
    assert "theme.emerging" in look(engine, settings)
    assert "theme.emerging" not in look(engine, settings)


def test_a_silent_source_is_announced_once_each_time(client: TestClient, engine: sa.Engine, settings: Settings) -> None:
    quiet(engine)
    look(engine, settings)

    def last_note(ago: timedelta) -> None:
        with write_session(engine) as session:
            session.execute(sa.delete(SourceActivityTable))
            at = datetime.now(UTC) - ago
            session.add(
                SourceActivityTable(
                    source="hubspot", connection="main", last_delivery_at=at, last_note_at=at, gap_seconds=600.0
                )
            )

    last_note(timedelta(hours=2))
    assert look(engine, settings) == ["source.silent"]
    assert look(engine, settings) == []
    last_note(timedelta(0))
    assert look(engine, settings) == []


@pytest.mark.slow
def test_a_worker_announces_by_itself(
    client: TestClient,
    engine: sa.Engine,
    settings: Settings,
    database_url: str,
    receiver: Receiver,
    analyzer: FakeAnalyzer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watching, "LOOK_EVERY", timedelta(seconds=0.5))
    monkeypatch.setattr("service.jobs.worker.WATCH_SECONDS", 0.2)
    quiet(engine)
    look(engine, settings)
    client.post("/v1/webhook-endpoints", json={"url": receiver.url})
    with worker_running(engine, database_url, analyzer, settings=settings):
        client.post("/v1/notes", json={"notes": notes("rise", 10, 2, "They look at Orbiport.")})
        wait_until(lambda: receiver.got, 90)
    assert json.loads(receiver.got[0].body)["type"] == EventType.INSIGHT_NEW
