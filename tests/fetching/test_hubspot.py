"""HubSpot's records by their ids: read whole, linked, in order with events, through every fault of its API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import read_session, write_session
from service.settings import Settings
from service.source_tables import ApiStateTable, FetchTable, SetAsideTable
from service.sources.contract import Connection, FetchWanted, NoteChange
from service.sources.fetching import calling
from service.sources.reading import note_item
from service.sources.storing import store_changes
from service.tables import DealTable, NoteTable
from tests.chaos.worker import started
from tests.fetching.conftest import fetch_due, shown, states, texts, want
from tests.fetching.servers import Fault, HubSpotApi
from tests.work import wait_until

NOTES, CALLS, EMAILS, DEALS, COMPANIES, CONTACTS = "0-46", "0-48", "0-49", "0-3", "0-2", "0-1"
Connect = Callable[..., None]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "QUICK_DELAYS", (0.01,))


def fill(api: HubSpotApi, count: int) -> None:
    """Put notes with a company, a deal and an owner each."""
    api.owners = {"7": "Ann Lee"}
    for number in range(1, count + 1):
        key = str(number)
        api.put(NOTES, key, hs_note_body=f"<p>Note {key}: too expensive.</p>", hubspot_owner_id="7",
                hs_timestamp="2026-09-01T08:00:00Z")  # fmt: skip
        deal, company = str(1000 + number % 5), str(2000 + number % 3)
        api.link(NOTES, key, DEALS, deal)
        api.link(NOTES, key, COMPANIES, company)
        api.put(DEALS, deal, amount="5000", deal_currency_code="EUR", dealstage="proposal")
        api.put(COMPANIES, company, name=f"Firm {company}")


def test_a_record_becomes_a_linked_note(
    client: TestClient, engine: sa.Engine, settings: Settings, hubspot: HubSpotApi, connect: Connect
) -> None:
    connect("hubspot", access_token="token-1", base_url=hubspot.url)
    fill(hubspot, 1)
    hubspot.put(
        EMAILS, "9", hs_email_subject="Offer", hs_email_text="Too slow for us.\n\nOn Monday, Al <a@b.co> wrote:\n> Hi"
    )
    hubspot.link(EMAILS, "9", CONTACTS, "55")
    hubspot.link(CONTACTS, "55", COMPANIES, "2001")
    hubspot.put(DEALS, "77", amount="100", dealstage="x")
    want(engine, "hubspot", NOTES, "1", "404")
    want(engine, "hubspot", EMAILS, "9")
    want(engine, "hubspot", DEALS, "77")
    want(engine, "hubspot", "0-99", "5")
    want(engine, "hubspot", NOTES, "../owners")
    fetch_due(engine, settings)
    note = shown(client, "0-46:1")
    assert note["text"] == "Note 1: too expensive."
    assert note["author"] == {"id": "7", "name": "Ann Lee", "team": None}
    assert note["account"]["name"] == "Firm 2001"
    assert note["deal"] == {"id": "1001", "amount": 5000.0, "currency": "EUR", "stage": "proposal", "outcome": "open"}
    assert note["occurred_at"] == "2026-09-01T08:00:00Z"
    mail = shown(client, "0-49:9")
    assert mail["text"] == "Offer\n\nToo slow for us."
    assert mail["account"]["id"] == "2001", "the contact's company, where nothing nearer is linked"
    said = states(engine)
    assert {key: state for key, (state, _) in said.items()} == {
        "1": "done", "404": "done", "9": "done", "77": "done", "5": "failed", "../owners": "failed",
    }  # fmt: skip
    with read_session(engine) as session:
        assert session.scalar(sa.select(DealTable.amount).where(DealTable.key == "77")) == 100, "a deal without notes"
        assert {row.external_id for row in session.scalars(sa.select(SetAsideTable))} == {"5", "../owners"}
    assert not [call for call in hubspot.calls if ".." in call.path]


def test_links_and_outcomes_that_come_later(
    client: TestClient, engine: sa.Engine, settings: Settings, hubspot: HubSpotApi, connect: Connect
) -> None:
    connect("hubspot", access_token="token-1", base_url=hubspot.url)
    hubspot.put(NOTES, "1", hs_note_body="Too slow.")
    told = note_item("hubspot", "0-46:1", "Too slow.", updated_at="2026-09-02T12:00:00Z", author={"id": "userId:77"})
    changes = [NoteChange(told, partial=True), FetchWanted(NOTES, "1", "links")]
    with write_session(engine) as session:
        store_changes(session, Connection("hubspot", "main", ()), changes, Counter(), datetime.now(UTC))
    fetch_due(engine, settings)
    assert shown(client, "0-46:1")["deal"] is None
    assert shown(client, "0-46:1")["author"]["id"] == "userId:77", "an event told it, the record has no owner"
    hubspot.link(NOTES, "1", DEALS, "1001")
    hubspot.put(DEALS, "1001", amount="5", dealstage="s1")
    want(engine, "hubspot", NOTES, "1", at=datetime(2026, 9, 3, tzinfo=UTC))  # an association, not an edit
    fetch_due(engine, settings)
    assert shown(client, "0-46:1")["deal"]["id"] == "1001"
    assert shown(client, "0-46:1")["account"] is None
    hubspot.link(DEALS, "1001", COMPANIES, "2001")
    hubspot.put(COMPANIES, "2001", name="Firm")
    hubspot.put(DEALS, "1001", "2026-09-09T10:00:00Z", amount="7", dealstage="s9", hs_is_closed_won="true")
    want(engine, "hubspot", DEALS, "1001")
    fetch_due(engine, settings)
    note = shown(client, "0-46:1")
    assert note["account"]["name"] == "Firm"
    assert (note["deal"]["outcome"], note["deal"]["amount"]) == ("won", 7.0)
    # a record whose words are older than the edit that an event brought changes nothing of them
    with write_session(engine) as session:
        session.execute(sa.update(NoteTable).values(text="Newer.", version_ms=NoteTable.version_ms + 10**9))
    want(engine, "hubspot", NOTES, "1")
    fetch_due(engine, settings)
    assert texts(engine) == {"0-46:1": "Newer."}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_call_s_transcript_is_a_note_beside_the_rep_s_own(
    client: TestClient, engine: sa.Engine, settings: Settings, hubspot: HubSpotApi, connect: Connect
) -> None:
    connect("hubspot", access_token="token-1", base_url=hubspot.url)
    hubspot.owners = {"7": "Ann Lee"}
    for key, transcript in (("1", "t1"), ("2", "t2"), ("3", ""), ("4", "../x")):
        hubspot.put(CALLS, key, hs_call_body=f"Call {key}.", hs_call_transcription_id=transcript, hubspot_owner_id="7")
    hubspot.link(CALLS, "1", COMPANIES, "2001")
    hubspot.put(COMPANIES, "2001", name="Harrow")
    said = [
        ({"name": "Ann Lee", "email": "7@firm.example"}, "What do you think?"),
        ({"name": "Bo: Wray", "email": "bo@harrow.example"}, "It is too expensive."),
        ({"name": "", "email": "x@harrow.example"}, "And slow."),
        ({"name": "Cy", "email": "cy@firm.example"}, "I see."),
    ]
    hubspot.transcripts["t1"] = [{"speaker": who, "text": text, "languageCode": "en-US"} for who, text in said]
    want(engine, "hubspot", CALLS, "1", "2", "3", "4")
    fetch_due(engine, settings)
    assert texts(engine) == {
        **{f"0-48:{key}": f"Call {key}." for key in ("1", "2", "3", "4")},
        "0-48:1/transcript": "Rep: What do you think?\nBo Wray: It is too expensive.\nCustomer: And slow.\nRep: I see.",
    }
    note = shown(client, "0-48:1/transcript")
    assert (note["kind"], note["account"]["name"], note["author"]["name"]) == ("transcript", "Harrow", "Ann Lee")
    hubspot.forbidden = {"transcripts"}
    hubspot.transcripts["t2"] = hubspot.transcripts["t1"]
    want(engine, "hubspot", CALLS, "2")
    fetch_due(engine, settings)
    assert states(engine)["2"] == ("done", None), "the right to transcripts is not needed for the call"
    assert "0-48:2/transcript" not in texts(engine)


def test_when_a_limit_that_is_told_otherwise_counts_anew() -> None:
    now = datetime(2026, 9, 1, tzinfo=UTC)
    daily = b'{"errorType":"RATE_LIMIT","policyName":"DAILY"}'
    for headers, body, seconds in (
        ({"x-ratelimit-reset": "2"}, b"", 2.0),
        ({"x-ratelimit-reset": str(int(now.timestamp() * 1000) + 30_000)}, b"", 30.0),
        ({"x-ratelimit-reset": str(int(now.timestamp()) - 5)}, b"", 0.0),
        ({"x-ratelimit-reset": "99999999"}, b"", 3_600.0),
        ({"x-hubspot-ratelimit-interval-milliseconds": "10000"}, b"", 10.0),
        ({"x-ratelimit-reset": "soon"}, b"", None),
        ({}, daily, 3_600.0),
        ({}, b"{}", None),
    ):
        assert calling.limit_reset(headers, body, now) == seconds


def test_faults_of_the_api(
    client: TestClient, engine: sa.Engine, settings: Settings, hubspot: HubSpotApi, connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    connect("hubspot", refresh_token="refresh-1", client_id="app", base_url=hubspot.url)
    fill(hubspot, 3)
    want(engine, "hubspot", NOTES, "1", "2", "3")
    limited, broken = Fault(429, {"Retry-After": "1"}), Fault(200, body=b"<html>")
    hubspot.faults.extend([None, Fault(502), Fault(502), limited, None, broken])
    hubspot.next_token = "token-9"
    fetch_due(engine, settings)
    assert len(texts(engine)) == 3
    # an expired token is changed once, in the midst of the work
    hubspot.tokens, hubspot.next_token = {"none"}, "token-10"
    want(engine, "hubspot", NOTES, "1")
    fetch_due(engine, settings)
    assert states(engine)["1"] == ("done", None)
    # a long pause is not sat out, and holds for the whole connection
    hubspot.faults.append(Fault(429, {"Retry-After": "7200"}))
    want(engine, "hubspot", NOTES, "1")
    fetch_due(engine, settings)
    assert states(engine)["1"][0] == "waiting"
    calls = len(hubspot.calls)
    want(engine, "hubspot", NOTES, "2")
    fetch_due(engine, settings)
    assert len(hubspot.calls) == calls
    with write_session(engine) as session:
        session.execute(sa.update(ApiStateTable).values(paused_until=None))
        session.execute(sa.update(FetchTable).values(next_at=datetime.now(UTC)))
    # slow answers are left alone
    monkeypatch.setattr(calling, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(calling, "QUICK_TRIES", 1)
    hubspot.faults.append(Fault(slow=0.6))
    fetch_due(engine, settings, rounds=1)
    assert "no answer" in str(states(engine)["1"][1])
    monkeypatch.setattr(calling, "TIMEOUT_SECONDS", 20.0)
    # credentials that are refused need somebody; others are tried at once
    with write_session(engine) as session:
        session.execute(sa.update(FetchTable).values(next_at=datetime.now(UTC)))
        session.execute(sa.update(ApiStateTable).values(refresh_token="refresh-0"))
    hubspot.tokens = {"none"}
    fetch_due(engine, settings)
    with read_session(engine) as session:
        state = session.scalars(sa.select(ApiStateTable)).one()
        assert "refresh token is refused" in str(state.attention)
    options = {"access_token": "none", "base_url": hubspot.url}
    shown_options = client.patch("/v1/connections/1", json={"options": options}).json()["options"]
    assert shown_options == {"access_token": "***", "base_url": hubspot.url}
    assert client.patch("/v1/connections/1", json={"options": shown_options}).status_code == 200
    for wrong in ({"base_url": "http://api.hubapi.com"}, {"reconcile_hours": "x"}, {"access_token": "a\nb"}):
        refused = client.patch("/v1/connections/1", json={"options": wrong})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, f"options.{next(iter(wrong))}")
    fetch_due(engine, settings)
    assert {state for state, _ in states(engine).values()} == {"done"}


@contextmanager
def worker_process(url: str, name: str, keys: Path) -> Iterator[BaseProcess]:
    process = started(url, name, keys=keys)
    try:
        yield process
    finally:
        process.kill()
        process.join(10)


@pytest.mark.slow
def test_every_note_once_through_kills(
    client: TestClient,
    engine: sa.Engine,
    settings: Settings,
    database_url: str,
    hubspot: HubSpotApi,
    connect: Connect,
) -> None:
    """Workers are killed amid events' records and a first synchronisation; the API limits, fails and forgets tokens."""
    count = 230
    connect("hubspot", refresh_token="refresh-1", client_id="app", base_url=hubspot.url)
    fill(hubspot, count)
    deals = {str(number) for number in [*range(1000, 1005), *range(5000, 5060)]}
    for deal in deals:
        hubspot.put(DEALS, deal, amount="10", dealstage="proposal")
    hubspot.per_second = 40
    hubspot.faults.extend([None, None, Fault(502), Fault(503), None, Fault(slow=0.3)] * 4)
    want(engine, "hubspot", NOTES, *map(str, range(101, count + 1)))
    hubspot.page_size = 40
    job = client.post("/v1/sources/hubspot/sync").json()
    for at_call in (8, 20):
        with worker_process(database_url, "victim", settings.keyring.path) as worker:
            wait_until(lambda: len(hubspot.calls) >= at_call, 60)  # noqa: B023
            hubspot.tokens, hubspot.next_token = {"none"}, f"token-{at_call}"
            worker.kill()
            worker.join(10)
    with worker_process(database_url, "victim", settings.keyring.path):
        wait_until(lambda: all(state == "done" for state, _ in states(engine).values()), 90, 0.3)
        wait_until(lambda: client.get(f"/v1/jobs/{job['id']}").json()["state"] == "done", 90, 0.3)
    assert client.get(f"/v1/jobs/{job['id']}").json()["result"]["records"] == count + len(deals)
    with read_session(engine) as session:
        assert sorted(session.scalars(sa.select(DealTable.key))) == sorted(deals)
        rows = list(session.scalars(sa.select(NoteTable)))
        assert sorted(int(row.external_id.removeprefix("0-46:")) for row in rows) == list(range(1, count + 1))
        assert {row.revision for row in rows} == {1}, "no note was written twice"
    for key in ("1", "150", str(count)):
        note = shown(client, f"0-46:{key}")
        assert note["account"]["id"] == str(2000 + int(key) % 3)
        assert note["deal"]["id"] == str(1000 + int(key) % 5)
    fresh = next(one for one in client.get("/v1/sources").json()["items"] if one["source"] == "hubspot")["freshness"]
    assert [(one["notes"], one["late"]) for one in fresh] == [(count, False)]
