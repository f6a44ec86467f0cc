"""How long notes are kept: shown before it is set, erased in every byte after, and not taken again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import read_session, write_session
from service.jobs.queries import JobKind
from service.jobs.tables import JobTable
from service.retention.applying import ApplyRetention, ask_to_apply_retention
from service.retention.rules import EVERY, Rules
from tests.analyzers import FakeAnalyzer
from tests.service.test_erasures import PLANTED, WORDS, planted, stored_bytes  # noqa: F401
from tests.service.visits import shown
from tests.work import analyse_all, note

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
TODAY = datetime.now(UTC)
OLD = (TODAY - timedelta(days=400)).isoformat()
YOUNG = (TODAY - timedelta(days=10)).isoformat()


def keep(client: TestClient, **fields: Any) -> dict[str, Any]:
    answer = client.put("/v1/retention", json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def apply(engine: sa.Engine) -> dict[str, Any]:
    with read_session(engine) as session:
        asked = sa.select(JobTable.id).where(JobTable.kind == JobKind.APPLY_RETENTION, JobTable.state == "waiting")
        (job_id,) = session.scalars(asked)
    ApplyRetention(engine).run(job_id)
    with read_session(engine) as session:
        job = session.get_one(JobTable, job_id)
        assert job.state == "done"
        return dict(job.result or {})


def total(client: TestClient) -> int:
    return client.get("/v1/notes").json()["total"]


def test_days_count_from_the_note_s_own_or_from_its_arrival_where_it_is_dated_later() -> None:
    rules = Rules({EVERY: 30, "crm": 365})
    assert rules.first_kept("crm", NOW) == datetime(2025, 11, 27, tzinfo=UTC)
    assert rules.first_kept("mail", NOW) == datetime(2026, 10, 28, tzinfo=UTC)
    assert Rules({"crm": 1}).first_kept("mail", NOW) is None
    edge = datetime(2026, 10, 28, tzinfo=UTC)
    assert rules.refusal("mail", edge, NOW) is None
    refused = rules.refusal("mail", edge - timedelta(seconds=1), NOW)
    assert refused is not None
    assert refused.message == "is before 2026-10-28: notes of mail are not kept that long"
    assert rules.refusal("mail", None, NOW) is None, "it happens now"


def test_what_would_go_is_counted_before(client: TestClient, engine: sa.Engine) -> None:
    for number, (source, at) in enumerate((("crm", OLD), ("crm", YOUNG), ("mail", OLD))):
        client.post("/v1/notes", json=note(str(number), source=source, occurred_at=at))
    counted = keep(client, source="crm", days=365)
    assert (counted["confirmed"], counted["past"]) == (False, {"notes": 1, "by_source": {"crm": 1}, "records": 0})
    assert client.get("/v1/retention").json()["rules"] == []
    assert keep(client, days=365)["past"]["by_source"] == {"crm": 1, "mail": 1}
    assert keep(client, source="crm", days=1000, confirm=True)["past"]["notes"] == 0
    assert keep(client, days=365, confirm=True)["past"]["by_source"] == {"mail": 1}, "crm has a rule of its own"
    assert apply(engine)["notes"] == 1
    assert [one["source"] for one in client.get("/v1/notes").json()["items"]] == ["crm", "crm"]
    taken_back = keep(client, days=None, confirm=True)
    assert [(one["source"], one["days"]) for one in taken_back["rules"]] == [("crm", 1000)]


def test_what_is_past_is_in_no_byte(
    planted: TestClient,  # noqa: F811
    engine: sa.Engine,
    analyzer: FakeAnalyzer,
    stored_bytes: Callable[[], bytes],  # noqa: F811
) -> None:
    said = ("xylomantic", "zorbulator", "quenby", "ardolph", "msg-9f@vexmoor")
    assert all(word.encode() in stored_bytes() for word in said)
    before = planted.get("/v1/reports/2026-09").json()["content"]["coverage"]
    assert keep(planted, source="mail", days=7, confirm=True)["past"]["notes"] == 1
    counts = apply(engine)
    analyse_all(engine, analyzer)
    left = stored_bytes()
    assert [word for word in said if word.encode() in left] == []
    assert counts["notes"] == 1
    assert b"nothing else." not in left, "what was set aside long ago goes with its source's notes"
    assert planted.get("/v1/reports/2026-09").json()["content"]["coverage"] == before, "figures stay"
    assert total(planted) == 2, "other sources keep theirs"
    (erasure,) = planted.get("/v1/erasures").json()["items"]
    assert (erasure["kind"], erasure["requested_by"]) == ("retention", "schedule")


def test_what_comes_in_past_it_is_not_taken(client: TestClient, engine: sa.Engine) -> None:
    keep(client, days=365, confirm=True)
    refused = client.post("/v1/notes", json=note("1", occurred_at=OLD))
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "past_retention")
    assert "not kept that long" in refused.json()["detail"]
    both = client.post("/v1/notes", json={"notes": [note("1", occurred_at=OLD), note("2", occurred_at=YOUNG)]})
    assert [one["result"] for one in both.json()["results"]] == ["rejected", "created"]
    assert both.json()["results"][0]["error"]["field"] == "occurred_at"
    file = ("old.csv", f"date,note\n{OLD[:10]},The zorbulator is dear.\n{YOUNG[:10]},Too dear.\n".encode())
    done = client.post("/v1/imports", files={"file": file}).json()
    assert (done["results"]["rejected"], done["results"]["created"]) == (1, 1)
    rows = client.get(f"/v1/imports/{done['id']}/refused.csv").text
    assert "not kept that long" in rows
    assert "zorbulator" not in rows
    client.put("/v1/retention", json={"days": None, "confirm": True})
    assert client.post("/v1/notes", json=note("1", occurred_at=OLD)).json()["results"][0]["result"] == "created"


def test_a_note_that_is_dated_after_it_came_passes_with_its_arrival(client: TestClient, engine: sa.Engine) -> None:
    client.post("/v1/notes", json=note("1", occurred_at="2199-01-01T00:00:00Z"))
    with write_session(engine) as session:
        session.execute(sa.text("UPDATE notes SET received_at = '2020-01-01 00:00:00+00:00'"))
    assert keep(client, days=365)["past"]["notes"] == 1


def test_it_is_asked_for_once_a_day_where_anything_is_due(client: TestClient, engine: sa.Engine) -> None:
    def asked() -> int:
        with read_session(engine) as session:
            return session.scalar(sa.select(sa.func.count()).select_from(JobTable)) or 0

    client.post("/v1/notes", json=note("1", occurred_at=OLD))
    ask_to_apply_retention(engine, TODAY)
    assert asked() == 0, "no rule"
    keep(client, days=365, confirm=True)
    apply(engine)
    ask_to_apply_retention(engine, TODAY)
    ask_to_apply_retention(engine, TODAY + timedelta(days=2))
    assert asked() == 1, "nothing is due"
    client.put("/v1/retention", json={"days": None, "confirm": True})
    client.post("/v1/notes", json=note("2", occurred_at=OLD))
    keep(client, days=700, confirm=True)
    ask_to_apply_retention(engine, TODAY + timedelta(days=400))
    ask_to_apply_retention(engine, TODAY + timedelta(days=400))
    assert asked() == 2


@pytest.mark.parametrize("days", [0, -1, 36_501, "many", 1.5])
def test_days_that_can_not_be(client: TestClient, days: object) -> None:
    assert client.put("/v1/retention", json={"days": days}).status_code == 422


def test_the_page_shows_what_would_go_and_asks(admin: TestClient, client: TestClient, engine: sa.Engine) -> None:
    client.post("/v1/notes", json=note("1", occurred_at=OLD))
    assert "Notes are kept for ever" in shown(admin.get("/sources").text)
    asked = admin.post("/sources/retention", data={"source": "", "days": "365"})
    assert "1 note would be erased." in shown(asked.text)
    assert client.get("/v1/retention").json()["rules"] == []
    assert admin.post("/sources/retention", data={"source": "", "days": "365", "confirm": "yes"}).status_code == 303
    assert "Every source 365 days" in shown(admin.get("/sources").text)
    assert apply(engine)["notes"] == 1
    assert admin.post("/sources/retention", data={"days": "some"}).status_code == 422
